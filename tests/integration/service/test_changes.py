"""Calls that are typified after they were first shown, and corrected: what the report said of them is what is told."""

from __future__ import annotations

import pytest

from tests.integration.service.conftest import Open
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

POLLS = 12


async def test_what_the_report_says_of_a_hit_is_told_each_time_once_and_in_order(stages: Open) -> None:
    """By a service that tells each row, and by one that waits until a row says that it is a hit."""
    opened = [await stages(rate=5.0, typify_late=0.5) for _ in range(2)]
    await together(everything(opened[0]), marked(opened[1]))


async def everything(stage: Stage) -> None:
    """Each version that an answer showed is told; the page counts them."""
    instance = await stage.start()
    await stage.simulator.until(lambda: stage.simulator.polls >= POLLS)
    await stage.caught_up(instance)
    (source,) = (await stage.page(instance, "/status.json")).json()["sources"]
    await instance.stop()
    found = await stage.assert_exactly_once()
    assert {conn_id: found.said[conn_id] for conn_id in stage.simulator.said} == stage.simulator.said
    assert source["changed"] == len(found.changes) > POLLS
    assert max(map(len, found.said.values())) == 3
    assert len({record.headers["ce_id"] for record in found.changes}) == len(found.changes)


async def marked(stage: Stage) -> None:
    """WOLKVOX_HITS=marked: a row is told when it is typified, and corrected later; its empty `hit` never."""
    instance = await stage.start(WOLKVOX_HITS="marked")
    await stage.simulator.until(lambda: stage.simulator.polls >= POLLS)
    await stage.caught_up(instance)
    await instance.stop()
    found, simulator = await stage.audit(), stage.simulator
    typified = {conn_id: [word for word in said if word] for conn_id, said in simulator.said.items()}
    waiting = {conn_id for conn_id, said in typified.items() if not said}
    assert found.ids == found.remembered == simulator.shown - waiting
    assert {conn_id: found.said[conn_id] for conn_id in typified.keys() - waiting} == {
        conn_id: said for conn_id, said in typified.items() if said
    }
    assert sum(line["unmarked"] for line in instance.told("poll_done")) > POLLS
    assert not instance.told("unmarked_hits")
