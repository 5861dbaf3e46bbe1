"""The running service: lifecycle and signals. With cli.py the only module that knows every room.

topics ready -> join the group -> shards come and go -> until a signal -> shards let go -> group left
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Coroutine
from functools import partial
from os import getpid
from random import Random
from typing import Any

from producer import __version__
from producer.clock import SystemClock
from producer.errors import KafkaFailed, SettingsError, Unavailable
from producer.fleet import Fleet, by_shard
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.membership import Membership
from producer.kafka.topics import Topics, TopicSetup
from producer.ledger import shard_of
from producer.model import Topic
from producer.observe.logs import get_logger
from producer.observe.metrics import Metrics
from producer.observe.observer import ServiceObserver
from producer.observe.report import ServiceReport
from producer.observe.server import StatusServer
from producer.overview import Overview
from producer.settings import Settings
from producer.shard import Shard
from producer.wiring import Wiring

_log = get_logger(__name__)

STOP_BOUND = 4.0
"""Seconds for the shards to commit what waits at the end; SIGTERM is answered in 10 altogether."""
LONGEST_WAIT = 15.0
"""Seconds between tries to reach a cluster that is not there."""


class Service:
    """One instance, from start to end; `run` once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._rng = Random()  # noqa: S311 (jitter, no secret)
        self._instance = f"{socket.gethostname()}-{getpid()}"
        self._connection = Connection(settings.kafka, client_id=f"wolkvox-hits-{self._instance}")
        self._metrics = Metrics()
        self._observer = ServiceObserver(metrics=self._metrics, clock=self._clock)
        self._wiring = Wiring(settings, clock=self._clock, rng=self._rng, observer=self._observer)
        self._shards: dict[str, int] = {}
        self._overview = Overview(
            settings,
            instance=self._instance,
            wiring=self._wiring,
            observer=self._observer,
            clock=self._clock,
            shard_of=self._shards.get,
        )

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raises AccessDenied or Untrusted, which only a person can mend."""
        stop = _signalled()
        page = await self._status_page()
        self._tell_start()
        try:
            serving = asyncio.create_task(self._serve(stop))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done() and self._overview.fleet is None:
                serving.cancel()  # still waiting for Kafka
            await asyncio.wait({serving})
            if not serving.cancelled():
                serving.result()
        finally:
            stopping.cancel()
            await self._wiring.close()
            if page is not None:
                await page.stop()
            _log.info("service_stopped", pending=self._wiring.pendings.waiting())

    async def _serve(self, stop: asyncio.Event) -> None:
        topics = await self._topics()
        self._shards.update({server: shard_of(server, topics.shards) for server in self._wiring.sources})
        servers = by_shard(self._shards)
        loaded = frozenset(servers)
        census = Census(connection=self._connection, topics=topics)

        def shard(number: int) -> Shard:
            return self._wiring.shard(
                number,
                servers[number],
                topics=topics,
                connection=self._connection,
                census=census,
                settled=member.settled,
            )

        fleet = Fleet(loaded=loaded, make=shard)
        member = Membership(
            connection=self._connection,
            topic=topics.name(Topic.LEDGER),
            loaded=loaded,
            on_assigned=partial(self._assigned, fleet),
            on_failure=self._kafka_failed,
            rng=self._rng,
        )
        self._overview.fleet = fleet
        await self._until(stop, fleet, member.run())

    async def _until(self, stop: asyncio.Event, fleet: Fleet, membership: Coroutine[Any, Any, None]) -> None:
        tasks = {asyncio.create_task(membership), asyncio.create_task(fleet.run())}
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & tasks:
                task.result()
        finally:
            stopping.cancel()
            await fleet.close(within=STOP_BOUND)
            # The group last: a successor that took over before would fence a commit in its last moment.
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _assigned(self, fleet: Fleet, shards: frozenset[int]) -> None:
        self._overview.failure = None
        _log.info("shards_assigned", shards=sorted(shards), count=len(shards))
        fleet.assign(shards)

    async def _topics(self) -> Topics:
        attempt = 0
        while True:
            try:
                setup = TopicSetup(self._connection)
                topics = await setup.ready()
            except Unavailable as error:
                attempt += 1
                wait = self._rng.uniform(0.2, min(LONGEST_WAIT, 2.0 ** min(attempt, 5)))
                self._kafka_failed(error, wait)
                await asyncio.sleep(wait)
            else:
                self._overview.failure = None
                if setup.created:
                    _log.info("topics_created", topics=setup.created)
                return topics

    def _kafka_failed(self, error: KafkaFailed, wait: float) -> None:
        self._overview.failure = error
        _log.warning("kafka_unavailable", error=str(error), retry_in=round(wait, 1))

    async def _status_page(self) -> StatusServer | None:
        status = self._settings.status
        page = StatusServer(host=status.host, port=status.port, report=self._report, metrics=self._metrics)
        try:
            _log.info("status_listening", url=await page.start())
        except SettingsError as error:
            _log.warning("status_unavailable", error=str(error))
            return None
        return page

    def _report(self) -> ServiceReport:
        for server, ids in self._overview.window_ids().items():
            self._metrics.window_ids.labels(server=server).set(ids)
        return self._overview.report()

    def _tell_start(self) -> None:
        for warning in self._settings.warnings:
            _log.warning("settings_warning", problem=warning)
        _log.info(
            "service_started",
            version=__version__,
            instance=self._instance,
            sources=len(self._wiring.sources),
            group=self._settings.kafka.group_id,
        )


def _signalled() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; the second one ends the process at once, as a person expects."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        _log.info("service_stopping", signal=number.name)
        loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)
    return stop
