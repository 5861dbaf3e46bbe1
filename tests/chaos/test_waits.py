"""Waits without a bound are found in the log lines."""

from __future__ import annotations

from typing import Any

import pytest

from producer.clock import rfc3339
from producer.core.ledger import shard_of
from tests.chaos.plan import Kind
from tests.chaos.waits import LONGEST_SILENCE, Past, after, commits, complaints

SERVERS = ["0042", "0043"]


def a_line(at: float, event: str, level: str = "info", **fields: Any) -> dict[str, Any]:
    return {"timestamp": rfc3339(at), "event": event, "level": level, **fields}


def committed(at: float, server: str) -> dict[str, Any]:
    return a_line(at, "committed", shard=shard_of(server, 12))


def test_a_trouble_is_over_when_every_source_was_committed_again() -> None:
    lines = [committed(at, server) for at, server in [(1, "0042"), (2, "0043"), (11, "0043"), (14, "0042")]]
    told = commits(lines, SERVERS, shards=12)
    assert after(Past(Kind.KILL, 3.0, 10.0), told) == pytest.approx(4.0)
    assert after(Past(Kind.KILL, 3.0, 13.0), told) is None


def test_a_silence_that_nothing_explains_is_a_complaint() -> None:
    late = LONGEST_SILENCE + 2
    told = commits([committed(0, "0042"), committed(late, "0042")], SERVERS, shards=12)
    (complaint,) = complaints({}, told)
    assert complaint.startswith(f"0042: {late:.0f} s without a commit")
    assert not list(complaints({}, commits([committed(0, "0042"), committed(100, "0042")], SERVERS, shards=12)))


@pytest.mark.parametrize("event", ["commit_failed", "kafka_unavailable"])
def test_a_wait_longer_than_the_longest_is_a_complaint(event: str) -> None:
    lines = [a_line(0, event, "warning", retry_in=16.0)]
    assert list(complaints({"a0": lines}, {})) == ["a0: waits 16 s for its next try"]


def test_a_flood_of_warnings_is_a_complaint() -> None:
    quiet = [a_line(second, "poll_failed", "warning", retry_in=1.0) for second in range(60)]
    assert not list(complaints({"a0": quiet}, {}))
    flood = [a_line(second / 10, "poll_failed", "warning", retry_in=1.0) for second in range(600)]
    assert list(complaints({"a0": flood}, {})) == ["a0: 600 warnings in 2.0 minutes"]
