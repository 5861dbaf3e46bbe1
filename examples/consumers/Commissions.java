// A commission for each hit, once. To run it, with the jars of org.apache.kafka:kafka-clients and
// com.fasterxml.jackson.core:jackson-databind in lib (Java 17): java -cp 'lib/*' Commissions.java
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
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
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    String id, hit;
                    try {
                        if (!new String(record.headers().lastHeader("ce_type").value()).equals("wolkvox.hit"))
                            throw new IllegalArgumentException("not a hit");
                        id = new String(record.headers().lastHeader("ce_id").value());
                        hit = new ObjectMapper().readTree(record.value()).required("hit").asText();
                    } catch (RuntimeException | java.io.IOException error) {
                        var letter = new ProducerRecord<>(
                                "commissions.dead-letter", null, record.key(), record.value(), record.headers());
                        letter.headers().add("reason", error.getClass().getSimpleName().getBytes());
                        deadLetters.send(letter).get();
                        continue;
                    }
                    System.out.println(id + (done.add(id) ? " " + hit : " was done before")); // your work
                }
                consumer.commitSync();
            }
        }
    }
}
