"""The ledger's records: their keys and values, and how many ids one of them holds."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.core.digests import SIZE, digests
from producer.core.ledger import (
    Kind,
    Outcome,
    changed_record,
    cursor_record,
    entry_records,
    server_of,
    shard_of,
    tombstone,
)
from producer.model import Cursor, Entry, Outgoing, Topic, Version
from tests.twins.told import OBSERVED, a_told, a_told_dead
from tests.unit.core.samples import a_hit

SERVERS = st.sampled_from(["0042", "0043"])
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def records(*ids: str, limit: int = 1_000_000, observed_at: str = OBSERVED) -> list[tuple[Entry, Outgoing]]:
    packed = bytes(range(SIZE * len(ids)))
    found = entry_records(
        Kind.TOLD, "0042", ids, outcome=Outcome.PUBLISHED, observed_at=observed_at, limit=limit, digests=packed
    )
    return list(found)


def test_records_are_as_their_page_names_them() -> None:
    told, dead = a_told("a", "b", digests=b"12345678"), a_told_dead("9f86")
    assert told.key.startswith(b"told/0042/")
    assert dead.key.startswith(b"dead/0042/")
    assert orjson.loads(told.value or b"") == {
        "v": 2,
        "outcome": "published",
        "observed_at": OBSERVED,
        "ids": ["a", "b"],
        "digests": "MTIzNDU2Nzg=",
    }
    assert orjson.loads(dead.value or b"") == {
        "v": 2,
        "outcome": "dead_lettered",
        "observed_at": OBSERVED,
        "ids": ["9f86"],
    }
    changed = changed_record("0042", "a", Version(b"1234", OBSERVED), outcome=Outcome.PUBLISHED)
    assert (changed.key, orjson.loads(changed.value or b"")) == (
        b"changed/0042/a",
        {"v": 2, "outcome": "published", "observed_at": OBSERVED, "digest": "MTIzNA=="},
    )
    assert cursor_record("0042", Cursor(0.5, None)).key == b"cursor/0042"
    assert orjson.loads(cursor_record("0042", Cursor(0.5, 1.0)).value or b"") == {
        "v": 2,
        "requested_at": "1970-01-01T00:00:00.500000Z",
        "observed_at": "1970-01-01T00:00:01.000000Z",
    }
    assert {told.topic, dead.topic, cursor_record("0042", Cursor(0, None)).topic} == {Topic.LEDGER}


def test_two_records_share_a_key_only_if_they_say_the_same() -> None:
    assert a_told("a", "b").key == a_told("a", "b").key
    others = [a_told("a"), a_told("b", "a"), a_told("ab"), a_told("a", "b", observed_at="later")]
    others += [a_told("a", "b", digests=b"12345678"), a_told("a", "b", server="0043"), a_told_dead("a", "b")]
    assert len({a_told("a", "b").key, *(record.key for record in others)}) == 1 + len(others)


def test_ids_that_are_too_long_for_one_record_share_several() -> None:
    ids = [str(number) * 200 for number in range(9)]
    found = records(*ids, limit=1_000)
    assert len(found) > 2
    assert max(len(record.value or b"") for _, record in found) < 1_000
    assert [name for entry, _ in found for name in entry.ids] == ids
    assert b"".join(entry.digests for entry, _ in found) == bytes(range(SIZE * 9))
    assert len(records("x" * 2_000, limit=1_000)) == 1


def test_a_tombstone_has_the_key_of_the_entry() -> None:
    ((entry, record),) = records("a")
    assert tombstone(entry.key) == record._replace(value=None)


@given(IDS, SERVERS)
def test_a_records_server_is_read_from_its_key(name: str, server: str) -> None:
    written = (a_told(name, server=server), a_told_dead(name, server=server), cursor_record(server, Cursor(0, None)))
    assert {server_of(record.key) for record in written} == {server}


def test_a_sources_shard_is_the_crc32_of_its_server() -> None:
    assert [shard_of("0042", shards) for shards in (1, 12, 50)] == [0, 2, 24]


def test_a_digest_is_the_same_in_every_process_and_version() -> None:
    assert [digest.hex() for digest in digests([a_hit("a"), {**a_hit("a"), "telephone": None}])] == [
        "4d9ab8e1",
        "96780198",
    ]


@pytest.mark.parametrize("field", ["conn_id", "type_interaction", "date", "telephone", "customer_id", "hit"])
def test_a_digest_is_of_the_five_fields_and_the_id(field: str) -> None:
    plain = a_hit("a")
    values = ["", None, "x", "\ud800", "x\0"]
    others = [{**plain, field: value} for value in values if value != plain[field]]  # type: ignore[literal-required]
    found = digests([plain, *others])  # type: ignore[list-item]
    assert len(set(found)) == len(found)
    assert set(map(len, found)) == {SIZE}


def test_a_digest_is_of_nothing_else() -> None:
    other = {**a_hit("a"), "observed_at": "x", "occurred_at": None, "server": "0043", "extra": {"agent": 7}}
    assert digests([a_hit("a")]) == digests([dict(reversed(other.items()))])  # type: ignore[list-item]
