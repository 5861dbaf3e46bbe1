"""The ledger's records and their fold."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.core.ledger import (
    DEAD_LETTERED,
    PUBLISHED,
    Fold,
    cursor_record,
    dead_record,
    hit_record,
    server_of,
    shard_of,
    told,
)
from producer.errors import Untrusted
from producer.model import Cursor, Outgoing, SourceFold, Topic

OBSERVED = "2026-01-19T00:00:00.000000Z"
TOLD = told(PUBLISHED, OBSERVED)
SERVERS = st.sampled_from(["0042", "0043"])
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def folded(*records: Outgoing) -> dict[str, SourceFold]:
    fold = Fold()
    fold.apply((record.key, record.value) for record in records)
    return dict(fold.sources())


def test_records_are_as_the_design_names_them() -> None:
    assert hit_record("0042", "a", TOLD).key == b"hit/0042/a"
    assert dead_record("0042", "9f86", TOLD).key == b"dead/0042/9f86"
    assert cursor_record("0042", Cursor(0.5, None)).key == b"cursor/0042"
    assert orjson.loads(TOLD) == {"v": 1, "outcome": "published", "observed_at": OBSERVED}
    assert orjson.loads(cursor_record("0042", Cursor(0.5, 1.0)).value or b"") == {
        "v": 1,
        "requested_at": "1970-01-01T00:00:00.500000Z",
        "observed_at": "1970-01-01T00:00:01.000000Z",
    }
    assert {hit_record("0042", "a", None).topic, cursor_record("0042", Cursor(0, None)).topic} == {Topic.LEDGER}


@given(IDS, st.none() | st.integers(0, 2**31 * 10**6), st.integers(0, 2**31 * 10**6))
def test_what_is_written_is_read_back(conn_id: str, observed: int | None, requested: int) -> None:
    cursor = Cursor(requested / 1e6, None if observed is None else observed / 1e6)
    records = [hit_record("0042", conn_id, TOLD), dead_record("0042", "9f", TOLD), cursor_record("0042", cursor)]
    found = folded(*records)["0042"]
    assert (dict(found.hits), dict(found.dead), found.cursor) == ({conn_id: OBSERVED}, {"9f": OBSERVED}, cursor)


def test_an_id_may_hold_slashes() -> None:
    assert set(folded(hit_record("0042", "a/b//c/", TOLD))["0042"].hits) == {"a/b//c/"}


def test_a_dead_lettered_hit_is_told_too() -> None:
    found = folded(hit_record("0042", "a", told(DEAD_LETTERED, OBSERVED)))["0042"]
    assert dict(found.hits) == {"a": OBSERVED}


def test_a_tombstone_lets_go_and_a_later_record_brings_back() -> None:
    gone, back = hit_record("0042", "a", None), hit_record("0042", "a", TOLD)
    assert folded(back, gone) == {}
    assert set(folded(back, gone, back)["0042"].hits) == {"a"}
    assert folded(gone) == {}


def test_the_last_cursor_counts() -> None:
    found = folded(cursor_record("0042", Cursor(2.0, None)), cursor_record("0042", Cursor(1.0, 0.5)))["0042"]
    assert found.cursor == Cursor(1.0, 0.5)


def test_a_removed_cursor_is_none() -> None:
    removed = Outgoing(Topic.LEDGER, b"cursor/0042", None, [])
    assert folded(cursor_record("0042", Cursor(2.0, None)), removed) == {}


def test_sources_are_kept_apart() -> None:
    found = folded(hit_record("0042", "a", TOLD), hit_record("0043", "a", TOLD), hit_record("0042", "a", None))
    assert set(found) == {"0043"}


def test_hits_and_dead_rows_of_one_name_are_kept_apart() -> None:
    found = folded(hit_record("0042", "a", TOLD), dead_record("0042", "a", TOLD), hit_record("0042", "a", None))
    assert (dict(found["0042"].hits), set(found["0042"].dead)) == ({}, {"a"})


def test_unknown_fields_of_this_format_are_ignored() -> None:
    value = orjson.dumps({"v": 1, "outcome": "published", "observed_at": OBSERVED, "later": True})
    assert set(folded(hit_record("0042", "a", value))["0042"].hits) == {"a"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"hit/0042/a", b'{"v":2,"observed_at":"x"}'),
        (b"hit/0042/a", b'{"observed_at":"x"}'),
        (b"hit/0042/a", b'{"v":1}'),
        (b"hit/0042/a", b"[]"),
        (b"hit/0042/a", b"5"),
        (b"hit/0042/a", b""),
        (b"hit/0042/a", b"\xff"),
        (b"cursor/0042", b'{"v":2,"requested_at":"2026-01-19T00:00:00Z","observed_at":null}'),
        (b"cursor/0042", b'{"v":1,"observed_at":null}'),
        (b"cursor/0042", b'{"v":1,"requested_at":"yesterday","observed_at":null}'),
        (b"cursor/0042", b'{"v":1,"requested_at":5,"observed_at":null}'),
        (b"cursor/0042", b'{"v":1,"requested_at":"2026-01-19T00:00:00Z","observed_at":"soon"}'),
        (b"cursor/0042", b'{"v":1,"requested_at":"2026-01-19T00:00:00","observed_at":null}'),
        (b"later/0042/a", b'{"v":1}'),
        (None, b'{"v":1}'),
        (b"\xff\xfe", None),
    ],
)
def test_what_this_version_cannot_read_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(Untrusted, match="newer version"):
        Fold().apply([(key, value)])


@given(st.lists(st.tuples(st.sampled_from(["hit", "dead"]), SERVERS, IDS, st.booleans()), max_size=30))
def test_the_fold_is_the_last_record_of_each_key(steps: list[tuple[str, str, str, bool]]) -> None:
    fold, model = Fold(), dict[tuple[str, str, str], bool]()
    for kind, server, name, alive in steps:
        make = hit_record if kind == "hit" else dead_record
        record = make(server, name, TOLD if alive else None)
        fold.apply([(record.key, record.value)])
        model[kind, server, name] = alive
    found = {("hit", server, name) for server, one in fold.sources().items() for name in one.hits}
    found |= {("dead", server, name) for server, one in fold.sources().items() for name in one.dead}
    assert found == {key for key, alive in model.items() if alive}
    assert len(fold) == len(found)


@given(IDS, SERVERS)
def test_a_records_server_is_read_from_its_key(name: str, server: str) -> None:
    records = (hit_record(server, name, None), dead_record(server, name, None), cursor_record(server, Cursor(0, None)))
    assert {server_of(record.key) for record in records} == {server}


def test_a_sources_shard_is_the_crc32_of_its_server() -> None:
    assert [shard_of("0042", shards) for shards in (1, 12, 50)] == [0, 2, 24]
