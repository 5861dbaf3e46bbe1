"""All that knows Kafka."""
