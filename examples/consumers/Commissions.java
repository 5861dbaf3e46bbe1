// A commission for each hit, once. To run it, with the jars of org.apache.kafka:kafka-clients and
// com.fasterxml.jackson.core:jackson-databind in lib (Java 17): java -cp 'lib/*' Commissions.java
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.*;

public class Commissions {
    public static void main(String[] args) throws Exception {
        Map<String, Object> brokers = Map.of("bootstrap.servers", "localhost:9092");
        Map<String, Object> config = Map.of(
                "bootstrap.servers", "localhost:9092", "group.id", "commissions", "auto.offset.reset", "earliest",
                "enable.auto.commit", false, "isolation.level", "read_committed"); // not the default
        var done = new HashSet<String>(); // stands for your table with ce_id as its primary key
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                var deadLetters = new KafkaProducer<>(brokers, new ByteArraySerializer(), new ByteArraySerializer())) {
            consumer.subscribe(List.of("wolkvox.hits"));
            while (true) {
                for (var one : consumer.poll(java.time.Duration.ofSeconds(1))) {
                    String id, hit;
                    try {
                        if (!new String(one.headers().lastHeader("ce_dataschema").value(), UTF_8).contains(":hit:1."))
                            throw new IllegalArgumentException("not a hit, or of another major version");
                        id = new String(one.headers().lastHeader("ce_id").value(), UTF_8);
                        var json = Arrays.copyOfRange(one.value(), one.value()[0] == 0 ? 5 : 0, one.value().length);
                        hit = new ObjectMapper().readTree(json).required("hit").asText(""); // behind a registry's frame
                    } catch (RuntimeException | java.io.IOException error) {
                        one.headers().add("reason", error.getClass().getSimpleName().getBytes(UTF_8));
                        deadLetters.send(new ProducerRecord<>(
                                "commissions.dead-letter", null, one.key(), one.value(), one.headers())).get();
                        continue;
                    }
                    if (!hit.isEmpty()) // else it is no achievement, or not yet
                        System.out.println(id + (done.add(id) ? " " + hit : " was done before")); // your work
                }
                consumer.commitSync();
            }
        }
    }
}
