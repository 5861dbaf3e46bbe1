"""Which brokers serve: one Metadata request, which lists the brokers that are registered and unfenced.

An open port, or an answer to ApiVersions, comes earlier: until the node is unfenced, topics can't be created.
"""

from __future__ import annotations

import socket
import struct

TIMEOUT = 2.0  # seconds for one answer

# Header v1: length, api key 3 (Metadata), version 1, correlation id, client id; body: an array of no topics.
_BODY = struct.pack(">hhih5si", 3, 1, 1, 5, b"ready", 0)
_REQUEST = struct.pack(">i", len(_BODY)) + _BODY


def alive(port: int) -> frozenset[int]:
    """The ports of the live brokers, as told on the plain-text 127.0.0.1:`port`; none if nobody answers there."""
    try:
        return _ports(_ask(port))
    except (OSError, struct.error):
        return frozenset()


def _ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        connection.sendall(_REQUEST)
        with connection.makefile("rb") as answer:
            (length,) = struct.unpack(">i", answer.read(4))
            return answer.read(length)


def _ports(answer: bytes) -> frozenset[int]:
    """Metadata v1: correlation id, then for each broker its id, host, port and rack (nullable)."""
    _, brokers = struct.unpack_from(">ii", answer)
    ports, at = set(), 8
    for _ in range(brokers):
        (host,) = struct.unpack_from(">h", answer, at + 4)
        at += 6 + host
        port, rack = struct.unpack_from(">ih", answer, at)
        ports.add(port)
        at += 6 + max(0, rack)
    return frozenset(ports)
