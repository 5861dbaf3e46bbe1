import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/** A managed cluster's policy: topics have the settings that a file lists, a line each, and no other. */
public final class SevenSettings implements CreateTopicPolicy {
    private Path allowed;

    @Override
    public void configure(Map<String, ?> configs) {
        allowed = Path.of((String) configs.get("seven.settings.file"));
    }

    @Override
    public void validate(RequestMetadata asked) {
        if (asked.topic().startsWith("__")) {
            return; // Kafka's own
        }
        List<String> settings = allowed();
        for (String name : asked.configs().keySet()) {
            if (!settings.contains(name)) {
                throw new PolicyViolationException("This cluster can't set " + name + ". Only " + settings + " can be set.");
            }
        }
    }

    @Override
    public void close() {}

    private List<String> allowed() {
        try {
            return Files.readAllLines(allowed);
        } catch (IOException error) {
            throw new PolicyViolationException("no list of settings", error);
        }
    }
}
