"""A lesser broker: a real one behind a network that changes some of its answers to what other clusters say."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Collection

from tests.integration.service.relay import Relay

API_VERSIONS, FIND_COORDINATOR = 18, 10
INVALID_REQUEST = 42

Answer = Callable[[int, bytes, bytes], bytes]
"""What a client hears: of the request's key, the request and the broker's answer, both behind their headers."""


def without(keys: Collection[int]) -> Answer:
    """Requests that it does not know (ApiVersions, version 0, as aiokafka asks for them)."""

    def answer(key: int, _: bytes, said: bytes) -> bytes:
        if key != API_VERSIONS:
            return said
        known = [said[at : at + 6] for at in range(6, len(said), 6)]
        kept = [one for one in known if struct.unpack(">h", one[:2])[0] not in keys]
        return said[:2] + struct.pack(">i", len(kept)) + b"".join(kept)

    return answer


def no_transaction_coordinator(key: int, asked: bytes, said: bytes) -> bytes:
    """As Event Hubs in its lower tiers: coordinators of groups alone (FindCoordinator, version 1)."""
    if key != FIND_COORDINATOR or asked[-1] != 1:
        return said
    return struct.pack(">ihhihi", 0, INVALID_REQUEST, -1, -1, 0, -1)


class Lesser(Relay):
    """Forwards each answer as `answer` has it."""

    def __init__(self, *, port: int, target: str, answer: Answer) -> None:
        super().__init__(port=port, target=target)
        self._answer = answer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._far()
        try:
            while True:
                request = await _framed(reader)
                far_writer.write(struct.pack(">i", len(request)) + request)
                said = await _framed(far_reader)  # aiokafka sends several at once; the broker answers them in order
                key, client = struct.unpack(">h6xh", request[:10])
                said = said[:4] + self._answer(key, request[10 + max(0, client) :], said[4:])
                writer.write(struct.pack(">i", len(said)) + said)
        finally:
            far_writer.transport.abort()


async def _framed(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)
