"""The schema registry, real: Apicurio, and a gate before it that lets in whom a test wants."""
