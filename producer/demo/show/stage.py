"""What the demo runs on: a Kafka that starts in a thread and can be given up at any moment."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from producer.demo.broker import Progress
from producer.demo.broker.jars import OnProgress
from producer.kafka.bounds import retrieve

GRACE = 2.0
"""Seconds for the starting thread to notice that nobody waits for it any more."""
THREAD = "starts kafka"


class Broker(Protocol):
    """What is started and closed; both block."""

    def start(self) -> None: ...
    def close(self) -> None: ...


B_co = TypeVar("B_co", bound=Broker, covariant=True)


class Make(Protocol[B_co]):
    """Makes the broker that is to be started."""

    def __call__(self, *, on_progress: OnProgress) -> B_co: ...


class GivenUp(Exception):
    """Ends the fetching of jars from inside its own callback."""


@asynccontextmanager
async def running_kafka(make: Make[B_co], *, on_progress: OnProgress) -> AsyncIterator[B_co]:
    """A real Kafka while the context lasts; raises BrokerUnavailable.

    Cancelled while it starts, it leaves no process and no folder; a jar that is being fetched may keep its thread, a
    daemon, for as long as the network is silent.
    """
    given_up = threading.Event()

    def report(progress: Progress) -> None:
        if given_up.is_set():
            raise GivenUp
        on_progress(progress)

    kafka = make(on_progress=report)
    started = _in_thread(kafka)
    try:
        await asyncio.shield(started)
        yield kafka
    finally:
        given_up.set()
        kafka.close()
        if not started.done():
            await asyncio.wait({started}, timeout=GRACE)
            kafka.close()  # what the thread began between our close and its own look at it


def leave(status: int) -> int:
    """The exit status; if a start that was given up still goes on, the process ends here and with it."""
    if any(thread.name == THREAD for thread in threading.enumerate()):
        # The interpreter would wait for a download that hangs; everything else has ended.
        sys.stdout.flush()
        os._exit(status)
    return status


def _in_thread(kafka: Broker) -> asyncio.Future[None]:
    """Not asyncio.to_thread: the loop would wait for its thread at the end, however long a download hangs."""
    started: Future[None] = Future()

    def start() -> None:
        try:
            kafka.start()
        except BaseException as error:  # noqa: BLE001  # told to whoever waits
            started.set_exception(error)
        else:
            started.set_result(None)

    threading.Thread(target=start, name=THREAD, daemon=True).start()
    future = asyncio.wrap_future(started)
    future.add_done_callback(retrieve)  # whenever its error comes: who still waits gets it all the same
    return future
