"""What this machine has of IPv6."""

from __future__ import annotations

import socket
from contextlib import closing

IPV6 = "::1"


def has_ipv6() -> str:
    """Why there is no IPv6 loopback here; nothing if there is."""
    try:
        with closing(socket.create_server((IPV6, 0), family=socket.AF_INET6)):
            return ""
    except OSError as error:
        return f"no IPv6 loopback on this machine: {error.strerror}"
