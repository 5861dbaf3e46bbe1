"""What a partition's records add up to, and what is refused."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.core.fold import Fold
from producer.core.ledger import Outcome, changed_record, cursor_record, gap_key, gap_record, tombstone
from producer.errors import Untrusted
from producer.model import Cursor, Gap, GapKind, OpenGap, Outgoing, SourceFold, Version
from tests.twins.told import OBSERVED, a_told, a_told_dead, ids_in

SERVERS = st.sampled_from(["0042", "0043"])
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def folded(*records: Outgoing) -> dict[str, SourceFold]:
    fold = Fold()
    fold.apply((record.key, record.value) for record in records)
    return dict(fold.sources())


def gone(record: Outgoing) -> Outgoing:
    return tombstone(record.key)


@given(st.lists(IDS, min_size=1), st.none() | st.integers(0, 2**31 * 10**6), st.integers(0, 2**31 * 10**6))
def test_what_is_written_is_read_back(ids: list[str], observed: int | None, requested: int) -> None:
    cursor = Cursor(requested / 1e6, None if observed is None else observed / 1e6)
    packed = bytes(number % 256 for number in range(4 * len(ids)))
    records = [a_told(*ids, digests=packed), a_told_dead("9f"), cursor_record("0042", cursor)]
    found = folded(*records)["0042"]
    (entry,) = found.hits
    assert (entry.key, entry.ids, entry.digests, entry.observed_at) == (records[0].key, ids, packed, OBSERVED)
    assert (ids_in(found.dead), found.cursor) == ({"9f": OBSERVED}, cursor)


def test_an_id_may_hold_slashes() -> None:
    assert set(ids_in(folded(a_told("a/b//c/"))["0042"].hits)) == {"a/b//c/"}


def test_a_tombstone_lets_all_ids_of_its_record_go_and_a_later_record_brings_back() -> None:
    told = a_told("a", "b")
    assert folded(told, gone(told)) == {}
    assert set(ids_in(folded(told, gone(told), told)["0042"].hits)) == {"a", "b"}
    assert folded(gone(told)) == {}


def test_of_two_records_on_one_id_the_later_counts_and_the_others_tombstone_does_not() -> None:
    first, second = a_told("a", "b", observed_at="first"), a_told("a", observed_at="second")
    assert ids_in(folded(first, second)["0042"].hits) == {"a": "second", "b": "first"}
    assert ids_in(folded(first, second, gone(first))["0042"].hits) == {"a": "second"}
    assert ids_in(folded(second, first, gone(second), second)["0042"].hits) == {"a": "second", "b": "first"}


def test_the_last_cursor_counts() -> None:
    found = folded(cursor_record("0042", Cursor(2.0, None)), cursor_record("0042", Cursor(1.0, 0.5)))["0042"]
    assert found.cursor == Cursor(1.0, 0.5)


def test_a_removed_cursor_is_none() -> None:
    removed = tombstone(b"cursor/0042")
    assert folded(cursor_record("0042", Cursor(2.0, None)), removed) == {}


def test_sources_are_kept_apart() -> None:
    assert set(folded(a_told("a"), a_told("a", server="0043"), gone(a_told("a")))) == {"0043"}


def test_hits_and_dead_rows_of_one_name_are_kept_apart() -> None:
    found = folded(a_told("a"), a_told_dead("a"), gone(a_told("a")))
    assert (ids_in(found["0042"].hits), set(ids_in(found["0042"].dead))) == ({}, {"a"})


def test_unknown_fields_of_this_format_are_ignored() -> None:
    told = a_told("a")
    later = told._replace(value=orjson.dumps(orjson.loads(told.value or b"") | {"later": True}))
    assert set(ids_in(folded(later)["0042"].hits)) == {"a"}


def test_a_change_is_folded_by_its_id_and_the_last_counts() -> None:
    first, last = Version(b"1234", "first"), Version(b"5678", "last")
    records = [changed_record("0042", "a/b", one, outcome=Outcome.PUBLISHED) for one in (first, last)]
    told = a_told("a/b")
    assert folded(told, *records)["0042"].changed == {"a/b": last}
    assert folded(told, *reversed(records))["0042"].changed == {"a/b": first}
    assert folded(told, *records, gone(records[0]))["0042"].changed == {}


def an_open_gap(start: float = 100.25, *, end: float = 1_000.5, server: str = "0042") -> OpenGap:
    return OpenGap(Gap(server, start, end, GapKind.TRUNCATED, certain=True), OBSERVED)


@given(st.integers(0, 2**31 * 10**6), st.integers(0, 10**12), st.sampled_from(GapKind), st.booleans())
def test_a_gap_that_waits_is_read_back(start: int, length: int, kind: GapKind, certain: bool) -> None:  # noqa: FBT001
    first = Gap("0042", start / 1e6, (start + length) / 1e6, kind, certain=certain)
    read = folded(gap_record(OpenGap(first, OBSERVED)))["0042"].gaps
    assert read == [OpenGap(first, OBSERVED)]
    assert gap_key(read[0].gap) == gap_key(first)


def test_a_gap_waits_until_its_tombstone_and_of_two_that_begin_at_one_moment_the_last_counts() -> None:
    one, longer, other = an_open_gap(), an_open_gap(end=2_000.0), an_open_gap(200.0)
    records = list(map(gap_record, (one, other, longer)))
    assert list(folded(*records)["0042"].gaps) == [other, longer]
    assert list(folded(*records, gone(records[0]))["0042"].gaps) == [other]
    assert folded(*records, gone(records[0]), gone(records[1])) == {}


GOOD = {"v": 2, "observed_at": "x", "ids": ["a"], "digests": "MTIzNA=="}
GAP = {"v": 2, "from": OBSERVED, "to": OBSERVED, "kind": "unpolled", "certain": False, "observed_at": OBSERVED}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((b"told/0042/a", orjson.dumps(GOOD | {name: value})) for name, value in [
            ("v", 3), ("v", None), ("ids", "a"), ("ids", []), ("ids", [5]), ("ids", ["a", "b"]), ("ids", None),
            ("digests", None), ("digests", "MTIz"), ("digests", "?"), ("digests", "")
        ]),
        (b"told/0042/a", b'{"observed_at":"x"}'),
        (b"told/0042/a", b'{"v":2}'),
        (b"told/0042/a", b"[]"),
        (b"told/0042/a", b"5"),
        (b"told/0042/a", b""),
        (b"told/0042/a", b"\xff"),
        (b"dead/0042/a", b'{"v":2,"observed_at":"x"}'),
        (b"changed/0042/a", b'{"v":2,"observed_at":"x"}'),
        (b"changed/0042/a", b'{"v":2,"observed_at":"x","digest":"MTIz"}'),
        (b"changed/0042/a", b'{"v":3,"observed_at":"x","digest":"MTIzNA=="}'),
        *((b"gap/0042/a", orjson.dumps(GAP | {name: value})) for name, value in [
            ("v", 3), ("from", "soon"), ("to", None), ("kind", "lost"), ("observed_at", "soon")
        ]),
        (b"gap/0042/a", orjson.dumps({name: value for name, value in GAP.items() if name != "certain"})),
        (b"cursor/0042", b'{"v":3,"requested_at":"2026-01-19T00:00:00Z","observed_at":null}'),
        (b"cursor/0042", b'{"v":2,"observed_at":null}'),
        (b"cursor/0042", b'{"v":2,"requested_at":"yesterday","observed_at":null}'),
        (b"cursor/0042", b'{"v":2,"requested_at":5,"observed_at":null}'),
        (b"cursor/0042", b'{"v":2,"requested_at":"2026-01-19T00:00:00Z","observed_at":"soon"}'),
        (b"cursor/0042", b'{"v":2,"requested_at":"2026-01-19T00:00:00","observed_at":null}'),
        (b"later/0042/a", b'{"v":2}'),
        (None, b'{"v":2}'),
        (b"\xff\xfe", None),
    ],
)  # fmt: skip
def test_what_this_version_cannot_read_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(Untrusted, match="newer version"):
        Fold().apply([(key, value)])


@pytest.mark.parametrize("key", [b"hit/0042/a", b"dead/0042/9f", b"cursor/0042"])
def test_format_1_is_refused_with_the_way_out(key: bytes) -> None:
    with pytest.raises(Untrusted, match=r"format 1, this version knows 2: .*`wolkvox-hits ledger reset SERVER`"):
        Fold().apply([(key, b'{"v":1,"outcome":"published","observed_at":"x","requested_at":"x"}')])


def test_format_1_that_was_reset_is_gone() -> None:
    fold = Fold()
    fold.apply([(b"hit/0042/a", None), (b"dead/0042/9f", None), (b"cursor/0042", None)])
    assert fold.sources() == {}


@given(
    st.lists(st.tuples(st.booleans(), SERVERS, st.frozensets(IDS, min_size=1, max_size=3), st.booleans()), max_size=30)
)
def test_the_fold_is_the_last_record_of_each_key(steps: list[tuple[bool, str, frozenset[str], bool]]) -> None:
    fold, model = Fold(), dict[bytes, tuple[str, frozenset[str]] | None]()
    for is_hit, server, ids, alive in steps:
        record = (a_told if is_hit else a_told_dead)(*sorted(ids), server=server)
        fold.apply([(record.key, record.value if alive else None)])
        model[record.key] = (("told " if is_hit else "dead ") + server, ids) if alive else None
    found = {("told " + server, name) for server, one in fold.sources().items() for name in ids_in(one.hits)}
    found |= {("dead " + server, name) for server, one in fold.sources().items() for name in ids_in(one.dead)}
    assert found == {(where[0], name) for where in model.values() if where for name in where[1]}
    assert len(fold) == sum(len(where[1]) for where in model.values() if where)
