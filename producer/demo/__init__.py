"""A simulated call centre and an embedded Kafka, for `demo`, `try`, `simulate` and the tests."""
