"""The event loop of a command, whose end no thread holds up.

asyncio.run joins the threads of the loop's executor, and Python those of each executor: a resolver that hung kept a
service that had been asked to end for 27.8 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any, Final, TypeVar

T = TypeVar("T")

THREADS: Final = 32
"""At most. asyncio's own are six on two cores: a few resolvers that hang would leave none to read answers in."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, but what a thread still does when `main` ends is left behind, and dies with the process."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(_Daemons())
        return runner.run(main)


class _Daemons(ThreadPoolExecutor):
    """Threads that nobody joins; a ThreadPoolExecutor because the loop takes no other."""

    def __init__(self) -> None:
        super().__init__(THREADS)
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = Semaphore(0)
        self._started = 0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call it in a thread that is idle, or a new one if there may be more; from the loop's own thread only."""
        future: Future[T] = Future()
        self._jobs.put(partial(_settle, future, partial(fn, *args, **kwargs)))
        if not self._idle.acquire(blocking=False) and self._started < THREADS:
            self._started += 1
            Thread(target=self._work, name="left at the end", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (as it is)
        """Nobody waits."""

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            self._idle.release()


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 (whatever it is, the caller gets it)
        future.set_exception(error)
        del future  # else it, the error and the error's traceback hold each other
