"""Which row is which hit."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.model import API_FIELDS, Reason
from producer.wolkvox.hit import read_hit
from producer.wolkvox.reader import RowReader
from producer.wolkvox.recall import Recall
from producer.wolkvox.rows import identify
from tests.unit.wolkvox.calls import ROW, calling
from tests.unit.wolkvox.raw_server import answering, http
from tests.unit.wolkvox.snapshots import BOGOTA, body_of, broken, rows_of, snapshot_of, written

READER = RowReader(server="0042", zone=BOGOTA)


def numbered(*ids: object) -> list[dict[str, Any]]:
    return [ROW | {"conn_id": conn_id} for conn_id in ids]


def test_rows_come_by_id_in_the_order_sent() -> None:
    found = rows_of(*numbered("b", "a", "c"))
    assert list(found.hits) == ["b", "a", "c"]
    assert found.hits["a"] == ROW | {"conn_id": "a"}
    assert (found.dead, found.repeated, found.summaries, found.drift) == ({}, 0, 0, {})


@pytest.mark.parametrize("odd", [[], [{"conn_id": "TOTAL"}]])
def test_the_first_of_a_repeated_id_counts(odd: list[Any]) -> None:
    rows = [ROW | {"conn_id": "a", "hit": "first"}, ROW | {"conn_id": "b"}, ROW | {"conn_id": "a", "hit": "second"}]
    found = rows_of(*rows, *odd)
    assert list(found.hits) == ["a", "b"]
    assert found.hits["a"] == rows[0]
    assert found.repeated == 1


def test_an_id_is_opaque_and_kept_as_sent() -> None:
    ids = [
        "12e45",
        "1e3",
        "a+b",
        "e+5",
        "190000001",
        " 190000001",
        "0190000001",
        "190000001.0",
        "a b",
        "ñ",
        "TOTAL 5",
        "subtotal",
        "x" * 256,
    ]
    assert list(rows_of(*numbered(*ids)).hits) == ids


@pytest.mark.parametrize(
    ("digits", "conn_id"),
    [
        (b"190000001", "190000001"),
        (b"6736.10", "6736.10"),
        (b"123456789012345678901", "123456789012345678901"),
        (b"-5", "-5"),
    ],
)
def test_a_numbers_own_digits_are_the_id(digits: bytes, conn_id: str) -> None:
    found = rows_of(b'{"conn_id":%b,"hit":"x"}' % digits)
    assert list(found.hits) == [conn_id]
    assert found.drift == {"number_id": 1}


def test_numbers_that_are_one_float_are_still_two_ids() -> None:
    rows = [b'{"conn_id":6736.1}', b'{"conn_id":6736.10}', b'{"conn_id":12345678901234567890123}',
            b'{"conn_id":12345678901234567890124}']  # fmt: skip
    assert len(rows_of(*rows).hits) == 4


@pytest.mark.parametrize(
    "digits", [b"1.7687828e+18", b"1.7687828E+18", b"1e3", b"1.5e3", b"5E-7", b"1e400", b"17687828e11"]
)
@pytest.mark.parametrize(
    "row", [b'{"conn_id":%b,"hit":"x"}', b'{"hit":"x","conn_id":%b}', b'{"conn_id":"a","hit":"x","conn_id":%b}']
)
async def test_an_id_in_exponent_notation_has_lost_its_digits(row: bytes, digits: bytes) -> None:
    """Two such ids may be two hits, and would be taken for one."""
    rows = [row % digits, (row % digits).replace(b'"x"', b'"y"'), b'{"conn_id":"b","hit":"x"}']
    body = body_of(*rows)
    async with answering(*[http(body)] * 3) as server, calling(server.url) as api:
        for _ in server.scripts:  # from the second on those that are known are found by their bytes
            found = identify(await api.fetch())
            assert list(found.hits) == ["b"]
            assert [dead.reason for dead in found.dead.values()] == [Reason.CONN_ID_INVALID] * 2
            assert {dead.pointer for dead in found.dead.values()} == {"/conn_id"}
            assert (found.repeated, found.drift) == (0, {"number_id": 2})
    assert identify(snapshot_of(broken(body))).dead.keys() == found.dead.keys()


@pytest.mark.parametrize(
    "text", ["1.7687828e+18", "1.7687828E+18", "2E+5", "1,76878E+18", "1.7687828E18", "1,76878e18"]
)
def test_a_text_in_exponent_notation_has_lost_them_too(text: str) -> None:
    for neighbours in ([], [{"conn_id": "TOTAL"}]):
        found = rows_of(*numbered("a", text), *neighbours)
        assert list(found.hits) == ["a"]
        assert [dead.reason for dead in found.dead.values()] == [Reason.CONN_ID_INVALID]


@pytest.mark.parametrize("text", ["e5", "1e5", "12e45f", "6736.4628.E4", "12.5e1000", "67362.5e8", "E+", "e+5"])
def test_a_text_with_an_e_in_it_is_an_id_like_any_other(text: str) -> None:
    for neighbours in ([], [{"conn_id": "TOTAL"}]):
        assert list(rows_of(*numbered("a", text), *neighbours).hits) == ["a", text]


@pytest.mark.parametrize("text", ["null", "NULL", " None ", "undefined", "NaN", "N/A", "#N/A"])
def test_a_text_that_says_that_there_is_no_id_is_none(text: str) -> None:
    """Two of them would be taken for one hit."""
    rows = [{"conn_id": text, "hit": "x"}, {"conn_id": text, "hit": "y"}]
    for neighbours in ([], [{"conn_id": "TOTAL"}]):
        found = rows_of(*numbered("a"), *rows, *neighbours)
        assert list(found.hits) == ["a"]
        assert [dead.reason for dead in found.dead.values()] == [Reason.CONN_ID_MISSING] * 2


def test_a_number_is_not_taken_for_the_text_that_its_rounding_reads_like() -> None:
    found = rows_of(b'{"conn_id":"1500.0","hit":"x"}', b'{"conn_id":1.5e3,"hit":"y"}')
    assert list(found.hits) == ["1500.0"]
    assert [dead.reason for dead in found.dead.values()] == [Reason.CONN_ID_INVALID]


def test_a_numbers_digits_are_not_taken_for_the_known_id_of_another() -> None:
    found = rows_of(b'{"conn_id":6736.10}', known={"6736.1"})
    assert list(found.hits) == ["6736.10"]


def test_a_number_and_a_text_of_the_same_digits_are_one_id() -> None:
    found = rows_of({"conn_id": 5, "hit": "first"}, {"conn_id": "5", "hit": "second"})
    assert found.hits["5"] == {"conn_id": 5, "hit": "first"}
    assert found.repeated == 1


ODD: list[tuple[Any, Reason | None]] = [
    (None, Reason.NOT_AN_OBJECT),
    (5, Reason.NOT_AN_OBJECT),
    ("6736", Reason.NOT_AN_OBJECT),
    (True, Reason.NOT_AN_OBJECT),
    ([], Reason.NOT_AN_OBJECT),
    ([["conn_id", "6736"]], Reason.NOT_AN_OBJECT),
    ({}, Reason.CONN_ID_MISSING),
    ({"hit": "x"}, Reason.CONN_ID_MISSING),
    ({"CONN_ID": "6736"}, Reason.CONN_ID_MISSING),
    ({"conn_id": None}, Reason.CONN_ID_MISSING),
    ({"conn_id": ""}, Reason.CONN_ID_MISSING),
    ({"conn_id": " "}, Reason.CONN_ID_MISSING),
    ({"conn_id": "  \t\u00a0"}, Reason.CONN_ID_MISSING),
    ({"conn_id": True}, Reason.CONN_ID_INVALID),
    ({"conn_id": ["6736"]}, Reason.CONN_ID_INVALID),
    ({"conn_id": {"id": "6736"}}, Reason.CONN_ID_INVALID),
    ({"conn_id": "x" * 257}, Reason.CONN_ID_INVALID),
    ({"conn_id": 10**300}, Reason.CONN_ID_INVALID),
    ({"conn_id": "67\x0036"}, Reason.CONN_ID_INVALID),
    ({"conn_id": "6736\n"}, Reason.CONN_ID_INVALID),
    ({"conn_id": "6736\x7f"}, Reason.CONN_ID_INVALID),
    ({"conn_id": "6736\x9f"}, Reason.CONN_ID_INVALID),
    ({"conn_id": "6736\ud800"}, Reason.NOT_ENCODABLE),
    ({"conn_id": "6736\udc00"}, Reason.NOT_ENCODABLE),
    ({"conn_id": "TOTAL"}, None),
    ({"conn_id": " Total "}, None),
    ({"type_interaction": "TOTAL", "hit": "12"}, None),
    ({"conn_id": "", "hit": "total"}, None),
    ({"conn_id": None, "campaign": "TOTAL"}, None),
]


@pytest.mark.parametrize(("row", "reason"), ODD)
@pytest.mark.parametrize("neighbours", [[], numbered("a", "b")])
def test_an_odd_row_has_its_reason_and_costs_no_neighbour(
    row: Any, reason: Reason | None, neighbours: list[Any]
) -> None:
    found = rows_of(*neighbours, row)
    assert list(found.hits) == [neighbour["conn_id"] for neighbour in neighbours]
    assert [dead.reason for dead in found.dead.values()] == ([] if reason is None else [reason])
    pointer = "/conn_id" if isinstance(row, dict) else ""
    assert all(dead.pointer == pointer for dead in found.dead.values())
    assert found.summaries == (reason is None)


def test_a_row_with_an_id_is_no_summary_whatever_else_it_says() -> None:
    assert list(rows_of(ROW | {"conn_id": "a", "hit": "TOTAL"}).hits) == ["a"]


def test_a_summary_needs_a_missing_id_not_a_broken_one() -> None:
    [dead] = rows_of({"conn_id": ["x"], "hit": "TOTAL"}).dead.values()
    assert dead.reason is Reason.CONN_ID_INVALID


def test_a_dead_row_is_told_once_a_snapshot() -> None:
    found = rows_of({"hit": "x"}, {"hit": "x"}, {"hit": "y"}, 5, 5.0)
    assert (len(found.dead), found.repeated) == (3, 2)


def test_a_known_id_is_not_looked_at_again() -> None:
    strange = "x" * 300
    for others in ([], [{"conn_id": "TOTAL"}]):
        assert list(rows_of(ROW | {"conn_id": strange}, *others, known={strange}).hits) == [strange]


def test_what_is_known_changes_nothing_for_the_others() -> None:
    found = rows_of(*numbered("a", "b"), {"conn_id": "x" * 257}, known={"a"})
    assert list(found.hits) == ["a", "b"]
    assert len(found.dead) == 1


def test_the_body_is_kept_only_until_the_rows_are_read() -> None:
    snapshot = snapshot_of(body_of(ROW))
    assert snapshot.exact is not None
    READER.read(READER.identify(snapshot, known=frozenset()).hits, snapshot)
    assert snapshot.exact is None


def test_a_second_parse_is_made_only_where_digits_matter() -> None:
    def never() -> list[Any]:
        pytest.fail("parsed again")

    for row, known in [
        (b'{"conn_id":"a","telephone":573001234567}', set()),
        (b'{"conn_id":"a","campaign":1.5}', set()),
        (b'{"conn_id":"a","telephone":5.7e11}', {"a"}),
        (b'{"hit":1.5}', set()),
    ]:
        snapshot = snapshot_of(body_of(row))
        snapshot.exact = never
        found = READER.identify(snapshot, known=known)
        READER.read({conn_id: found.hits[conn_id] for conn_id in found.fresh or []}, snapshot)


@pytest.mark.parametrize(
    "rows",
    [
        [{**{name: "x" for name in API_FIELDS if name != "hit"}, "conn_id": "a", "agent": "y"}],
        [{name: name for name in API_FIELDS if name != "hit"}, {"conn_id": "b", "hit": "x"}],
        [dict.fromkeys(API_FIELDS, "x") | {"conn_id": "a", "server": "9999"}],
    ],
)
def test_a_row_with_other_fields_than_the_six_becomes_the_same_among_others_as_alone(rows: list[Any]) -> None:
    snapshot = snapshot_of(body_of(*rows))
    together = READER.read(READER.identify(snapshot, known=frozenset()).hits, snapshot).hits
    alone = [read_hit(row, server="0042", zone=BOGOTA, observed_at=snapshot.received.rfc3339()) for row in rows]
    assert list(together.values()) == alone


def test_of_many_rows_those_with_a_float_have_its_digits() -> None:
    rows = [b'{"conn_id":"%d","telephone":%d.10}' % (number, number) for number in range(3)]
    snapshot = snapshot_of(body_of(*numbered("a", "b"), *rows))
    hits = READER.read(READER.identify(snapshot, known={"a"}).hits, snapshot).hits
    assert [hit["telephone"] for hit in hits.values()][2:] == ["0.10", "1.10", "2.10"]


LONG = 12345678901234567890123


def test_of_an_id_that_the_report_repeats_each_row_has_its_own_digits() -> None:
    shown = {"type_interaction": "inbound", "date": "20260118190000", "telephone": "57"}
    rows: list[dict[str, Any]] = [
        {"conn_id": "a", **shown, "customer_id": "1", "hit": ""},
        {"conn_id": "a", **shown, "customer_id": LONG, "hit": "SALE"},
        {"conn_id": "a", **shown, "customer_id": LONG + 7, "hit": "OTHER"},
    ]
    marked = RowReader(server="0042", zone=BOGOTA, marked_only=True)
    for sent in permutations(rows):
        snapshot = snapshot_of(body_of(*sent))
        found = READER.identify(snapshot, known={"a"})
        again = READER.read({}, snapshot, again=[found.hits, *found.further]).again
        read = [(hit["hit"], hit["customer_id"]) for hits in again for hit in hits.values()]
        assert read == [(row["hit"], str(row["customer_id"])) for row in sent]

        snapshot = snapshot_of(body_of(*sent))
        new = marked.read(marked.identify(snapshot, known=frozenset()).hits, snapshot).hits["a"]
        assert (new["hit"], new["customer_id"]) in {("SALE", str(LONG)), ("OTHER", str(LONG + 7))}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ids = (
    st.sampled_from(["a", "b", "TOTAL", "", " ", "\x00", "\ud800", "6736.10", 6736.1, 5, None, True, "x" * 257])
    | json_values
)
odd_rows = st.lists(
    json_values | st.fixed_dictionaries({"conn_id": ids}, optional={"hit": json_values, "extra": json_values}),
    max_size=8,
)


@given(odd_rows, st.sets(st.sampled_from(["a", "6736.1", "5"])))
def test_the_counts_add_up_whatever_the_rows(rows: list[Any], known: set[str]) -> None:
    rows_of(*rows, known=known)


@given(odd_rows)
def test_both_parsers_find_the_same_ids_and_the_same_dead(rows: list[Any]) -> None:
    body = body_of(*rows)
    by_one, by_other = identify(snapshot_of(body)), identify(snapshot_of(broken(body)))
    assert list(by_one.hits) == list(by_other.hits)
    assert by_one.dead.keys() == by_other.dead.keys()
    assert list(map(written, by_one.dead.values())) == list(map(written, by_other.dead.values()))
    assert (by_one.repeated, by_one.summaries) == (by_other.repeated, by_other.summaries)


def test_what_else_a_report_says_of_an_id_is_kept_row_by_row() -> None:
    first, second, third = (ROW | {"conn_id": "a", "hit": says} for says in ("", "SALE", "OTHER"))
    found = rows_of(first, ROW | {"conn_id": "b"}, second, first, third)
    assert found.hits["a"] == first
    assert (found.repeated, found.further) == (3, [{"a": second}, {"a": third}])
    assert rows_of(first, first).further == []


def test_which_rows_were_parsed_is_told_by_their_ids() -> None:
    known = [ROW | {"conn_id": "a"}, ROW | {"conn_id": 5}]
    new = [ROW | {"conn_id": "a", "hit": "SALE"}, ROW | {"conn_id": 6}, {"hit": "without an id"}]
    recall = Recall()

    def parsed(*rows: object) -> list[str] | None:
        body = b'{"code":"200","data":[' + b",".join(orjson.dumps(row) for row in rows) + b"]}"
        return identify(snapshot_of(body, recall)).parsed

    assert parsed(*known) is None  # the first answer is parsed whole
    assert parsed(*known) == ["a", "5"]
    assert parsed(*known) == ["5"]  # an id that is no text is not kept
    assert parsed(known[1], *new) == ["5", "a", "6"]


def test_rows_of_known_ids_are_read_beside_the_new_ones() -> None:
    rows = [ROW | {"conn_id": name, "hit": says} for name, says in (("new", "x"), ("a", "SALE"), ("b", "y"))]
    odd = {"conn_id": "odd", "hit": {}}
    again: list[dict[str, Any]] = [{"a": rows[1], "odd": odd}, {"a": rows[2] | {"conn_id": "a"}}]
    reading = READER.read({"new": rows[0]}, snapshot_of(body_of()), again=again)
    assert list(reading.hits) == ["new"]
    assert [{name: hit["hit"] for name, hit in hits.items()} for hits in reading.again] == [{"a": "SALE"}, {"a": "y"}]
    assert [dead.row for dead in reading.dead.values()] == [odd]
