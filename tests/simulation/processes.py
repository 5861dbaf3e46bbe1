"""Processes within one event loop: each can be paused, as by SIGSTOP, or killed, as by SIGKILL.

A process is a context: whatever a task of it schedules carries the process along, so the loop can hold back all of it
while the rest of the world (the broker, the API, the group's coordinator, other instances) goes on.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from functools import partial
from random import Random
from typing import Any

from tests.twins.virtual_time import VirtualTimeLoop

_process: ContextVar[Process | None] = ContextVar("process", default=None)
_WORLD = Context()
"""The context of what belongs to no process; empty for ever, because only copies of it are run."""


class Process:
    """One instance's operating system process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paused = False
        self.killed = False
        self.held: list[_Held | _HeldTimer] = []
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def start(self, main: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run a coroutine as part of this process, and all that it starts."""
        context = _WORLD.copy()
        context.run(_process.set, self)
        return asyncio.get_running_loop().create_task(main, name=f"{self.name}: {name}", context=context)

    def pause(self) -> None:
        """SIGSTOP: not one callback of it runs; time goes by, and what is under way in the world goes on."""
        self.paused = True

    def resume(self) -> None:
        """SIGCONT: it goes on where it was, with everything that happened meanwhile in front of it."""
        self.paused = False
        held, self.held = self.held, []
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ProcessLoop)
        loop.put_back(held)

    async def kill(self) -> None:
        """SIGKILL. Its coroutines still unwind, but nothing of it reaches the world any more: see `killed`."""
        self.killed = True
        self.resume()
        while tasks := list(self.tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def current_process() -> Process | None:
    """Whose code runs; None for the world's."""
    return _process.get()


def in_world(main: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
    """A task that belongs to no process, whoever starts it."""
    return asyncio.get_running_loop().create_task(main, name=name, context=_WORLD.copy())


def later_in_world(seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """A call that belongs to no process: what was sent arrives, although the sender was paused or killed."""
    return asyncio.get_running_loop().call_later(seconds, callback, context=_WORLD.copy())


class _Held(events.Handle):
    def _run(self) -> None:
        if not _held_back(self):
            super()._run()


class _HeldTimer(events.TimerHandle):
    def _run(self) -> None:
        if not _held_back(self):
            super()._run()


def _held_back(handle: Any) -> bool:
    process = handle._context.get(_process)
    if process is None or not process.paused:
        return False
    process.held.append(handle)
    return True


class ProcessLoop(VirtualTimeLoop):
    """A virtual time loop with processes, and without threads: what would go to one is done on the spot.

    With `order` the callbacks that are ready at the same moment run in an order drawn from it, else in asyncio's own.
    """

    def __init__(self, order: Random | None = None) -> None:
        super().__init__()
        self._order = order
        self.set_task_factory(_task)

    def _run_once(self) -> None:
        if self._order is not None and len(self._ready) > 1:  # type: ignore[attr-defined]  # typeshed leaves it out
            ready = list(self._ready)  # type: ignore[attr-defined]
            self._order.shuffle(ready)
            self._ready.clear()  # type: ignore[attr-defined]
            self._ready.extend(ready)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]

    def put_back(self, handles: list[_Held | _HeldTimer]) -> None:
        """Let held callbacks run, in the order in which they were due."""
        self._ready.extend(handles)  # type: ignore[attr-defined]  # typeshed leaves it out

    def _call_soon(self, callback: Any, args: Any, context: Any) -> events.Handle:
        handle = _Held(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]  # typeshed leaves it out
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:  # type: ignore[override]  # as wide as it gets
        timer = _HeldTimer(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]  # typeshed leaves it out
        timer._scheduled = True  # type: ignore[attr-defined]  # typeshed leaves it out
        return timer

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # as wide as it gets
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets it)
            future.set_exception(error)
        return future


def _task(
    loop: asyncio.AbstractEventLoop, coro: Any, *, context: Context | None = None, **options: Any
) -> asyncio.Task[Any]:
    context = copy_context() if context is None else context  # an empty one is falsy
    task = asyncio.Task(coro, loop=loop, context=context, **options)
    if (process := context.get(_process)) is not None:
        process.tasks[task] = None
        task.add_done_callback(process.tasks.pop)
    return task


def run_world(main: Coroutine[Any, Any, Any], *, order: Random | None = None) -> Any:
    """Run a world to its end; fails if it leaves a task behind. `order`: see ProcessLoop."""
    with asyncio.Runner(loop_factory=partial(ProcessLoop, order)) as runner:
        return runner.run(_alone(main))


async def _alone(main: Coroutine[Any, Any, Any]) -> Any:
    result = await main
    for _ in range(3):  # what was cancelled a moment ago gets its turns to end
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"left behind: {sorted(task.get_name() for task in left)}"
    return result
