"""How calls leave this machine, whoever makes them: through which proxy, and which certificates are believed."""
