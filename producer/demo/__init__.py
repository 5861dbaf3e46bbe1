"""A simulated call centre and an embedded Kafka, for `demo`, `simulate` and the tests."""
