"""Files of hits as people have them: which rows are in them, and which lines are none."""

from __future__ import annotations

import json

import pytest

from producer.clock import Moment
from producer.errors import NotASnapshot, SettingsError
from producer.model import Hit, Method
from producer.recovery.files import FileRows, read_file
from producer.recovery.found import Found, read_rows
from producer.wolkvox.reader import RowReader
from tests.unit.wolkvox.calls import ROW
from tests.unit.wolkvox.snapshots import BOGOTA, body_of

NOW = Moment(1_768_785_212.0, 1_000.0)
HEADER = "conn_id;type_interaction;date;telephone;customer_id;hit"
LINE = "6736.4628;inbound;18/01/2026 20:13;573001234567;1020304050;Acción válida"


def read(body: bytes | str, **columns: str) -> FileRows:
    sent = body.encode() if isinstance(body, str) else body
    return read_file(sent, server="0042", columns=columns, now=NOW)


def found(body: bytes | str, **columns: str) -> Found:
    reader = RowReader(server="0042", zone=BOGOTA)
    return read_rows(read(body, **columns).snapshot, reader, method=Method.FILE)


def only(body: bytes | str, **columns: str) -> Hit:
    [hit] = found(body, **columns).hits.values()
    return hit


def test_the_report_s_own_json_is_read_as_the_report_is() -> None:
    hit = only(body_of(ROW))
    assert {name: hit[name] for name in ROW} == ROW  # type: ignore[literal-required]
    assert hit["occurred_at"] == "2026-01-18T20:13:32-05:00"
    assert hit["observed_at"] == NOW.rfc3339()


@pytest.mark.parametrize("body", [json.dumps([ROW]), "\ufeff" + json.dumps([ROW]), " \n" + json.dumps({"data": [ROW]})])
def test_a_list_of_rows_is_json_too(body: str) -> None:
    assert only(body)["conn_id"] == ROW["conn_id"]


def test_a_row_a_line_and_lines_that_are_none_are_named() -> None:
    lines = [json.dumps(ROW), "", "{broken", json.dumps(ROW | {"conn_id": "7"}), '{"value": {"conn_id": "8"}}', "[]"]
    rows = read("\n".join(lines))
    assert [row["conn_id"] for row in rows.snapshot.rows] == [ROW["conn_id"], "7"]
    assert rows.unread == [3, 5, 6]


def test_a_single_row_is_a_line() -> None:
    assert only(json.dumps(ROW))["conn_id"] == ROW["conn_id"]


@pytest.mark.parametrize("frame", ['{"conn_id": %s, "hit": "x"}', '[{"conn_id": %s, "hit": "x"}]'])
def test_numbers_keep_their_own_digits(frame: str) -> None:
    assert only(frame % "6736.10")["conn_id"] == "6736.10"


@pytest.mark.parametrize(
    "body", ['{"error": "upstream failed"}', "[", '{"code": 403, "msg": "PLEASE VALIDATE TOKEN"}', "{}"]
)
def test_json_without_hits_is_told_as_such(body: str) -> None:
    with pytest.raises(NotASnapshot):
        read(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_spreadsheet_s_export_is_read_whatever_its_letters(encoding: str, end: str) -> None:
    hit = only(end.join([HEADER, LINE, ""]).encode(encoding))
    assert hit["hit"] == "Acción válida"
    assert hit["occurred_at"] == "2026-01-18T20:13:00-05:00"


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_columns_are_told_apart_by_whatever_the_first_line_has(separator: str) -> None:
    assert only(f"{HEADER}\n{LINE}".replace(";", separator))["telephone"] == "573001234567"


def test_the_line_that_names_the_separator_is_no_header() -> None:
    assert only(f"sep=,\n{HEADER}\n{LINE}".replace(";", ","))["conn_id"] == "6736.4628"


def test_columns_go_by_their_names_or_by_the_map() -> None:
    body = "Resultado, ID de llamada ,Fecha,nombre\nVENTA,7,20260118201332,Somebody\n"
    hit = only(body, conn_id="ID de llamada", hit="resultado", date="FECHA")
    assert (hit["conn_id"], hit["hit"], hit["date"], hit["telephone"]) == ("7", "VENTA", "20260118201332", None)


def test_what_else_a_spreadsheet_holds_is_nobodys_business() -> None:
    hit = only(f"{HEADER};name\n{LINE};Somebody")
    assert "extra" not in hit
    assert "Somebody" not in str(hit)


@pytest.mark.parametrize(
    ("header", "columns", "told"),
    [
        ("id;date", {}, "--map conn_id=COLUMN: no column 'conn_id' among the 2 that"),
        (HEADER, {"hit": "Result"}, "--map hit=COLUMN: no column 'Result' among the 6 that"),
        (LINE, {}, "--map conn_id=COLUMN: no column 'conn_id' among the 6 that"),
    ],
)
def test_a_column_that_is_not_there_is_a_mistake_in_the_usage(header: str, columns: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(f"{header}\n{LINE}", **columns)
    assert told in caught.value.problems[0]
    assert "573001234567" not in str(caught.value)


def test_an_empty_file_is_no_table_and_one_of_separators_has_no_columns() -> None:
    with pytest.raises(NotASnapshot, match="the file is empty"):
        read(b"")
    with pytest.raises(SettingsError, match="no column 'conn_id' in a file without names"):
        read(b";;;\n")


def test_zeros_behind_a_table_do_no_harm() -> None:
    assert only(f"{HEADER}\n{LINE}\n".encode() + bytes(4096))["conn_id"] == "6736.4628"


def test_lines_that_are_no_rows_are_told_by_their_number() -> None:
    lines = [
        *(HEADER, "", LINE, "6736.4629;short", ";;;;;", f"{LINE};more", f"{LINE};;;"),
        *('1;"a note', 'of two lines";20260118201332;;;x', '2;"half a quote;;;;'),
    ]
    rows = read("\n".join(lines))
    assert [row["conn_id"] for row in rows.snapshot.rows] == ["6736.4628", "6736.4628", "1"]
    assert rows.unread == [4, 6, 10]
    assert rows.snapshot.rows[2]["type_interaction"] == "a note\nof two lines"


def test_a_quote_that_is_not_closed_costs_its_lines_and_no_others() -> None:
    lines = ["sep=;", HEADER, '1;"half a quote;;;;', '2;"x";;;;', "3;;;;;", "4;short"]
    rows = read("\n".join(lines))
    assert [row["conn_id"] for row in rows.snapshot.rows] == ["3"]
    assert rows.unread == [4, 6]


def test_a_row_without_a_usable_id_is_a_dead_letter_and_a_total_is_none() -> None:
    rows = [LINE, LINE.replace("6736.4628", ""), LINE.replace("6736.4628", "1,9E+08"), "TOTAL;;;;;3", LINE]
    result = found("\n".join([HEADER, *rows]))
    assert sorted(dead.reason for dead in result.dead.values()) == ["conn_id_invalid", "conn_id_missing"]
    assert (len(result.hits), result.summaries, result.repeated) == (1, 1, 1)


def test_no_error_repeats_what_a_file_holds() -> None:
    for body in ('{"telephone": "573001234567"}', "[" + json.dumps(ROW)):
        with pytest.raises(NotASnapshot) as caught:
            read(body)
        assert "573001234567" not in str(caught.value)
