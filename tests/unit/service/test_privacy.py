"""PRIVACY_*: what of people is in anything that leaves the service, put together as the service is but for the wire."""

from __future__ import annotations

import ast
import asyncio
import hmac
import io
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import producer
from producer.core.poller import Poller, commit_once
from producer.core.ports import Told
from producer.core.source import Source
from producer.errors import Retry
from producer.model import SourceFold, Topic
from producer.observe import logs
from producer.observe.metrics import Metrics
from producer.observe.observer import ServiceObserver
from producer.service.wiring import privacy_of
from producer.settings import load
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.reader import RowReader
from tests.twins.manual_clock import ManualClock
from tests.twins.memory_kafka import MemoryKafka, Record
from tests.twins.memory_store import MemoryShardStore
from tests.unit.core.rig import Unlimited
from tests.unit.core.samples import KEEP, SERVER, SHARD, WINDOW
from tests.unit.wolkvox.snapshots import BOGOTA, snapshot_of

KEY = "a-key-of-thirty-two-characters-1"
HMAC = {"PRIVACY_TELEPHONE": "hmac", "PRIVACY_CUSTOMER_ID": "hmac", "PRIVACY_KEY": KEY}
DROP = {"PRIVACY_TELEPHONE": "drop", "PRIVACY_CUSTOMER_ID": "drop"}
TELEPHONE, CUSTOMER = "573001234567", "CC1020304050"
ROW = {
    "conn_id": "6736.1",
    "type_interaction": "inbound",
    "date": "20260118190000",
    "telephone": TELEPHONE,
    "customer_id": CUSTOMER,
    "hit": "VENTA",
}


class Played:
    """One process of the service with these settings; what it told is on `kafka`, which outlives it."""

    def __init__(self, environ: Mapping[str, str], kafka: MemoryKafka | None = None) -> None:
        self.kafka = kafka or MemoryKafka()
        self.clock = ManualClock()
        if kafka is not None:
            self.clock.advance(600.0)  # a later process
        self.log = io.StringIO()
        self.metrics = Metrics()
        logs.configure(format="json", level="debug", stream=self.log, clock=self.clock, strict=True)
        self._observer = ServiceObserver(metrics=self.metrics, clock=self.clock)
        self._source = Source(server=SERVER, keep=KEEP, window=WINDOW)
        self._store = MemoryShardStore(self.kafka, number=SHARD)
        self._privacy = privacy_of(
            load(config=None, environ={"WOLKVOX_SERVER": SERVER, "WOLKVOX_TOKEN": "token", **environ})
        )

    async def polls(self, *answers: bytes) -> None:
        """Take the shard, then one poll and one commit for each answer."""
        self._source.restore((await self._store.take()).get(SERVER, SourceFold()), self.clock.now())
        left = list(answers)
        api = WolkvoxApi(
            server=SERVER,
            url="http://localhost",
            token=lambda: "token",
            timeout=60,
            clock=self.clock,
            transport=httpx.MockTransport(lambda _: httpx.Response(200, content=left.pop(0))),
        )
        reader = RowReader(server=SERVER, zone=BOGOTA, privacy=self._privacy)
        poller = Poller(source=self._source, api=api, reader=reader, budget=Unlimited())
        while left:
            self.clock.advance(60.0)
            self._observer.polled(await poller.poll_once())
            told = {SERVER: Told()}
            await commit_once([self._source], self._store, self.clock, told)
            self._observer.committed(SHARD, told, seconds=0.1)
        await api.aclose()

    def records(self, *topics: Topic) -> list[Record]:
        """What is committed, of these topics or of all."""
        return [record for topic in topics or Topic for record in self.kafka.committed(topic)]

    def values(self, topic: Topic) -> list[Any]:
        """The values of a topic, parsed."""
        return [orjson.loads(record.value or b"null") for record in self.records(topic)]

    def said(self) -> bytes:
        """Every byte that left it."""
        return b"\n".join([*_bytes_of(self.records()), self.log.getvalue().encode(), self.metrics.exposition()[0]])


def _bytes_of(records: Iterable[Record]) -> Iterator[bytes]:
    for record in records:
        yield record.key or b""
        yield record.value or b""
        yield from (part for name, value in record.headers for part in (name.encode(), value))


@pytest.fixture(autouse=True, scope="module")
def logging_as_before() -> Iterator[None]:
    """`configure` sets the whole process."""
    before, logs._lines = logs._lines, logs._Lines()
    handlers = list(logging.getLogger().handlers)
    yield
    logs._lines = before
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers


def answer(*rows: Any) -> bytes:
    return json.dumps({"code": "200", "error": None, "msg": "", "data": list(rows)}).encode()


def played(environ: Mapping[str, str], *answers: bytes, kafka: MemoryKafka | None = None) -> Played:
    """A process that polled these answers."""
    one = Played(environ, kafka)
    asyncio.run(one.polls(*answers))
    return one


def hashed(text: str, key: str = KEY) -> str:
    """What anybody who has the key computes."""
    return hmac.new(key.encode(), text.encode(), sha256).hexdigest()


class Odd:
    """Rows with a telephone and a customer id each, wherever somebody may put them; no two of them are the same."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self.planted = [TELEPHONE, CUSTOMER]

    def row(self) -> Any:
        """A row that may be anything but what the vendor's page says."""
        telephone, customer = self.plant("573{:09d}"), self.plant("10{:010d}")
        row: dict[str, Any] = {
            **ROW,
            "conn_id": self._one_of(f"6736.{len(self.planted)}", None, "", "a\n", "9" * 300, 7, [telephone], "TOTAL"),
            "telephone": self._disguised(telephone),
            "customer_id": self._disguised(customer),
        }
        for secret in (telephone, customer):
            name = self._one_of("Telephone", "telefono", "CUSTOMER_ID", "customer_id ", "agent", secret, "\ud800", "/~")
            row |= {name: self._disguised(secret)} if self._maybe() else {}
            known = self._one_of("type_interaction", "date", "hit")
            row |= {known: self._nested(secret)} if self._maybe() else {}
        for name in self._one_of((), ("conn_id",), ("telephone", "hit"), ("hit",)):
            row.pop(name, None)
        if self._one_of(*[False] * 19, True):
            row["hit"] = "X" * 1_100_000  # more than the topic takes
        return self._one_of(*[row] * 6, telephone, int(telephone), [row], [[customer]], {"data": row}, None)

    def plant(self, form: str) -> str:
        secret = form.format(self._rng.randrange(10**9))
        self.planted.append(secret)
        return secret

    def _disguised(self, secret: str) -> Any:
        plain = (secret, f" {secret}", f"9{secret}", int(secret), float(secret) + 0.5)
        return self._one_of(*plain, secret + "\ud83d", self._nested(secret), True, None, "")

    def _nested(self, secret: str) -> Any:
        return self._one_of({"n": secret}, [secret], {secret: 1}, {"a": [{"b": int(secret)}]}, [[secret], None])

    def _one_of(self, *choices: Any) -> Any:
        return self._rng.choice(choices)

    def _maybe(self) -> bool:
        return self._rng.random() < 0.5


def reports(odd: Odd) -> Iterator[bytes]:
    """Three answers: rows, the same with other telephones, and others; what has no row at all would be no report."""
    rows = [ROW | {"telephone": odd.plant("573{:09d}")}, *(odd.row() for _ in range(12))]
    yield answer(*rows)
    yield answer(*(row | {"telephone": odd.plant("573{:09d}")} if isinstance(row, dict) else row for row in rows))
    yield answer(ROW, *(odd.row() for _ in range(8)))


ROWS = 12 + 8
"""Of each example."""
private = st.sampled_from([HMAC, DROP, {**HMAC, "PRIVACY_TELEPHONE": "drop"}, {**HMAC, "PRIVACY_CUSTOMER_ID": "drop"}])


@settings(max_examples=1000 // ROWS, deadline=None)
@given(seed=st.integers(), environ=private)
def test_no_telephone_and_no_customer_id_of_a_thousand_odd_rows_leaves_the_service(
    seed: int, environ: Mapping[str, str]
) -> None:
    """Neither in a topic, the ledger among them, as key, header or value, nor in a log line or a metric."""
    odd = Odd(seed)
    said = played(environ, *reports(odd)).said()
    assert not [secret for secret in odd.planted if secret.encode() in said]


def test_with_the_defaults_they_are_on_the_topics_and_nowhere_else() -> None:
    """So the search finds what is there to be found."""
    odd = Odd(1)
    one = played({}, *reports(odd))
    told = b"\n".join(_bytes_of(one.records()))
    assert sum(secret.encode() in told for secret in odd.planted) > len(odd.planted) / 2
    beside = one.log.getvalue().encode() + one.metrics.exposition()[0]
    assert not [secret for secret in odd.planted if secret.encode() in beside]


def test_nothing_looks_at_rows_that_are_kept() -> None:
    assert privacy_of(load(config=None, environ={"WOLKVOX_SERVER": SERVER, "WOLKVOX_TOKEN": "token"})) is None


@pytest.mark.parametrize(("sent", "told"), [(TELEPHONE, hashed(TELEPHONE)), (None, None), ("", ""), (" ", " ")])
def test_a_hash_is_what_anybody_with_the_key_computes_and_what_says_nothing_stays(
    sent: str | None, told: str | None
) -> None:
    [hit] = played(HMAC, answer(ROW | {"telephone": sent})).values(Topic.HITS)
    assert (hit["telephone"], hit["customer_id"]) == (told, hashed(CUSTOMER))


def test_a_number_has_the_hash_of_its_own_digits() -> None:
    body = answer(ROW).replace(b'"%b"' % TELEPHONE.encode(), b"573001234567.10")
    [hit] = played(HMAC, body).values(Topic.HITS)
    assert hit["telephone"] == hashed("573001234567.10")


def test_a_hash_is_the_same_after_a_restart_and_another_under_another_key() -> None:
    first = played(HMAC, answer(ROW))
    again = played(HMAC, answer(ROW), kafka=first.kafka)
    assert (len(again.values(Topic.HITS)), again.values(Topic.CHANGES)) == (1, [])
    played({**HMAC, "PRIVACY_KEY": KEY[::-1]}, answer(ROW), kafka=first.kafka)
    [changed] = again.values(Topic.CHANGES)
    assert changed["telephone"] == hashed(TELEPHONE, KEY[::-1])
    assert changed["telephone"] != again.values(Topic.HITS)[0]["telephone"]


@pytest.mark.parametrize(("environ", "changes"), [(HMAC, 1), (DROP, 0)])
def test_a_change_is_one_of_what_is_told(environ: Mapping[str, str], changes: int) -> None:
    """A telephone that is not told can't change, whichever of the two processes looks."""
    first = played(environ, answer(ROW), answer(ROW | {"telephone": "573009999999"}))
    assert len(first.values(Topic.CHANGES)) == changes
    again = played(environ, answer(ROW | {"telephone": "573008888888"}), kafka=first.kafka)
    assert len(again.values(Topic.CHANGES)) == 2 * changes


def test_a_dead_letter_has_the_hash_that_a_hit_has_and_of_the_rest_only_what_is_known() -> None:
    row = {**ROW, "conn_id": None, "hit": {"of": TELEPHONE}, "Telephone": TELEPHONE}
    [dead] = played(HMAC, answer(row)).values(Topic.DEAD_LETTER)
    assert dead["row"] == {
        **ROW,
        "conn_id": None,
        "telephone": hashed(TELEPHONE),
        "customer_id": hashed(CUSTOMER),
        "hit": {"type": "object", "length": 1},
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (TELEPHONE, {"type": "string", "length": 12}),
        (int(TELEPHONE), {"type": "number", "length": 12}),
        ([TELEPHONE, CUSTOMER], {"type": "array", "length": 2}),
        (True, {"type": "boolean"}),
        (None, {"type": "null"}),
    ],
)
def test_a_row_that_is_no_object_is_told_by_its_type_and_length(row: Any, told: Any) -> None:
    [dead] = played({**DROP, "PRIVACY_EXTRA": "keep"}, answer(row)).values(Topic.DEAD_LETTER)
    assert (dead["reason"], dead["row"]) == ("not_an_object", told)


@pytest.mark.parametrize(("extra", "kept"), [("keep", {"agent": "x"}), ("drop", None)])
def test_other_fields_go_by_their_own_setting(extra: str, kept: Any) -> None:
    one = played({**DROP, "PRIVACY_EXTRA": extra}, answer(ROW | {"agent": "x"}, {**ROW, "conn_id": "", "agent": "x"}))
    [hit], [dead] = one.values(Topic.HITS), one.values(Topic.DEAD_LETTER)
    assert hit.get("extra") == kept
    assert ("agent" in dead["row"]) is (kept is not None)


def test_a_field_that_is_left_out_costs_no_hit() -> None:
    """Kept, what can't be written would make the row a dead one."""
    one = played(DROP, answer(ROW | {"agent": "\ud800"}))
    assert (len(one.values(Topic.HITS)), one.values(Topic.DEAD_LETTER)) == (1, [])


def test_dead_rows_that_read_the_same_now_are_one_and_are_told_once() -> None:
    rows = [{**ROW, "conn_id": None, "telephone": f"57300000000{number}"} for number in range(3)]
    one = played(DROP, answer(*rows), answer(*rows))
    assert len(one.values(Topic.DEAD_LETTER)) == 1
    counts = [json.loads(line) for line in one.log.getvalue().splitlines() if '"poll_done"' in line]
    assert [(line["rows"], line["dead"], line["duplicate"]) for line in counts] == [(3, 1, 2), (3, 0, 3)]


def test_a_key_that_cannot_be_read_is_a_failed_poll_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    one = Played({**DROP, "PRIVACY_TELEPHONE": "hmac", "PRIVACY_KEY_FILE": str(file)})
    file.unlink()
    with pytest.raises(Retry, match=f"PRIVACY_KEY_FILE: {file}: No such file"):
        asyncio.run(one.polls(answer(ROW)))
    file.write_text(KEY)
    asyncio.run(one.polls(answer(ROW)))
    assert [hit["telephone"] for hit in one.values(Topic.HITS)] == [hashed(TELEPHONE)]


def test_the_rows_of_a_snapshot_still_add_up() -> None:
    rows = [{**ROW, "conn_id": None, "telephone": f"57300000000{number}"} for number in range(3)]
    snapshot = snapshot_of(answer(ROW, *rows))
    privacy = privacy_of(load(config=None, environ={"WOLKVOX_SERVER": SERVER, "WOLKVOX_TOKEN": "token", **DROP}))
    found = RowReader(server=SERVER, zone=BOGOTA, privacy=privacy).identify(snapshot, known=frozenset())
    assert (len(found.hits), len(found.dead), found.repeated) == (1, 1, 2)


def test_no_part_of_the_service_reads_rows_without_it() -> None:
    """Whoever makes a reader says what it covers: rows of the live report, of the history, of a file."""
    trees = [ast.parse(path.read_text()) for path in Path(producer.__file__).parent.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    readers = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == RowReader.__name__]
    assert readers
    assert all("privacy" in {given.arg for given in call.keywords} for call in readers)
