// Reads values with Apicurio's deserializer, as a consumer in Java would: a topic and a value in base64 a line, JSON back.
import com.fasterxml.jackson.databind.JsonNode;
import io.apicurio.registry.serde.jsonschema.JsonSchemaKafkaDeserializer;
import java.io.*;
import java.util.*;

public class RegistryReader {
    public static void main(String[] args) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        var config = Map.of("apicurio.registry.url", args[0], "apicurio.registry.serde.validation-enabled", true);
        try (var deserializer = new JsonSchemaKafkaDeserializer<JsonNode>()) {
            deserializer.configure(config, false);
            for (String line; (line = lines.readLine()) != null; ) {
                String[] parts = line.split(" ");
                System.out.println(deserializer.deserialize(parts[0], Base64.getDecoder().decode(parts[1])));
            }
        }
    }
}
