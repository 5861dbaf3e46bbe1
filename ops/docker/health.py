"""The image's health check: 0 if the service in this container answers that its loops turn, else 1.

Bare sockets, since a proxy of the environment must not be asked; and each loopback, since a container may lack one.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

# As the service reads it: what an env file leaves around a value is not part of it.
PORT = int(os.environ.get("STATUS_PORT", "").strip(" \t\r\n\"'") or 8080)


def healthy(host: str) -> bool:
    """Whether /healthz answers 200 there; raises OSError where nobody listens."""
    connection = HTTPConnection(host, PORT, timeout=4)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except HTTPException:
        return False
    finally:
        connection.close()


for one in ("127.0.0.1", "::1"):
    try:
        sys.exit(not healthy(one))
    except OSError:
        continue
sys.exit(1)
