"""Hits that no snapshot of ours brought, put on Kafka by hand: from the history, a file, the dead letters."""
