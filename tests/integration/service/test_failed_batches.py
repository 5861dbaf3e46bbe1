"""Transactions that fail: nothing of them is ever seen, and nothing of them is lost."""

from __future__ import annotations

import pytest

from tests.integration.service.admin import Admin
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka


async def test_a_batch_that_the_broker_refuses_is_told_again_in_smaller_ones(stage: Stage) -> None:
    """Somebody lowers max.message.bytes below what a poll's batch needs: discard, look again, go on, nothing twice."""
    stage.clock.stop()
    instance = await stage.start()
    await instance.until("poll_done", new=0, pending=0)
    before = await stage.assert_exactly_once()
    await Admin(stage.bootstrap).configure(stage.topic, "max.message.bytes", "2500")
    since = instance.mark()
    stage.clock.advance(15.0)
    failed = await instance.until("commit_failed", since=since)
    assert failed["pending"] > 50
    await instance.until("poll_done", since=since, new=0, pending=0)
    after = await stage.assert_exactly_once()
    assert len(after.hits) > len(before.hits) + 50
    assert not instance.told("rows_dropped")
    await instance.stop()


async def test_what_an_aborted_transaction_wrote_is_invisible(stage: Stage) -> None:
    """Killed with every batch delivered and nothing committed: on the topic, and yet for no reader there."""
    stage.clock.stop()
    instance = await stage.start(at="KILL:all_delivered", KAFKA_GROUP_INSTANCE_ID="one")
    await instance.until("poll_done", new=0, pending=0)
    before = await stage.assert_exactly_once()
    stage.clock.advance(5.0)
    assert await instance.ended() == -9
    last = await stage.start("the next", KAFKA_GROUP_INSTANCE_ID="one")
    await last.until("poll_done", new=0, pending=0)
    await last.stop()
    visible = await stage.assert_exactly_once()
    written = await stage.audit(isolation="read_uncommitted")
    told_by_both = len(visible.hits) - len(before.hits)
    assert told_by_both > 0
    assert len(written.hits) == len(visible.hits) + told_by_both
