"""Hits, changes, dead letters, gaps and their recovery as Kafka records: CloudEvents 1.0, Kafka binding, binary mode.

Nothing leaves that its own schema refuses. A hit that does not fit comes back as a `Refusal`, and the caller makes the
dead letter; a dead letter or a gap that does not fit is our own bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from producer.clock import rfc3339
from producer.errors import WolkvoxHitsError
from producer.events import encoding
from producer.events.catalogue import writer
from producer.events.encoding import NotEncodable
from producer.events.headers import constant
from producer.events.hits import LONGEST_POINTER, HitRecords, Refusal
from producer.events.record import Record, size
from producer.model import Method, Topic
from producer.values import encodable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.model import DeadRow, Gap, GapRecovered, Header, Hit, HitChanged, Series


class BrokenContract(WolkvoxHitsError):
    """A dead letter or a gap that its own schema refuses: a bug in this service, told without the row."""


class Events:
    """The events of one source; `server` is its four digits, `recovered` marks hits that no live report showed.

    `limit` is always the topic's message limit in bytes (`max.message.bytes`).
    """

    def __init__(self, *, server: str, recovered: Method | None = None) -> None:
        self._server = server
        self._prefix = f"{server}/".encode()
        self._hits = HitRecords(Topic.HITS, server=server, recovered=recovered)
        self._changes = HitRecords(Topic.CHANGES, server=server)
        self._constant = {name: constant(name, server) for name in ("dead_letter", "coverage_gap", "gap_recovered")}

    def hit(self, hit: Hit, *, limit: int) -> Record | Refusal:
        """The record of one hit, or why there is none."""
        return self._hits.one(hit, limit=limit)

    def together(self, hits: Sequence[Hit], *, limit: int) -> Series | None:
        """The records of one or more hits of one snapshot, as `hit` makes them; None if it must look at each."""
        return self._hits.together(hits, limit=limit)

    def change(self, changed: HitChanged, *, limit: int) -> Record | Refusal:
        """The record of one change, or why there is none."""
        return self._changes.one(changed, limit=limit)

    def dead_letter(self, dead: DeadRow, *, observed_at: str, limit: int) -> Record:
        """The record of a row that is no hit, its row trimmed if it would exceed `limit`; raises BrokenContract."""
        envelope = {
            "server": self._server,
            "observed_at": observed_at,
            "reason": dead.reason.value,
            "pointer": encodable(dead.pointer) if len(dead.pointer) <= LONGEST_POINTER else "",
            "row": None,
        }
        _must_fit("dead_letter", envelope)
        key = dead.key.encode()
        headers = self._headers("dead_letter", self._prefix + key, observed_at, key)
        try:
            record = Record(Topic.DEAD_LETTER, key, encoding.leniently({**envelope, "row": dead.row}), headers)
            if size(record) <= limit:
                return record
        except NotEncodable:
            pass
        frame = {**envelope, "trimmed": True}
        room = limit - size(Record(Topic.DEAD_LETTER, key, encoding.leniently(frame), headers))
        frame["row"] = encoding.trim(dead.row, budget=room)
        return Record(Topic.DEAD_LETTER, key, encoding.leniently(frame), headers)

    def coverage_gap(self, gap: Gap, *, observed_at: str) -> Record:
        """The record of a gap; its id depends on the gap alone, so it is the same after a restart.

        Raises BrokenContract.
        """
        start = rfc3339(gap.start)
        value = {
            "server": gap.server,
            "from": start,
            "to": rfc3339(gap.end),
            "kind": gap.kind.value,
            "certain": gap.certain,
        }
        _must_fit("coverage_gap", value)
        key = gap.server.encode()
        identity = f"{gap.server}/{gap.kind.value}/{start}".encode()
        headers = self._headers("coverage_gap", identity, observed_at, key)
        return Record(Topic.COVERAGE, key, encoding.exactly(value), headers)

    def gap_recovered(self, recovered: GapRecovered, *, observed_at: str) -> Record:
        """The record of a gap that was healed; its id depends on the gap alone. Raises BrokenContract."""
        start = rfc3339(recovered.start)
        value = {
            "server": recovered.server,
            "from": start,
            "to": rfc3339(recovered.end),
            "method": recovered.method.value,
            "found": recovered.found,
            "published": recovered.published,
            "already_told": recovered.already_told,
            "observed_at": observed_at,
        }
        _must_fit("gap_recovered", value)
        key = recovered.server.encode()
        identity = f"{recovered.server}/recovered/{start}".encode()
        headers = self._headers("gap_recovered", identity, observed_at, key)
        return Record(Topic.COVERAGE, key, encoding.exactly(value), headers)

    def _headers(self, name: str, identity: bytes, observed_at: str, subject: bytes) -> list[Header]:
        own = ("ce_time", observed_at.encode()), ("ce_id", identity), ("ce_subject", subject)
        return [*self._constant[name], *own]


def _must_fit(name: str, value: dict[str, Any]) -> None:
    error = next(iter(writer(name).iter_errors(value)), None)
    if error is not None:
        # Only the rule and the field: an error's own text repeats the value.
        where = "/".join(map(str, error.instance_path))
        raise BrokenContract(f"{name} breaks its own schema: {error.kind.name} at /{where}")
