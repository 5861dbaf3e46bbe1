"""Records as bytes: what aiokafka's own builder, written in C, makes of the same."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from producer.garbage import collection_paused
from producer.kafka.batch import Built
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


class Pieces(list[bytes]):
    """One that says when it is gone."""


BATCHES = [("hits", [(0, [b"abc"]), (11, list[bytes]())]), ("ledger", [(2, [b"x" * 300, b"", b"y"])]), ("", [])]


def request(batch: Callable[[list[bytes]], Any]) -> Any:
    return ProduceRequest("id", -1, 40_000, [(name, [(n, batch(one)) for n, one in some]) for name, some in BATCHES])


@pytest.mark.parametrize("version", range(3, 8))
def test_a_produce_request_is_encoded_as_aiokafka_encodes_it(version: int) -> None:
    plain = request(b"".join).prepare({0: (version, version)})
    ours = whole(request(lambda pieces: Built(sum(map(len, pieces)), pieces))).prepare({0: (version, version)})
    assert ours.API_VERSION == plain.API_VERSION == version
    assert ours.RESPONSE_TYPE is plain.RESPONSE_TYPE
    message = b"header" + ours.encode()
    assert len(message) == len(b"header" + plain.encode())
    assert b"size" + message == b"sizeheader" + plain.encode()


def test_a_request_that_was_sent_is_gone_without_a_search_for_garbage() -> None:
    """Else the records of a full snapshot, 38 MB, would stay until there is one."""
    pieces = Pieces([b"x" * 1_000])
    left = weakref.ref(pieces)
    with collection_paused():
        sent = whole(ProduceRequest("id", -1, 40_000, [("hits", [(0, Built(1_000, pieces))])]))
        struct = sent.prepare({0: (3, 7)})
        assert b"size" + (b"header" + struct.encode())
        del sent, struct, pieces
        assert left() is None
