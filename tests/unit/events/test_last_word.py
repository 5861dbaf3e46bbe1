"""The last word on each hit, in whatever order its events come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.clock import rfc3339
from producer.events import Events, HitChangedEvent, HitEvent, Hits, NotAHit, Record
from producer.frame import frame
from producer.model import HitChanged
from tests.unit.events.samples import LIMIT, a_dead_row, a_hit

BEGIN = 1_768_785_240.0
"""When the first version of each hit was observed; each further one a minute later."""


def a_version(number: int, *, conn_id: str = "6736.1", server: str = "0042", says: str | None = None) -> Record:
    """The event of a hit, number 0, or of one of its changes."""
    says = f"version {number}" if says is None else says
    hit = a_hit(conn_id=conn_id, server=server, hit=says, observed_at=rfc3339(BEGIN + 60 * number))
    if number == 0:
        record = Events(server=server).hit(hit, limit=LIMIT)
    else:
        changed: HitChanged = {**hit, "first_observed_at": rfc3339(BEGIN)}
        record = Events(server=server).change(changed, limit=LIMIT)
    assert isinstance(record, Record)
    return record


def read_all(records: Sequence[Record], *, framed: bool = False) -> Hits:
    hits = Hits()
    for record in records:
        hits.read(frame(7) * framed + record.value, record.headers)
    return hits


@given(
    versions=st.dictionaries(st.tuples(st.sampled_from(["0042", "0043"]), st.sampled_from("ab")), st.integers(0, 4)),
    rng=st.randoms(use_true_random=False),
    framed=st.booleans(),
)
def test_whatever_the_order_and_however_often_the_last_version_stands(
    versions: dict[tuple[str, str], int], rng: Random, *, framed: bool
) -> None:
    records = [
        a_version(number, conn_id=conn_id, server=server)
        for (server, conn_id), last in versions.items()
        for number in range(last + 1)
    ]
    delivered = records + [rng.choice(records) for _ in records]
    rng.shuffle(delivered)
    hits = read_all(delivered, framed=framed)
    assert {(one.server, one.conn_id): one.hit for one in hits} == {
        key: f"version {last}" for key, last in versions.items()
    }
    assert len(hits) == len(versions)


@pytest.mark.parametrize("pair", [tuple, list])
def test_a_header_is_a_pair_whatever_a_client_makes_of_it(pair: Callable[[tuple[str, bytes]], Any]) -> None:
    hits, record = Hits(), a_version(1)
    event = hits.read(record.value, [pair(header) for header in record.headers])
    assert isinstance(event, HitChangedEvent)


def test_only_news_is_given_back() -> None:
    hits, first, second = Hits(), a_version(0), a_version(1)
    found = [hits.read(record.value, record.headers) for record in (first, first, second, second, first)]
    assert [event and event.hit for event in found] == ["version 0", None, "version 1", None, None]
    assert [type(event) for event in found if event] == [HitEvent, HitChangedEvent]


def test_a_change_may_come_before_its_hit() -> None:
    hits, change, hit = Hits(), a_version(1), a_version(0)
    assert hits.read(change.value, change.headers) is not None
    assert hits.read(hit.value, hit.headers) is None
    assert (now := hits.now("0042", "6736.1")) is not None
    assert now.hit == "version 1"


@pytest.mark.parametrize("change_first", [True, False])
def test_in_the_same_moment_a_change_stands_before_its_hit(*, change_first: bool) -> None:
    hit, change = a_version(0), a_version(1)
    same_moment = change.value.replace(rfc3339(BEGIN + 60).encode(), rfc3339(BEGIN).encode())
    delivered = [(hit.value, hit.headers), (same_moment, change.headers)]
    hits = Hits()
    for body, headers in reversed(delivered) if change_first else delivered:
        hits.read(body, headers)
    assert [one.hit for one in hits] == ["version 1"]


def test_one_id_on_two_servers_is_two_hits() -> None:
    hits = read_all([a_version(0, server="0042"), a_version(0, server="0043", says="SALE")])
    found = [hits.now(server, "6736.1") for server in ("0042", "0043", "0044")]
    assert [one and one.hit for one in found] == ["version 0", "SALE", None]


def test_what_was_taken_back_is_known_as_such() -> None:
    now = read_all([a_version(0), a_version(1, says="")]).now("0042", "6736.1")
    assert now is not None
    assert now.hit == ""


def test_what_is_no_hit_changes_nothing() -> None:
    hits = read_all([a_version(0)])
    dead = Events(server="0042").dead_letter(a_dead_row(), observed_at=rfc3339(BEGIN), limit=LIMIT)
    for value, headers in [(dead.value, dead.headers), (b"{", a_version(1).headers), (None, a_version(1).headers)]:
        with pytest.raises(NotAHit):
            hits.read(value, headers)
    with pytest.raises(NotAHit):
        hits.read(a_version(1).value, None)
    assert [one.hit for one in hits] == ["version 0"]


def test_forgetting_takes_what_was_observed_before_a_moment() -> None:
    hits = read_all([a_version(0), a_version(0, conn_id="b"), a_version(2, conn_id="b")])
    assert hits.forget(datetime.fromisoformat(rfc3339(BEGIN + 60))) == 1
    assert [one.conn_id for one in hits] == ["b"]
    assert hits.forget(datetime.fromisoformat(rfc3339(BEGIN + 120))) == 0
