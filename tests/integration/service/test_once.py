"""`run --once`: one poll of each source, committed, then the end; beside a live service it is a guest."""

from __future__ import annotations

import pytest

from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka


async def test_it_polls_once_commits_and_ends(stage: Stage) -> None:
    """What the report shows is told, and told once by two of them."""
    stage.clock.stop()
    for told in ("published", "0 published"):
        once = await stage.start(told, once=True)
        assert await once.ended() == 0
        assert f"{stage.simulator.server}: " in once.raw[-1]
        assert told in once.raw[-1]
    await stage.assert_exactly_once()


async def test_with_the_services_own_environment_it_takes_nothing_from_it(stage: Stage) -> None:
    """Run by hand in the container of a static member it has his KAFKA_GROUP_INSTANCE_ID, and is somebody else."""
    service = await stage.start("service", KAFKA_GROUP_INSTANCE_ID="one")
    await service.until("committed")
    since = service.mark()
    guest = await stage.start("guest", once=True, KAFKA_GROUP_INSTANCE_ID="one")
    assert await guest.ended() == 0
    assert "held by another member of the group" in guest.raw[-1]
    await stage.caught_up(service)
    assert not any(service.told(trouble, since=since) for trouble in ("fenced", "commit_failed", "kafka_unavailable"))
    assert not any(line["shards"] != list(range(12)) for line in service.told("shards_assigned", since=since))
    await service.stop()
    await stage.assert_exactly_once()
