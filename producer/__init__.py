"""Wolkvox sales hits as a Kafka stream, each exactly once."""

__version__ = "0.2.0.dev0"
