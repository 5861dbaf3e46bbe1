"""Clusters that take a handful of settings of a topic: made with what is essential, told with the cost, or ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from producer.commands.check import look
from producer.commands.check_findings import Finding, Verdict
from producer.demo.broker import EmbeddedKafka
from producer.settings import load
from tests.conftest import started
from tests.integration.java import compiled
from tests.integration.service.admin import Admin
from tests.integration.service.conftest import Open
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka

POLICY = Path(__file__).with_name("SevenSettings.java")
SEVEN = (
    *("cleanup.policy", "compression.type", "max.message.bytes", "message.timestamp.difference.max.ms"),
    *("message.timestamp.type", "retention.bytes", "retention.ms"),
)
"""What can be set on MSK Serverless."""
COMPACT = "with cleanup.policy=compact alone, since the cluster refuses its other settings"
READ = "a takeover reads all of that"
WORDS = "(This cluster can't set "


@dataclass
class Picky:
    """A broker whose policy allows the settings that it is told."""

    bootstrap: str
    file: Path

    def allow(self, *settings: str) -> None:
        """From now on."""
        self.file.write_text("\n".join(settings))


@pytest.fixture(scope="module")
def picky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Picky]:
    """One for the module."""
    folder = tmp_path_factory.mktemp("policy")
    compiled(POLICY.name, POLICY.read_text(), folder)
    file = folder / "settings"
    properties = {"create.topic.policy.class.name": POLICY.stem, "seven.settings.file": str(file)}
    with started(EmbeddedKafka(properties=properties, classpath=[folder])) as broker:
        yield Picky(broker.bootstrap, file)


async def test_a_ledger_is_made_compacted_alone_where_no_more_is_allowed_and_the_cost_is_told(
    picky: Picky, stages: Open
) -> None:
    picky.allow(*SEVEN)
    stage = await stages(bootstrap=picky.bootstrap)
    stage.clock.stop()  # what `check` is shown must still be there for the service
    before = (await checked(stage))["ledger"]
    assert before.verdict is Verdict.WARNING
    assert f"missing; `run` will create it with 12 partitions, {COMPACT} {WORDS}" in before.text
    assert READ in before.hint
    instance = await stage.start()
    told = (await instance.until("topic_lesser"))["problem"]
    assert told.startswith(f"topic {stage.topic}.ledger was made {COMPACT}: ")
    assert f"{READ} {WORDS}" in told
    await stage.caught_up(instance)
    await instance.stop()
    assert len(instance.told("topic_lesser")) == 1
    await stage.assert_exactly_once()
    admin = Admin(stage.bootstrap)
    assert (await admin.config(stage.topic))["message.timestamp.type"] == "LogAppendTime"
    assert (await admin.config(f"{stage.topic}.ledger"))["cleanup.policy"] == "compact"
    after = (await checked(stage))["ledger"]
    assert (after.verdict, READ in after.text, "segment.ms=3600000" in after.hint) == (Verdict.WARNING, True, True)


async def test_event_topics_are_made_without_what_is_not_essential(picky: Picky, stages: Open) -> None:
    picky.allow("cleanup.policy")
    stage = await stages(bootstrap=picky.bootstrap)
    stage.clock.stop()
    before = await checked(stage)
    assert {before[name].verdict for name in ("hits", "coverage", "ledger")} == {Verdict.WARNING}
    assert "with cleanup.policy=delete alone" in before["hits"].text
    assert "dated by our clock" in before["hits"].hint
    instance = await stage.start()
    await stage.caught_up(instance)
    await instance.stop()
    assert len(instance.told("topic_lesser")) == 5
    await stage.assert_exactly_once()


async def test_a_retention_that_was_asked_for_is_essential(picky: Picky, stages: Open) -> None:
    picky.allow("cleanup.policy")
    stage = await stages(bootstrap=picky.bootstrap)
    await refused(stage, "retention.ms", KAFKA_RETENTION="36h")
    picky.allow("cleanup.policy", "retention.ms")
    instance = await stage.start(KAFKA_RETENTION="36h")
    await instance.until("committed")
    await instance.stop()
    assert (await Admin(stage.bootstrap).config(stage.topic))["retention.ms"] == str(36 * 3600 * 1000)


async def test_where_not_even_the_essential_is_allowed_it_ends_with_the_clusters_words(
    picky: Picky, stages: Open
) -> None:
    picky.allow("retention.ms")
    await refused(await stages(bootstrap=picky.bootstrap), "cleanup.policy")


async def refused(stage: Stage, setting: str, **settings: Any) -> None:
    """By `check` and by `run`, which ends, in the cluster's own words."""
    words = f"the cluster refuses it {WORDS}{setting}. Only ["
    found = await checked(stage, **settings)
    assert found["hits"].verdict is Verdict.FAILED
    assert words in found["hits"].text
    assert f"kafka-topics --create --topic {stage.topic} " in found["hits"].hint
    instance = await stage.start(**settings)
    assert await instance.ended() == 1
    assert words in instance.raw[-1]
    assert not any("Traceback" in line for line in instance.raw)


async def checked(stage: Stage, **settings: Any) -> dict[str, Finding]:
    """What `check` finds, by its subject."""
    return {one.subject: one for one in await look(load(config=None, environ=stage.environment(**settings)))}
