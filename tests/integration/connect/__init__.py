"""Kafka Connect with a JDBC sink, and PostgreSQL, both real: the connectors of examples/connect as they stand there."""
