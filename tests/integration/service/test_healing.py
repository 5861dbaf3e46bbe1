"""An outage longer than the report reaches back: told as a gap, and healed from the history, each hit once."""

from __future__ import annotations

from time import time

import pytest

from producer.demo.simulator.historical import Flaw
from tests.integration.service.conftest import Open
from tests.integration.service.crash_points import HEALING
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

REACH = 6.0
MISSED = 15
"""Hits that leave the report unseen in an outage."""
AFTER_THE_COMMIT = ("healing_committed", "healing_settled")


async def test_an_outage_longer_than_the_report_costs_nothing_and_other_ids_publish_nothing(stages: Open) -> None:
    """And neither does a kill between any two steps of the healing."""
    before = [step for step in HEALING if step not in AFTER_THE_COMMIT]
    await together(
        heals(await a_stage(stages)),
        disagrees(await a_stage(stages)),
        *[dies_at(await a_stage(stages), *part) for part in (before[::2], before[1::2])],
        *[dies_at(await a_stage(stages), step) for step in AFTER_THE_COMMIT],
    )


async def heals(stage: Stage) -> None:
    """The plain course, as an operator sees it."""
    instance, known = await seen(stage)
    await outage(stage)
    await instance.until("coverage_gap")
    line = await instance.until("gap_recovered")
    await whole(stage, instance, before=known)
    found = await stage.audit()
    [told, healed] = sorted(found.gaps, key=lambda record: record.headers["ce_type"])
    assert (healed.headers["ce_type"], healed.key) == (b"wolkvox.gap-recovered", stage.simulator.server)
    assert (healed.json["from"], healed.json["to"]) == (told.json["from"], told.json["to"])
    recovered = {record.key for record in found.hits if record.headers.get("wolkvox_recovered") == b"history"}
    assert len(recovered) == healed.json["published"] == line["published"] >= MISSED
    assert {hit.conn_id for hit in stage.simulator.never_shown} - known <= recovered
    assert not found.changes


async def disagrees(stage: Stage) -> None:
    """A history with other ids: nothing is published, and it is said."""
    instance, _ = await seen(stage)
    await outage(stage, Flaw.OTHER_IDS)
    line = await instance.until("history_disagrees")
    assert line["problem"].endswith(" hits that the history has before it, 0 are told")
    await stage.caught_up(instance)
    [source] = (await stage.page(instance, "/status.json")).json()["sources"]
    metrics = (await stage.page(instance, "/metrics")).text
    await instance.stop()
    found = await stage.assert_exactly_once()
    assert (source["gaps_waiting"], source["recovered"]) == (1, 0)
    assert f'wolkvox_hits_history_disagreements_total{{server="{stage.simulator.server}"}} 1.0' in metrics
    assert [record.headers["ce_type"] for record in found.gaps] == [b"wolkvox.coverage-gap"]


async def dies_at(stage: Stage, *steps: str) -> None:
    """Life after life heals the gaps of those before it, and dies one step further; the last one is whole."""
    first, known = await seen(stage)
    await outage(stage)
    await first.until("coverage_gap")
    await first.kill()
    for step in steps:
        dying = await started(stage, f"dies at {step}", at=f"KILL:{step}")
        assert await dying.ended() == -9
    last = await started(stage, "the last")
    await last.until("poll_done")
    await whole(stage, last, before=known)


async def a_stage(stages: Open) -> Stage:
    """One whose history is short: the simulator makes each row that is asked for."""
    return await stages(rate=5.0, window=REACH, late=0.0, typify_late=0.0, start=time() - 2 * REACH)


async def seen(stage: Stage) -> tuple[Instance, set[str]]:
    """The first instance, with enough told to compare with; and what nobody saw before its first poll."""
    instance = await started(stage, "the first")
    await instance.until("poll_done")
    # From the first hit on: the simulator counts from its own start, and a history is asked ten seconds around a gap.
    centre = stage.simulator.sources[stage.simulator.server].centre
    left = centre.numbers_between(centre.start, stage.clock.now().wall - REACH)
    known = {centre.hit(number).conn_id for number in left} - stage.simulator.shown
    await stage.simulator.until(lambda: stage.simulator.polls >= 3)
    return instance, known


async def started(stage: Stage, name: str, *, at: str = "") -> Instance:
    return await stage.start(
        name,
        at=at,
        KAFKA_GROUP_INSTANCE_ID="one",
        WOLKVOX_WINDOW="5s",
        RECOVER_GAPS="history",
        RECOVER_DELAY="1s",
    )


async def outage(stage: Stage, flaw: Flaw | None = None) -> None:
    """The API answers 500 until hits have left the report unseen; `flaw` is that of its history afterwards."""
    before = len(stage.simulator.never_shown)
    stage.simulator.fault = "http-500"
    await stage.simulator.until(lambda: len(stage.simulator.never_shown) >= before + MISSED)
    stage.simulator.fault = flaw


async def whole(stage: Stage, instance: Instance, *, before: set[str]) -> None:
    """Once no gap waits, each hit there was since the first poll is told, and each once."""
    await stage.caught_up(instance)
    mark = instance.mark()
    while (await stage.page(instance, "/status.json")).json()["sources"][0]["gaps_waiting"]:
        await instance.until("gap_recovered", since=mark)
        mark = instance.mark()
    await instance.stop()
    found, unseen = await stage.audit(), {hit.conn_id for hit in stage.simulator.never_shown} - before
    assert not found.duplicates, f"{len(found.duplicates)} of {len(found.ids)} doubled"
    assert len(unseen) >= MISSED
    assert found.ids - before == (stage.simulator.shown | unseen) - before
    assert found.remembered == found.ids, "the ledger and the topic disagree"
