"""The ledger in numbers."""

from __future__ import annotations

import orjson

from producer.commands.ledger_summary import rows
from producer.core.ledger import Outcome, changed_record, cursor_record, gap_record, shard_of
from producer.kafka.entries import PartitionEntries
from producer.model import Cursor, Gap, GapKind, OpenGap, Outgoing, Version
from tests.twins.told import a_told, a_told_dead

SHARDS = 12
OWN = shard_of("0042", SHARDS)
NOON = 1_768_737_600.0


def ledger(*records: Outgoing, partition: int = OWN) -> dict[int, PartitionEntries]:
    found = {number: PartitionEntries() for number in range(SHARDS)}
    there = found[partition]
    there.entries = {record.key: record.value or b"" for record in records}
    there.first, there.last = 5, 9
    return found


def test_a_source_is_a_line_with_its_counts_its_cursor_and_where_it_is() -> None:
    records = [
        a_told("a", "b/with/slashes"),
        a_told("c"),
        changed_record("0042", "c", Version(b"read", "2026-01-18T12:00:00.000000Z"), outcome=Outcome.PUBLISHED),
        a_told_dead("hash"),
        gap_record(OpenGap(Gap("0042", NOON - 900, NOON - 600, GapKind.UNPOLLED, certain=False), "unread")),
        cursor_record("0042", Cursor(NOON, NOON - 300)),
    ]
    assert list(rows(ledger(*records), configured={"0042"})) == [
        ("0042", str(OWN), "3", "1", "1", "1", "2026-01-18 12:00:00Z", "2026-01-18 11:55:00Z", "5-9", "")
    ]


def test_a_source_that_nobody_polls_and_one_in_the_wrong_partition_are_noted() -> None:
    found = ledger(a_told("a"), partition=(OWN + 1) % SHARDS)
    ((*_, note), missing) = rows(found, configured={"0043"})
    assert f"belongs into partition {OWN}" in note
    assert "not in the settings" in note
    assert missing[0] == "0043"
    assert missing[-1] == "nothing told yet"


def test_without_sources_in_the_settings_nobody_is_called_unknown() -> None:
    ((*_, note),) = rows(ledger(a_told("a")), configured=set())
    assert note == ""


def test_entries_of_another_version_are_counted_and_not_read() -> None:
    newer = a_told("a")._replace(value=orjson.dumps({"v": 3}))
    unknown = a_told("a")._replace(key=b"later/0042/x")
    older = Outgoing(newer.topic, b"hit/0042/a", orjson.dumps({"v": 1}), [])
    ((_, _, ids, *_, note),) = rows(ledger(newer, unknown, older), configured={"0042"})
    assert ids == "0"
    assert note == "3 entries of another version"
