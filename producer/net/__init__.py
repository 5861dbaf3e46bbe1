"""How calls leave this machine and come in: through which proxy, which certificates are believed, who serves."""
