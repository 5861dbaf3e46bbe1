"""The running service: lifecycle and signals. With cli.py the only module that knows every room.

topics ready -> join the group -> shards come and go -> until a signal -> shards let go -> group left
"""

from __future__ import annotations

import asyncio
import signal
from random import Random

from producer import __version__
from producer.clock import SystemClock
from producer.core.fleet import Fleet
from producer.errors import AccessDenied, KafkaFailed, SettingsError
from producer.kafka.connection import instance_name
from producer.observe.logs import get_logger
from producer.observe.metrics import Metrics
from producer.observe.observer import ServiceObserver
from producer.observe.server import StatusServer
from producer.observe.status import ServiceStatus
from producer.service.cluster import Cluster, tell_away
from producer.service.overview import Overview
from producer.service.wiring import Wiring
from producer.settings import Settings

_log = get_logger(__name__)

STOP_BOUND = 3.0
"""Seconds for the shards to commit what waits at the end; SIGTERM is answered in 10 altogether."""


class Service:
    """One instance, from start to end; `run` once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._instance = instance_name()
        clock, rng = SystemClock(), Random()  # noqa: S311 (jitter, no secret)
        self._metrics = Metrics()
        observer = ServiceObserver(metrics=self._metrics, clock=clock)
        self._wiring = Wiring(settings, clock=clock, rng=rng, observer=observer)
        self._cluster = Cluster(
            settings, instance=self._instance, wiring=self._wiring, rng=rng, on_failure=self._kafka_failed
        )
        self._fleet = Fleet(make=self._cluster.shard)
        self._overview = Overview(
            settings,
            instance=self._instance,
            wiring=self._wiring,
            cluster=self._cluster,
            fleet=self._fleet,
            observer=observer,
            clock=clock,
        )

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raises AccessDenied or Untrusted, which only a person can mend."""
        stop = _signalled()
        page = await self._status_page()
        self._tell_start()
        try:
            connecting = asyncio.create_task(self._cluster.connect())
            if await _unless(stop, connecting):
                await self._serve(stop)
            connecting.cancel()
        finally:
            await self._wiring.close()
            if page is not None:
                await page.stop()
            _log.info("service_stopped", pending=self._wiring.pendings.waiting())

    async def _serve(self, stop: asyncio.Event) -> None:
        self._overview.failure = None
        member = self._cluster.membership(on_assigned=self._assigned)
        work = (member.run(), self._fleet.run(), self._cluster.watch())
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await _unless(stop, *tasks)
        finally:
            # The group last: a successor that took over before would fence a commit in its last moment.
            await self._fleet.close(within=STOP_BOUND)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _assigned(self, shards: frozenset[int]) -> None:
        self._overview.failure = None
        _log.info("shards_assigned", shards=sorted(shards), count=len(shards))
        self._fleet.assign(shards, loaded=self._cluster.loaded)

    def _kafka_failed(self, error: KafkaFailed, wait: float) -> None:
        self._overview.failure = error
        if isinstance(error, AccessDenied):
            _log.error("kafka_refused", error=error)
        else:
            tell_away(error, wait)

    async def _status_page(self) -> StatusServer | None:
        status = self._settings.status
        page = StatusServer(host=status.host, port=status.port, status=self.status, metrics=self._metrics)
        try:
            _log.info("status_listening", url=await page.start())
        except SettingsError as error:
            _log.warning("status_unavailable", error=error)
            return None
        return page

    def status(self) -> ServiceStatus:
        """Everything that the status page shows, as of now."""
        for server, ids in self._overview.window_ids().items():
            self._metrics.window_ids.labels(server=server).set(ids)
        return self._overview.status()

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


async def _unless(stop: asyncio.Event, *work: asyncio.Task[None]) -> bool:
    """Wait until one of `work` has ended, True, or `stop` is set, False; raises what ended it."""
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    ended = [task for task in work if task in done]
    for task in ended:
        task.result()
    return bool(ended)


def _signalled() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; the second one ends the process at once, as a person expects."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)  # asyncio leaves SIGINT to Python, which would wait for every task
        _log.info("service_stopping", signal=number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)
    return stop
