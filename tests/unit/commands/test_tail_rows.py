"""One event as a line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from producer.commands.tail_rows import Lines, whole
from producer.kafka.tail import Tailed
from producer.model import Topic
from tests.unit.commands.screens import printed, terminal

CONN_ID = "6736.4628.1040.1768782812.1814"
HIT = {
    "conn_id": CONN_ID,
    "server": "0042",
    "type_interaction": "outbound_ma",
    "date": "20260118193332",
    "telephone": "573000001234",
    "customer_id": "1000012345",
    "hit": "VENTA EFECTIVA",
    "occurred_at": "2026-01-18T19:33:32-05:00",
    "observed_at": "2026-01-19T00:35:00.000000Z",
}
DEAD = {
    "server": "0042",
    "observed_at": "2026-01-19T00:35:00.000000Z",
    "reason": "conn_id_missing",
    "pointer": "/conn_id",
    "row": {"telephone": "573000001234"},
}
GAP = {
    "server": "0042",
    "from": "2026-01-19T00:35:00.000000Z",
    "to": "2026-01-19T00:55:00.000000Z",
    "kind": "unpolled",
    "certain": False,
}
CHANGED = HIT | {"hit": "PROMESA DE PAGO", "first_observed_at": "2026-01-19T00:30:00.000000Z"}
VALUES: dict[Topic, dict[str, Any]] = {
    Topic.HITS: HIT,
    Topic.CHANGES: CHANGED,
    Topic.DEAD_LETTER: DEAD,
    Topic.COVERAGE: GAP,
}


def record(value: object, *, raw: bytes | None = None) -> Tailed:
    return Tailed(
        topic="wolkvox.hits",
        partition=3,
        offset=7,
        key=CONN_ID.encode(),
        value=orjson.dumps(value) if raw is None else raw,
        headers=(("ce_id", f"0042/{CONN_ID}".encode()),),
        timestamp=1_768_782_900.5,
    )


def test_a_header_without_a_value_is_null_in_a_pipe() -> None:
    """Kafka allows it; a stranger's record must not end a pipe."""
    own = replace(record(HIT), headers=(("traceparent", None), ("ce_id", b"1")))
    assert json.loads(whole(own))["headers"] == {"traceparent": None, "ce_id": "1"}


def shown(value: object, *, topic: Topic = Topic.HITS, width: int = 80, personal: bool = False) -> list[str]:
    console = terminal(width)
    lines = Lines(topic, width=width, zones={"0042": ZoneInfo("America/Bogota")}, show_personal=personal)
    console.print(lines.head())
    console.print(lines.line(record(value)))
    return printed(console)


def test_a_hit_fits_on_one_line_of_eighty_columns_in_the_operations_own_time() -> None:
    head, line = shown(HIT)
    assert head.split() == ["occurred", "observed", "server", "conn_id", "type", "hit"]
    assert line == f"19:33:32 19:35:00 0042   {CONN_ID} outbou… VENTA EFECTIVA"


def test_a_wide_terminal_shows_dates_and_the_whole_type() -> None:
    _, line = shown(HIT, width=120)
    assert line.split("  ")[0].startswith("01-18 19:33:32 01-18 19:35:00 0042")
    assert "outbound_ma" in line


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("topic", sorted(VALUES))
def test_telephones_and_customer_ids_are_shown_only_on_demand(topic: Topic, width: int) -> None:
    lines = "".join(shown(VALUES[topic], topic=topic, width=width))
    assert "573000001234" not in lines
    assert "1000012345" not in lines
    lines = "".join(shown(VALUES[topic], topic=topic, width=width, personal=True))
    assert ("573000001234" in lines) is (topic is not Topic.COVERAGE)


def test_a_change_says_what_the_hit_is_now_and_when_it_was_first_shown() -> None:
    head, line = shown(CHANGED, topic=Topic.CHANGES)
    assert head.split() == ["first", "observed", "server", "conn_id", "type", "hit"]
    assert line == f"19:30:00 19:35:00 0042   {CONN_ID} outbou… PROMESA DE PAGO"


def test_a_dead_letter_says_why_and_where() -> None:
    _, line = shown(DEAD, topic=Topic.DEAD_LETTER)
    assert line == "19:35:00 0042   conn_id_missing /conn_id"


def test_a_gap_says_from_when_to_when_and_how_sure_it_is() -> None:
    _, line = shown(GAP, topic=Topic.COVERAGE)
    assert line.split() == ["0042", "19:35:00", "19:55:00", "unpolled", "possible"]


def test_a_text_of_the_api_cannot_steer_the_terminal() -> None:
    assert "\x1b[2J" not in "".join(shown(HIT | {"hit": "VENTA\x1b[2J"}))


def test_absent_fields_are_dashes_and_a_long_id_stays_whole() -> None:
    lines = shown(HIT | {"conn_id": "9" * 70, "hit": None, "type_interaction": None, "occurred_at": None})
    assert "".join(lines[1:]).count("9") == 70 + "19:35:00".count("9")
    assert lines[1].startswith("- ")


def test_a_value_that_is_no_object_is_told_by_its_place_alone() -> None:
    console = terminal(80)
    lines = Lines(Topic.HITS, width=80, zones={}, show_personal=True)
    console.print(lines.line(record(None, raw=b"573000001234")))
    assert printed(console) == ["wolkvox.hits 3@7: not a JSON object"]


def test_in_a_pipe_an_event_is_one_line_of_json_with_its_headers() -> None:
    line = whole(record(HIT))
    assert "\n" not in line
    assert json.loads(line) == {
        "topic": "wolkvox.hits",
        "partition": 3,
        "offset": 7,
        "timestamp": "2026-01-19T00:35:00.500000Z",
        "key": CONN_ID,
        "headers": {"ce_id": f"0042/{CONN_ID}"},
        "value": HIT,
    }


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"extra":{"amount":6736.10}}', '{"extra":{"amount":6736.10}}'),
        (b'{"extra":{"number":123456789012345678901234567890}}', '{"extra":{"number":123456789012345678901234567890}}'),
        (b'{\r\n"a":1.10}', '{  "a":1.10}'),
        (b'{"a":\n1e400}', r'"{\"a\":\n1e400}"'),
        (b'{"a":NaN}', r'"{\"a\":NaN}"'),
        (b'\xef\xbb\xbf{"a":1}', '"\ufeff{\\"a\\":1}"'),
        (b'"\x00a\x00"\x00', r'"\"\u0000a\u0000\"\u0000"'),
        (b"[[" * 10_000, f'"{"[[" * 10_000}"'),
        (b'"a text"', '"a text"'),
        (b"", '""'),
        (b"not json", '"not json"'),
        (b"\xff", '"\ufffd"'),
    ],
)
def test_a_pipe_gets_the_value_as_it_was_sent_and_always_valid_json(raw: bytes, value: str) -> None:
    line = whole(record(None, raw=raw))
    assert line.endswith(f'"value":{value}}}')
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert not {"\n", "\r"} & set(line)
