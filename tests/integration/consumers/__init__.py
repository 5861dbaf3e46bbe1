"""The consumers of examples/, run as they stand there against a topic with all that a topic can hold."""
