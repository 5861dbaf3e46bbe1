"""Time that nobody saw becomes one record, the same however often it is made."""

from __future__ import annotations

import json

import pytest

from producer.events import BrokenContract, Events
from producer.model import Gap, GapKind
from tests.unit.events.samples import OBSERVED, a_gap, a_recovery


def test_the_value_names_the_time_in_utc() -> None:
    record = Events(server="0042").coverage_gap(a_gap(), observed_at=OBSERVED)
    assert json.loads(record.value) == {
        "server": "0042",
        "from": "2026-01-19T01:14:00.250000Z",
        "to": "2026-01-19T01:29:00.250000Z",
        "kind": "unpolled",
        "certain": False,
    }


def test_the_key_is_the_server_and_the_headers_are_those_of_the_contract() -> None:
    record = Events(server="0042").coverage_gap(a_gap(kind=GapKind.TRUNCATED), observed_at=OBSERVED)
    assert record.key == b"0042"
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"wolkvox.coverage-gap",
        "ce_source": b"/wolkvox/0042/hits_last_hour",
        "ce_id": b"0042/truncated/2026-01-19T01:14:00.250000Z",
        "ce_time": OBSERVED.encode(),
        "ce_subject": b"0042",
        "ce_dataschema": b"urn:wolkvox-hits:schema:coverage_gap:1.0.0",
        "content-type": b"application/json",
    }


def test_the_id_survives_a_restart_with_the_start_read_back_from_json() -> None:
    start = 1_768_785_240.123_456_7
    before, after = a_gap(start=start), a_gap(start=json.loads(json.dumps(start)))
    ids = {
        dict(Events(server="0042").coverage_gap(gap, observed_at=when).headers)["ce_id"]
        for gap, when in [(before, OBSERVED), (after, "2026-01-19T02:00:00.000000Z")]
    }
    assert len(ids) == 1


def test_a_recovery_names_its_gap_and_counts() -> None:
    record = Events(server="0042").gap_recovered(a_recovery(), observed_at=OBSERVED)
    assert json.loads(record.value) == {
        "server": "0042",
        "from": "2026-01-19T01:14:00.250000Z",
        "to": "2026-01-19T01:29:00.250000Z",
        "method": "history",
        "found": 120,
        "published": 117,
        "already_told": 3,
        "observed_at": OBSERVED,
    }
    assert record.key == b"0042"
    headers = dict(record.headers)
    assert headers["ce_type"] == b"wolkvox.gap-recovered"
    assert headers["ce_id"] == b"0042/recovered/2026-01-19T01:14:00.250000Z"
    assert headers["ce_time"] == OBSERVED.encode()


def test_a_gap_that_breaks_its_own_schema_is_a_bug() -> None:
    with pytest.raises(BrokenContract, match="coverage_gap breaks its own schema: pattern at /server"):
        Events(server="0042").coverage_gap(Gap("42", 0, 1, GapKind.UNPOLLED, certain=False), observed_at=OBSERVED)
