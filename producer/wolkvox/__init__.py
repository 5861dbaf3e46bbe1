"""All that knows the Wolkvox API: address, client, envelope, rows."""
