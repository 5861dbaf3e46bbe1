from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from producer.observe.rendering import page_json, read_page
from producer.observe.status import SourceState, status_json
from tests.unit.observe.statuses import NOW, elsewhere, healthy, outage, source


def test_status_json_has_exactly_the_fields_of_the_contract() -> None:
    body = status_json(healthy(1))
    assert list(body) == ["instance", "version", "kafka", "shards", "sources"]
    assert list(body["sources"][0]) == [
        *("server", "owned", "state", "last_success", "next_poll"),
        *("published", "changed", "duplicate", "dead_lettered", "unmarked", "pending", "recovered"),
        *("gaps_waiting", "seconds_until_data_loss"),
    ]


def test_moments_are_rfc_3339_or_null() -> None:
    first, second = status_json(replace(healthy(), sources=(source(last_success=NOW), elsewhere("0043"))))["sources"]
    assert first["last_success"] == "2026-01-19T00:33:32.000000Z"
    assert second["last_success"] is second["next_poll"] is second["seconds_until_data_loss"] is None


def test_every_state_says_how_much_trouble_it_is() -> None:
    troubles = {state: source(state=state).trouble for state in SourceState}
    assert troubles[SourceState.OK] == troubles[SourceState.STANDBY] == 0
    assert troubles[SourceState.BAD_TOKEN] == 3
    assert set(troubles.values()) == {0, 1, 2, 3}


@pytest.mark.parametrize("state", SourceState)
def test_losing_hits_now_is_trouble_in_every_state(state: SourceState) -> None:
    assert source(state=state, seconds_until_data_loss=0.0).trouble == 3


def test_a_source_polled_elsewhere_loses_nothing_here() -> None:
    assert source(owned=False, state=SourceState.STANDBY, seconds_until_data_loss=-1.0).trouble == 0


def test_the_page_gets_one_line_with_gaps_reasons_and_minutes() -> None:
    rendered = page_json(outage())
    assert b"\n" not in rendered
    page = json.loads(rendered)
    assert page["unready"][0] == "Kafka is unreachable for 12 min."
    third = page["sources"][2]
    assert (len(third["gaps"]), third["gaps"][0]["kind"], len(third["hits_per_minute"])) == (2, "unpolled", 60)


def test_a_control_character_in_an_error_is_only_text_to_the_page() -> None:
    page = json.loads(page_json(replace(healthy(), sources=(source(error="a\x1b[31m\nb"),))))
    assert page["sources"][0]["error"] == r"a\x1b[31m\nb"


def test_the_page_asks_no_other_host_for_anything() -> None:
    for path, (content, _) in read_page().items():
        addresses = content.decode().replace("http://www.w3.org/2000/svg", "")  # a name, not an address to ask
        assert re.findall(r"""://|["'(]\s*//""", addresses) == [], path
