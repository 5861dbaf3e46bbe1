"""All that knows OAuth: the token that a broker asks for, fetched over HTTP."""
