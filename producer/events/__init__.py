"""Hit to CloudEvent; the schemas and the only validator."""
