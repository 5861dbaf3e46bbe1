"""What the page and the probes say of a shard that restores, commits or waits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from producer.core.fleet import Fleet
from producer.core.heartbeat import Heartbeat
from producer.core.shard import Shard
from producer.errors import Retry, Unavailable
from producer.model import Progress
from producer.observe.metrics import Metrics
from producer.observe.observer import ServiceObserver
from producer.observe.status import KafkaState, ServiceStatus, SourceState, SourceStatus
from producer.service.overview import SILENT, SLOW, Overview
from tests.twins.memory_store import Fault
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import INTERVAL, TIMEOUT, Rig, elapse
from tests.unit.core.samples import SERVER, SHARD, a_row


class Looked:
    """A shard on a rig, and what an operator sees of it."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.shard = self.rig.shard()
        self.fleet = Fleet(make=lambda _: self.shard)
        self.fleet.assigned = frozenset({SHARD})
        self.fleet.owned = {SHARD: self.shard}
        all_rounds = {rounds.source.server: rounds for rounds in self.rig.all_rounds}
        self.overview = Overview(
            cast("Any", SimpleNamespace(sources=[SimpleNamespace(server=SERVER, interval=INTERVAL, timeout=TIMEOUT)])),
            instance="a",
            wiring=cast("Any", SimpleNamespace(all_rounds=all_rounds, sources=self.rig.sources)),
            cluster=cast("Any", SimpleNamespace(shards={SERVER: SHARD}, heartbeat=Heartbeat())),
            fleet=self.fleet,
            observer=ServiceObserver(metrics=Metrics(), clock=self.rig.clock),
            clock=self.rig.clock,
        )

    @property
    def status(self) -> ServiceStatus:
        return self.overview.status()

    @property
    def source(self) -> SourceStatus:
        (source,) = self.status.sources
        return source


async def started(looked: Looked) -> Shard:
    """One snapshot is read and committed."""
    looked.rig.api.standing = [a_row("a")]
    looked.shard.start()
    await elapse(1)
    return looked.shard


@virtual_time
async def test_all_is_well_after_a_commit() -> None:
    looked = Looked()
    shard = await started(looked)
    assert (looked.status.kafka, looked.status.unready) == (KafkaState.OK, ())
    assert (looked.source.state, looked.source.error) == (SourceState.OK, None)
    await shard.stop(within=1)


@virtual_time
async def test_a_source_is_late_although_the_wall_clock_was_set_back() -> None:
    looked = Looked()
    shard = await started(looked)
    looked.rig.api.standing = Retry("503")
    await elapse(3 * INTERVAL + TIMEOUT)
    looked.rig.clock.set_wall(-3600.0)
    assert looked.status.unready == ("source 0042: retrying",)
    await shard.stop(within=1)


@virtual_time
async def test_while_the_ledger_is_read_the_page_and_readyz_say_how_far() -> None:
    looked = Looked()
    looked.rig.store.latency = 60.0
    looked.rig.store.progress = Progress(450_000, 0.454)
    looked.shard.start()
    await elapse(1)
    assert (looked.source.state, looked.source.error) == (SourceState.RESTORING, "450,000 ids so far, 45%")
    assert looked.status.unready == ("source 0042: reading the ledger, 450,000 ids so far, 45%",)
    await looked.shard.stop(within=1)


@virtual_time
async def test_before_the_first_record_of_the_ledger_there_is_no_more_to_say() -> None:
    looked = Looked()
    looked.rig.store.latency = 60.0
    looked.shard.start()
    await elapse(1)
    assert (looked.source.state, looked.source.error) == (SourceState.RESTORING, None)
    assert looked.status.unready == ("source 0042: reading the ledger",)
    await looked.shard.stop(within=1)


@virtual_time
async def test_a_commit_that_takes_long_is_told_long_before_it_is_given_up() -> None:
    looked = Looked()
    looked.rig.store.faults.append(Fault.HANGS)
    shard = await started(looked)
    assert (looked.source.state, looked.status.kafka) == (SourceState.OK, KafkaState.OK)
    await elapse(SLOW)
    assert (looked.source.state, looked.status.kafka) == (SourceState.WAITING_FOR_KAFKA, KafkaState.OK)
    assert looked.source.error == "committing for 6 s now: Kafka is slow or away"
    await elapse(SILENT - SLOW)
    assert (looked.status.kafka, looked.status.unready) == (KafkaState.SILENT, ("kafka: does not answer",))
    await shard.stop(within=1)
    assert shard.committing_for == 0


@virtual_time
async def test_a_source_that_waits_for_kafka_says_why() -> None:
    looked = Looked()
    shard = await started(looked)
    looked.rig.store.down = True
    await elapse(INTERVAL + 10)
    assert isinstance(shard.failure, Unavailable)
    assert (looked.source.state, looked.source.error) == (SourceState.WAITING_FOR_KAFKA, "taking: no answer")
    assert looked.status.unready == ("kafka: unreachable",)
    await shard.stop(within=1)
