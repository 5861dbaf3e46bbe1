"""The beginning and the end of aiokafka's clients: started within a bound, and when they are given up, gone at once.

Their own `stop()` waits for brokers without a bound. Cancelled half-way it leaves sender, fetcher, coordinator and
metadata tasks behind, which connect anew and go on sending: 2 to 6 sockets at each broker that froze, and a discarded
producer that repeated its batches at 3.7 MB/s. So nobody waits for it: tasks are cancelled here and connections cut.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection

from producer.kafka.bounds import bounded, retrieve
from producer.kafka.connection import TRANSACTION_TIMEOUT, Connection
from producer.kafka.requests import whole

Client = TypeVar("Client")
"""A producer, consumer or admin client of aiokafka's, which ships no types."""

_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: the kernel drops what it still has to send, too."""
_MOMENT = 1.0
"""Seconds for tasks that were cancelled and have nobody left to wait for."""
_ROUNDS = 3
"""A task can swallow a cancellation that comes together with a time-out of its own."""


FETCH_BYTES = 2 * 1024 * 1024
"""Bytes of one answer to a reader, of all partitions together: some 16,000 ids. A slow way has to carry it in a
request's time, and aiokafka unpacks it in one go and holds the loop meanwhile."""


def new_producer(
    connection: Connection, transactional_id: str, *, timeout: float = TRANSACTION_TIMEOUT
) -> AIOKafkaProducer:
    """A producer of transactions for batches of our own, not started.

    The broker aborts what it left open for `timeout` seconds.
    """
    producer = AIOKafkaProducer(
        **connection.options(),
        transactional_id=transactional_id,
        transaction_timeout_ms=int(timeout * 1000),
    )
    # Its requests go through here alone, whichever of its tasks makes them; see `requests` for what it saves.
    send = producer.client.send
    producer.client.send = lambda node, request, **more: send(node, whole(request), **more)
    return producer


def new_consumer(connection: Connection, *, isolation: str = "read_committed", **options: Any) -> AIOKafkaConsumer:
    """A consumer without a group, not started: it reads what it is assigned, and commits nothing."""
    return AIOKafkaConsumer(
        **connection.options(),
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=FETCH_BYTES,
        **options,
    )


@asynccontextmanager
async def running(client: Client, *, seconds: float, what: str) -> AsyncIterator[Client]:
    """A client from its start, for which it has so many seconds, to its end; raises Unavailable."""
    await start(client, seconds=seconds, what=what)
    try:
        yield client
    finally:
        await close(client)


async def start(client: Any, *, seconds: float, what: str) -> None:
    """Start a client; one that does not answer in time, or that nobody waits for any more, is closed."""
    _cut_what_it_gives_up(client)
    try:
        await bounded(client.start(), seconds=seconds, what=what)
    except BaseException:  # a cancellation too: whoever gives a client up closes it
        await close(client)
        raise


async def close(client: Any, *, farewell: float = 0.0) -> None:
    """End a client, whatever brokers do; `farewell` are the seconds that it gets before, to leave its group."""
    try:
        if farewell:
            await asyncio.wait({asyncio.create_task(client.stop())}, timeout=farewell)
    finally:
        await _end(client)


async def connect(host: str, port: int, *, seconds: float, what: str, **options: Any) -> AIOKafkaConnection:
    """A connection of one's own; as aiokafka's create_conn, but given up half-way it is cut."""
    conn = AIOKafkaConnection(host, port, **options)
    try:
        await bounded(conn.connect(), seconds=seconds, what=what)
    except BaseException:  # as above
        cut(conn)
        raise
    return conn


def why_it_failed(producer: Any) -> BaseException | None:
    """What made a producer's transaction, or the producer itself, end in its own tasks; None if nothing has."""
    waiter = producer._txn_manager._transaction_waiter  # noqa: SLF001 (aiokafka tells whoever awaits it, and nobody may)
    return waiter.exception() if waiter is not None and waiter.done() and not waiter.cancelled() else None


def cut(conn: AIOKafkaConnection) -> None:
    """Close a connection at once: nobody waits until the peer has read everything, or says goodbye in TLS."""
    unanswered = bool(conn._requests)  # noqa: SLF001 (aiokafka tells nobody)
    conn.close()
    _abort(conn, reset=unanswered)


async def _end(client: Any) -> None:
    client._closed = True  # noqa: SLF001 (or it complains, when it is collected, that nobody called stop())
    for _ in range(_ROUNDS):
        tasks = {task for task in asyncio.all_tasks() if _works_for(task, client)} - {asyncio.current_task()}
        connections = [*_network(client)._conns.values(), *(conn for task in tasks for conn in _in_hand(task))]  # noqa: SLF001
        for task in tasks:
            task.cancel()
        for conn in connections:
            cut(conn)
        if not tasks:
            break
        await asyncio.wait(tasks, timeout=_MOMENT)
    for future in _results(client):
        retrieve(future)


def _network(client: Any) -> Any:
    """The part that connects; a producer's has no underscore."""
    return getattr(client, "client", None) or client._client  # noqa: SLF001 (aiokafka offers no other way)


def _works_for(task: asyncio.Task[Any], client: Any) -> bool:
    """Whether a task runs a method of the client or of one of its parts: aiokafka has no list of them."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    worker = frame and frame.f_locals.get("self")
    return worker is not None and any(worker is part for part in (client, *_parts(client)))


def _in_hand(task: asyncio.Task[Any]) -> Iterator[AIOKafkaConnection]:
    """Connections in local variables of what a task waits in: those which no client knows yet."""
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None)) is not None:
        yield from (value for value in frame.f_locals.values() if isinstance(value, AIOKafkaConnection))
        waiting = waiting.cr_await


def _results(client: Any) -> Iterator[asyncio.Future[Any]]:
    """Futures that are done and that nobody looks at any more; asyncio would tell the error of each as overlooked."""
    for part in _parts(client):
        for value in vars(part).values():
            if isinstance(value, asyncio.Future) and value.done():
                yield value


def _parts(client: Any) -> Iterator[Any]:
    """What a client is made of; not what it was given of ours, a listener for instance."""
    for part in vars(client).values():
        if type(part).__module__.startswith("aiokafka.") and hasattr(part, "__dict__"):
            yield part


def _cut_what_it_gives_up(client: Any) -> None:
    """Connections that the client itself closes, after a time-out above all: it would let them go once the peer has
    read the rest."""
    network = _network(client)
    told = network._on_connection_closed  # noqa: SLF001 (what each of its connections calls)

    def closed(conn: AIOKafkaConnection, reason: Any) -> None:
        _abort(conn, reset=True)
        told(conn, reason)

    network._on_connection_closed = closed  # noqa: SLF001 (as above)


def _abort(conn: AIOKafkaConnection, *, reset: bool) -> None:
    protocol = conn._protocol  # noqa: SLF001 (the transport is known to it alone once the connection is closed)
    transport = protocol and protocol._transport  # noqa: SLF001 (as above)
    if transport is None:
        return
    if reset and (own := transport.get_extra_info("socket")) is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
