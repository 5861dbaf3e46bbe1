// The last word on each hit. To run it, with the jars of org.apache.kafka:kafka-clients and
// com.fasterxml.jackson.core:jackson-databind in lib (Java 17): java -cp 'lib/*' LastWords.java
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.*;
import java.util.*;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class LastWords {
    record Word(String moment, JsonNode hit) {}

    public static void main(String[] args) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", "localhost:9092", "auto.offset.reset", "earliest",
                "isolation.level", "read_committed"); // not the default
        var json = new ObjectMapper();
        var hits = new HashMap<List<String>, Word>(); // in memory, made anew at each start: no group, no offsets
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(Stream.of("wolkvox.hits", "wolkvox.hits.changes")
                    .flatMap(topic -> consumer.partitionsFor(topic).stream())
                    .map(one -> new TopicPartition(one.topic(), one.partition())).toList());
            while (true) {
                for (var record : consumer.poll(java.time.Duration.ofSeconds(1))) {
                    try {
                        var schema = new String(record.headers().lastHeader("ce_dataschema").value(), UTF_8);
                        if (!schema.matches(".*:hit(_changed)?:1\\..*")) throw new IllegalArgumentException("no hit");
                        int frame = record.value()[0] == 0 ? 5 : 0; // of a schema registry
                        var hit = json.readTree(record.value(), frame, record.value().length - frame);
                        var key = List.of(hit.required("server").asText(), hit.required("conn_id").asText());
                        // Text order is time order; in the same moment hit_changed sorts behind hit, and stands.
                        var word = new Word(hit.required("observed_at").asText() + schema, hit);
                        if (hits.merge(key, word, (a, b) -> b.moment.compareTo(a.moment) > 0 ? b : a) == word)
                            System.out.println(json.writeValueAsString( // your work: this is what the hit says now
                                    List.of(key.get(0), key.get(1), hit.get("hit"))));
                    } catch (RuntimeException | java.io.IOException error) {
                        System.err.println(record.topic() + " at " + record.offset() + ": " + error.getClass());
                    }
                }
            }
        }
    }
}
