"""A schema registry beside Kafka: what of our schemas it has, and under which ids."""
