"""A schema registry's frame around a value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.frame import SIZE, frame, framed, unframed
from producer.model import Outgoing, Series, Topic

FRAMES = {Topic.HITS: frame(1), Topic.COVERAGE: frame(0x01020304)}


def _sent(topic: Topic, value: bytes | None) -> Outgoing:
    return Outgoing(topic, b"key", value, [("ce_id", b"0042/1")])


def test_a_frame_is_a_zero_byte_and_the_id_in_four_the_highest_first() -> None:
    assert frame(0x01020304) == b"\0\x01\x02\x03\x04"
    assert len(frame(1)) == len(frame(2**31 - 1)) == SIZE


def test_each_value_gets_the_frame_of_its_topic_and_everything_else_stays() -> None:
    records = [_sent(Topic.HITS, b"{}"), _sent(Topic.COVERAGE, b"[]")]
    assert list(framed(records, FRAMES)) == [
        _sent(Topic.HITS, b"\0\0\0\0\x01{}"),
        _sent(Topic.COVERAGE, b"\0\x01\x02\x03\x04[]"),
    ]


def test_many_records_of_a_topic_get_it_together() -> None:
    series = Series(Topic.HITS, [b"a", b"b"], [b"{}", b"[]"], [("ce_type", b"t")], [("ce_id", b"0042/")])
    expected = series._replace(values=[FRAMES[Topic.HITS] + b"{}", FRAMES[Topic.HITS] + b"[]"])
    assert list(framed([series], FRAMES)) == [expected]
    assert list(framed([series], {Topic.COVERAGE: frame(1)})) == [series]


def test_tombstones_and_topics_without_a_schema_are_left_as_they_are() -> None:
    records = [_sent(Topic.HITS, None), _sent(Topic.LEDGER, b"{}"), _sent(Topic.LEDGER, None)]
    assert list(framed(iter(records), FRAMES)) == records


@given(value=st.binary().filter(lambda value: value[:1] != b"\0"), schema_id=st.integers(0, 2**31 - 1))
def test_what_is_in_a_frame_comes_out_and_what_is_in_none_stays(value: bytes, schema_id: int) -> None:
    assert unframed(frame(schema_id) + value) == value
    assert unframed(value) == value
