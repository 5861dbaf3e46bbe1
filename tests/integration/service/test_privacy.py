"""PRIVACY_* on a real broker: what anybody could read anywhere, of a service that was killed on the way."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256

import pytest

from tests.integration.service.audit import Record
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage
from tests.integration.service.test_events import calls_of

pytestmark = pytest.mark.kafka

KEY = "a-key-of-thirty-two-characters-1"
PEOPLE = re.compile(rb"(?<![0-9a-f.])(?:|9|57|957)(?:300000[0-9]{4}|10000[0-9]{5})(?![0-9a-f])")
"""Every telephone and customer id of the simulated call centre; within a hash there are digits, too."""


async def test_nobody_finds_a_telephone_and_whoever_has_the_key_finds_all_of_his(stage: Stage) -> None:
    """Killed in the middle, and with odd rows: a hash is the same in the next life, and nothing changes by itself."""
    first = await started(stage, "first")
    stage.simulator.fault = "odd-rows"
    await first.until("committed", where=lambda line: line["dead_letters"] > 5)
    stage.simulator.fault = None
    await first.kill()
    second = await started(stage, "second")
    await second.until("committed", where=lambda line: bool(line["changes"]))
    await stage.caught_up(second)
    pages = [await stage.page(second, path) for path in ("/", "/status.json", "/metrics")]
    await second.stop()

    found = await stage.audit(isolation="read_uncommitted")
    read = b"\n".join(_bytes_of((*found.hits, *found.changes, *found.dead_letters, *found.gaps, *found.ledger)))
    assert PEOPLE.findall(read) == []
    said = "\n".join([*first.raw, *second.raw, *(page.text for page in pages)]).encode()
    assert PEOPLE.findall(said) == []
    assert KEY.encode() not in read + said

    committed = await stage.audit()
    told = {record.key: record.json for record in committed.hits}
    calls = {call.conn_id: call.row for call in calls_of(stage) if call.conn_id in told}
    assert len(calls) > 50
    assert {key: told[key]["telephone"] for key in calls} == {
        key: hmac.new(KEY.encode(), row["telephone"].encode(), sha256).hexdigest() for key, row in calls.items()
    }
    assert {told[key]["customer_id"] for key in calls} == {None}
    # Each change is one of its `hit`, none of a hash that another life computed.
    assert committed.changes
    assert not [record for record in committed.changes if record.json["hit"] == told[record.key]["hit"]]


async def started(stage: Stage, name: str) -> Instance:
    """A static member: its next life has its shard at once."""
    return await stage.start(
        name,
        KAFKA_GROUP_INSTANCE_ID="one",
        PRIVACY_TELEPHONE="hmac",
        PRIVACY_CUSTOMER_ID="drop",
        PRIVACY_KEY=KEY,
    )


def _bytes_of(records: Iterable[Record]) -> Iterator[bytes]:
    for record in records:
        yield record.key.encode()
        yield record.value or b""
        yield from (part for name, value in record.headers.items() for part in (name.encode(), value))
