"""The command: everything started, the story told, the verdict as exit status, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic

from producer.clock import SystemClock
from producer.demo.broker import EmbeddedKafka
from producer.demo.broker.jars import KAFKA_VERSION
from producer.demo.show.audit import Audit
from producer.demo.show.instance import Instance
from producer.demo.show.narrator import Narrator
from producer.demo.show.plan import TOPIC, Plan
from producer.demo.show.reading import Reading
from producer.demo.show.stage import leave, running_kafka
from producer.demo.show.story import Story
from producer.demo.show.telling import narrator_of
from producer.demo.show.watch import Watch
from producer.demo.simulator import Simulator
from producer.kafka.connection import Connection
from producer.settings.sections import Kafka

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(*, rate: float | None = None, plain: bool = False, plan: Plan | None = None) -> int:
    """The whole product on this machine, told on standard output: 0 if the audit holds, 1 if not, 130 after Ctrl-C.

    `rate` is in hits a second; `plain` tells it in lines on a terminal too, as in a pipe. Raises BrokerUnavailable
    where no Kafka can be had, ServiceFailed with the end of the service's log, ValueError for a rate that can't be.
    Processes and folders of its own are gone when it ends, however it ends.
    """
    # What a consumer says about a topic that was made this moment has no place among the story.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    plan = plan or (Plan() if rate is None else Plan(rate=rate))
    try:
        status = asyncio.run(_interruptible(plan, narrator_of(sys.stdout, plain=plain)))
    except KeyboardInterrupt:  # in the last moment, when the loop no longer looks
        status = 128 + signal.SIGINT
    except BrokenPipeError:  # nobody reads any more, as in `| head`
        _silence_stdout()
        status = 1
    return leave(status)


async def _interruptible(plan: Plan, narrator: Narrator) -> int:
    """The exit status; a signal cancels the demo once, and is otherwise ignored while it cleans up."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    caught: list[int] = []

    def interrupt(number: int) -> None:
        if not caught and task is not None:
            task.cancel()
        caught.append(number)

    for number in INTERRUPTS:
        loop.add_signal_handler(number, interrupt, number)
    try:
        return 0 if (await _demo(plan, narrator)).holds else 1
    except asyncio.CancelledError:
        if not caught:
            raise
        narrator.say("Stopped; all that was started here has ended.")
        return 128 + caught[0]


async def _demo(plan: Plan, narrator: Narrator) -> Audit:
    simulator = plan.simulator()
    async with AsyncExitStack() as stack:
        stack.callback(narrator.close)
        narrator.step(f"A real Apache Kafka {KAFKA_VERSION} starts on this machine")
        began = monotonic()
        kafka = await stack.enter_async_context(
            running_kafka(partial(EmbeddedKafka, properties=plan.broker), on_progress=narrator.fetched)
        )
        narrator.say(f"It answers on {kafka.bootstrap} after {monotonic() - began:.1f} s.")
        await stack.enter_async_context(simulator)
        settings = plan.settings(simulator, kafka.bootstrap)
        instance = Instance(settings)
        stack.push_async_callback(instance.close)
        narrator.step("A simulated call centre opens, and the service starts")
        narrator.say(_call_centre(plan, simulator), "The service runs as anybody would start it:")
        narrator.say(*_command_line(settings))
        instance.start()
        watch = Watch(
            simulator=simulator,
            instance=instance,
            reading=Reading(
                Connection(Kafka(bootstrap_servers=kafka.bootstrap), client_id="wolkvox-hits-demo"),
                topic=TOPIC,
                clock=SystemClock(),
            ),
            patience=plan.patience,
            show=narrator.show,
        )
        story = Story(plan, narrator=narrator, simulator=simulator, instance=instance, watch=watch)
        audit = await _together(story, watch)
        narrator.verdict(audit)
        return audit


async def _together(story: Story, watch: Watch) -> Audit:
    """The story's end, or the error of either."""
    telling, watching = asyncio.create_task(story.run()), asyncio.create_task(watch.run())
    try:
        await asyncio.wait({telling, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            await watching
        return await telling
    finally:
        for task in (telling, watching):
            task.cancel()
        await asyncio.gather(telling, watching, return_exceptions=True)


def _call_centre(plan: Plan, simulator: Simulator) -> str:
    return (
        f"{plan.rate:g} hits a second; the API on {simulator.url} shows each for {plan.report:g} s, "
        f"some of them up to {plan.late_by:g} s late."
    )


def _command_line(settings: Mapping[str, str]) -> Iterator[str]:
    """What to type in a shell, two settings a line."""
    pairs = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
    for number in range(0, len(pairs), 2):
        yield f"  {' '.join(pairs[number : number + 2])} \\"
    yield "  wolkvox-hits run"


def _silence_stdout() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
