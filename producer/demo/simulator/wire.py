"""How an answer leaves: whole, slowly, in part or never, and whether all of it did."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import MutableMapping, Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from producer.demo.simulator.answers import Answer, Delivery

_CHUNK = 256 * 1024


class Wire:
    """The way out over a `server.Connection`; ends at once when the client leaves or `closing` is set."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, closing: asyncio.Event) -> None:
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._send = send
        self._receive = receive
        self._closing = closing
        self._gone: asyncio.Future[None]
        self._closed: asyncio.Future[bool]

    async def deliver(self, answer: Answer, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Send the answer in its way; whether all of it went out on a connection that was open to the end."""
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        self._gone = asyncio.ensure_future(_departure(self._receive))
        self._closed = asyncio.ensure_future(self._closing.wait())
        try:
            if await self._sent(answer, start):
                return True
            await self._cut(answer.delivery)
            return False
        finally:
            self._gone.cancel()
            self._closed.cancel()

    async def _sent(self, answer: Answer, start: MutableMapping[str, Any]) -> bool:
        body = answer.body
        match answer.delivery:
            case Delivery.WHOLE:
                return await self._all(start, body, _CHUNK, pause=0)
            case Delivery.SLOW:
                return await self._pause(answer.pause) and await self._all(start, body, _CHUNK, pause=0)
            case Delivery.DRIP:
                return await self._all(start, body, 1, pause=answer.pause)
            case Delivery.RAW:
                self._transport.write(body)
            case Delivery.STALLED | Delivery.CUT:
                await self._send(start)
                await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        if answer.delivery in (Delivery.SILENT, Delivery.STALLED):
            await self._pause(None)
        return False

    async def _all(self, start: MutableMapping[str, Any], body: bytes, step: int, *, pause: float) -> bool:
        await self._send(start)
        for at in range(0, len(body) or 1, step):
            if pause and at and not await self._pause(pause):
                return False
            # A client that left before the last piece has not seen the whole; afterwards it is the client's matter.
            if self._transport.is_closing():
                return False
            last = at + step >= len(body)
            await self._send({"type": "http.response.body", "body": body[at : at + step], "more_body": not last})
        return True

    async def _pause(self, seconds: float | None) -> bool:
        done, _ = await asyncio.wait((self._gone, self._closed), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return not done

    async def _cut(self, delivery: Delivery) -> None:
        if delivery is Delivery.RESET:
            # Lingering for zero seconds makes the close a TCP reset.
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if delivery is Delivery.RAW:
            self._transport.close()  # once all is sent
        else:
            self._transport.abort()
        await self._gone  # until the server knows, it would complain of an answer without an end


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
