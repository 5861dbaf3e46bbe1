"""`wolkvox-hits try`: the service on a real Kafka of its own, in a folder that stays, and what comes of it on screen.

KeptKafka (a JVM under its guard) <-- the service, in this process --> your API, or else a Simulator
     |                                   |
     +--------- Reading ------------- status ----> Narrator
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from producer.clock import SystemClock
from producer.commands import loop
from producer.commands.streams import forsake
from producer.commands.trial_words import Words, service_words
from producer.demo.broker import KeptKafka
from producer.demo.broker.kept import data_folder
from producer.demo.show.narrator import Narrator, View
from producer.demo.show.reading import Reading
from producer.demo.show.stage import leave, running_kafka
from producer.demo.show.telling import narrator_of
from producer.demo.simulator import Simulator
from producer.errors import SettingsError
from producer.kafka.connection import Connection
from producer.net.listening import address_of
from producer.observe.listening import bound
from producer.observe.logs import configure
from producer.service.service import Service
from producer.settings import Kafka, Settings

TICK = 0.25
"""Seconds between two looks."""
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

REPORT, LATE, TYPIFIED_LATE = 600.0, 60.0, 0.2
"""Seconds that the simulated call centre shows a hit, and how late one may turn up; a report surely has the rest."""


class Load(Protocol):
    """The settings in force, with `overrides` on top; raises SettingsError."""

    def __call__(self, *overrides: str, sources: bool) -> Settings: ...


def trial(load: Load, *, data: Path | None, plain: bool) -> int:
    """Run until Ctrl-C: 0 once all of it has ended; what was told stays in the folder, and the next start goes on.

    Raises SettingsError, BrokerUnavailable where no Kafka can be had or the folder is in use, KafkaFailed.
    """
    given = load(sources=False)
    if not given.sources and (given.wolkvox.token or given.wolkvox.token_file):
        load(sources=True)  # which says what is missing
    folder = data or data_folder("try" if given.sources else "try-simulated")
    narrator = narrator_of(sys.stdout, plain=plain)
    try:
        loop.run(_Trial(given, load=load, folder=folder, narrator=narrator).run())
    except BrokenPipeError:  # nobody reads any more, as in `| head`
        forsake(sys.stdout.fileno())
        return leave(1)
    return leave(0)


class _Trial:
    def __init__(self, given: Settings, *, load: Load, folder: Path, narrator: Narrator) -> None:
        self._given = given
        self._load = load
        self._folder = folder
        self._narrator = narrator
        self._words = Words(narrator, folder)

    async def run(self) -> None:
        """All of it; the first signal ends it in order, the second at once."""
        task, event_loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def interrupt(number: signal.Signals) -> None:
            event_loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
            task.cancel()

        for number in INTERRUPTS:
            event_loop.add_signal_handler(number, interrupt, number)
        with suppress(asyncio.CancelledError):
            await self._on_kafka()
        self._words.ended()

    async def _on_kafka(self) -> None:
        async with AsyncExitStack() as last, AsyncExitStack() as stack:
            last.callback(self._narrator.close)
            self._words.kafka_starts()
            make = partial(KeptKafka, self._folder)
            kafka = await stack.enter_async_context(running_kafka(make, on_progress=self._narrator.fetched))
            stack.callback(kafka.stop)
            stack.callback(self._words.stopping)
            log = last.enter_context((self._folder / "service.log").open("w", buffering=1))
            configure(level=self._given.log.level, format=self._given.log.format or "json", stream=log)
            port, page = await self._page()
            settings = await stack.enter_async_context(self._settings(kafka.bootstrap, port))
            self._words.service_starts(settings, page=page, simulated=not self._given.sources)
            await self._watched(Service(settings), settings, kafka)

    @asynccontextmanager
    async def _settings(self, bootstrap: str, port: int) -> AsyncIterator[Settings]:
        """Those in force, with this Kafka for theirs, and where they name no source a simulated one, which is open."""
        own = {
            "kafka": Kafka(bootstrap_servers=bootstrap, topic=self._given.kafka.topic),
            "status": self._given.status.model_copy(update={"port": port}),
        }
        if self._given.sources:
            yield self._given.model_copy(update=own)
            return
        os.environ["no_proxy"] = "127.0.0.1"  # a proxy would not find this machine's loopback
        async with Simulator(window=REPORT, late_by=LATE, typify_late=TYPIFIED_LATE) as simulator:
            yield self._load(*_pointing_to(simulator, self._given), sources=True).model_copy(update=own)

    async def _watched(self, service: Service, settings: Settings, kafka: KeptKafka) -> None:
        connection = Connection(settings.kafka, client_id="wolkvox-hits-try")
        reading = Reading(connection, topic=settings.kafka.topic, clock=SystemClock())
        work = (service.run(), reading.follow(), self._look(service, reading, kafka))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, service: Service, reading: Reading, kafka: KeptKafka) -> None:
        while kafka.running:
            self._narrator.show(
                View(
                    shown=None,
                    events=len(reading.readback.events),
                    duplicates=reading.readback.duplicates,
                    changes=reading.readback.changes,
                    gaps=len(reading.readback.gaps),
                    service=service_words(service.status()),
                    last=tuple(reading.readback.last),
                )
            )
            await asyncio.sleep(TICK)
        raise kafka.failure("Kafka ended by itself.")

    async def _page(self) -> tuple[int, str]:
        """The status page's port and address: any free one where nobody has chosen and somebody sits on the default."""
        status = self._given.status
        ports = (status.port,) if self._given.origins["STATUS_PORT"] != "default" else (status.port, 0)
        for port in ports:
            try:
                opened = await bound(status.host, port)
            except SettingsError:
                continue
            found = int(opened[0].getsockname()[1]), address_of(opened[0])
            for one in opened:
                one.close()
            return found
        return status.port, "none: its log says why"


def _pointing_to(simulator: Simulator, given: Settings) -> Iterator[str]:
    yield f"wolkvox.server={simulator.server}"
    yield f"wolkvox.token={simulator.token}"
    yield f"wolkvox.url={simulator.url}"
    yield f"wolkvox.window={REPORT - LATE:g}s"
    if given.origins["POLL_INTERVAL"] == "default":
        yield "poll.interval=5s"
