"""Records as bytes: what aiokafka's own builder, written in C, makes of the same."""

from __future__ import annotations

import pytest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from producer.kafka.layout import Layout, record
from producer.kafka.requests import whole
from producer.model import Header, Outgoing, Series, Topic, each

HEAD = 61
BYTES = st.binary(max_size=300)
LONG = st.integers(0, 70_000).map(bytes)
HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=200), BYTES), max_size=9)
OUTGOING = st.builds(Outgoing, st.just(Topic.HITS), BYTES, st.none() | BYTES | LONG, HEADERS)


def by_aiokafka(records: list[Outgoing]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 1, -1, -1, 0, 1 << 30)
    for offset, (_, key, value, headers) in enumerate(records):
        builder.append(offset, 7, key, value, headers)
    return bytes(builder.build())[HEAD:]


@given(st.lists(OUTGOING, min_size=1, max_size=5))
def test_a_record_is_written_as_aiokafka_writes_it(records: list[Outgoing]) -> None:
    assert b"".join(record(one, offset=offset) for offset, one in enumerate(records)) == by_aiokafka(records)


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=300), BYTES | LONG), min_size=1, max_size=6),
    HEADERS,
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_subject", "x"]), BYTES), min_size=1, max_size=3),
    st.integers(0, 200),
)
def test_a_series_is_written_as_its_records_are(
    rows: list[tuple[bytes, bytes]], headers: list[Header], keyed: list[Header], first: int
) -> None:
    keys, values = [key for key, _ in rows], [value for _, value in rows]
    series = Series(Topic.HITS, keys, values, headers, keyed)
    layout, records = Layout(series), list(each([series]))
    written = layout.written(keys, values, first=first)
    assert written == b"".join(record(one, offset=offset) for offset, one in enumerate(records, start=first))
    assert len(written) <= layout.most(keys, values)
    assert layout.fits(series)
    assert not layout.fits(series._replace(headers=[*headers, ("more", b"")]))


@pytest.mark.parametrize("version", range(3, 8))
def test_a_produce_request_is_encoded_as_aiokafka_encodes_it(version: int) -> None:
    topics = [("hits", [(0, bytearray(b"abc")), (11, bytearray())]), ("ledger", [(2, bytearray(b"x" * 300))]), ("", [])]
    plain = ProduceRequest("id", -1, 40_000, topics).prepare({0: (version, version)})
    ours = whole(ProduceRequest("id", -1, 40_000, topics)).prepare({0: (version, version)})
    assert version == ours.API_VERSION
    assert "encode" in vars(ours), "aiokafka's way, which is slow: is the layout another one?"
    assert ours.encode() == plain.encode()
    assert type(ours).decode(ours.encode()) == plain
