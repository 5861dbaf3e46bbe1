"""One server of the simulated API: its stream of hits, its token and quota, and what it has really shown."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime

import orjson

from producer.demo.simulator.answers import (
    BAD_TOKEN,
    NO_REPORT,
    NO_TOKEN,
    QUOTA_SPENT,
    UNKNOWN_REPORT,
    Answer,
    Row,
    envelope,
)
from producer.demo.simulator.callcentre import BOGOTA, CallCentre, SimulatedHit, versions
from producer.demo.simulator.faults import FaultSwitch
from producer.demo.simulator.historical import HISTORY

ANY_TOKEN = "any"  # noqa: S105  # a word for "no check", not a secret
HITS = ("real_time", "hits_last_hour")
TOKEN_INFO = ("information", "token_info")


class Audit:
    """What was shown, and what was there to be shown but left the report unseen.

    Shown means: handed to the network in a whole answer, on a connection that was open to the end.
    """

    def __init__(self, *, started: float) -> None:
        self.shown: dict[str, float] = {}
        """conn_id to the time of the first answer with it; grows for as long as the simulator runs."""
        self.said: dict[str, list[str]] = {}
        """What the `hit` of each row that may change said, in the order shown, each as often as it was another."""
        self._started = started
        self._unseen: list[SimulatedHit] = []
        self._next: int | None = None

    def record(self, answer: Answer, now: float) -> None:
        """Take what an answer shows as shown at `now`."""
        for conn_id in answer.shown:
            self.shown.setdefault(conn_id, now)
        for conn_id, says in answer.saying if answer.shown else ():
            said = self.said.setdefault(conn_id, [])
            if said[-1:] != [says]:
                said.append(says)

    def never_shown(self, centre: CallCentre, now: float) -> list[SimulatedHit]:
        """The hits that the report could have shown since the start and no longer can at `now`, in their order."""
        first = centre.numbers(self._started).start if self._next is None else self._next
        for number in range(first, centre.numbers(now).stop):
            hit = centre.hit(number)
            if hit.occurred_at + centre.window > now or hit.occurred_at >= centre.end:
                break
            self._next = number + 1
            if hit.occurred_at + centre.window > self._started and hit.conn_id not in self.shown:
                self._unseen.append(hit)
        return list(self._unseen)


class SimulatedSource:
    """One server; a token of `any` accepts every token, the limits still hold for each."""

    def __init__(self, *, server: str, token: str, centre: CallCentre, quota: int, started: float) -> None:
        self.server = server
        self.token = token
        self.centre = centre
        self.faults = FaultSwitch()
        self.audit = Audit(started=started)
        self.requests = 0
        """Every request for this server, refused ones included."""
        self.polls = 0
        """Whole answers with status 200 to the report of hits, whatever was in them."""
        self._quota = quota
        self._day = ""
        self._used: dict[str, int] = {}
        self._rows: deque[list[tuple[float, float, Row]]] = deque()
        self._made = range(0)
        self._held: float | None = None

    @property
    def shown(self) -> set[str]:
        """Every conn_id that an event must exist for."""
        return set(self.audit.shown)

    def stop_calls(self, now: float) -> None:
        """No hit occurs from `now` on; what occurred is still shown for its window."""
        self.centre = replace(self.centre, end=min(now, self.centre.end))
        self._made = range(0)

    def typify_late(self, share: float, now: float) -> None:
        """Of the calls from `now` on such a share is typified after it was first shown. Raises ValueError."""
        self.centre = replace(self.centre, typify_late=share, typify_since=now)
        self._made = range(0)

    def refusal(self, token: str, call: tuple[str, str], now: float) -> Answer | None:
        """The reason not to answer this call, in the API's words; else the call is counted against the quota."""
        if not token:
            return NO_TOKEN
        if self.token not in (ANY_TOKEN, token):
            return BAD_TOKEN
        if not call[1]:
            return NO_REPORT
        if call not in (HITS, TOKEN_INFO, *HISTORY):
            return UNKNOWN_REPORT
        if self._used_today(now) >= self._quota:
            return QUOTA_SPENT
        self._used[token] = self._used.get(token, 0) + 1
        return None

    def hold(self, now: float | None) -> None:
        """Show the report as it is at `now`, or was when this was first asked; None lets it go on."""
        self._held = None if now is None else self._held or now

    def rows(self, now: float) -> list[Row]:
        """The report's rows at `now`; made once, kept while they can be in the report."""
        now = self._held or now
        self._roll(self.centre.numbers(now))
        return [row for one in self._rows for visible, gone, row in one if visible <= now < gone]

    def token_info(self, token: str, now: float) -> Answer:
        """What the quota allows, in the fields of the vendor's page, all of them strings."""
        used = self._used_today(now)
        info = {
            "description": "simulated",
            "token_limit": str(self._quota),
            "token_use_today": str(self._used.get(token, 0)),
            "all_token_today": str(used),
            "available_consumption_options": str(self._quota - used),
        }
        return Answer(envelope(msg="1 records were found", data=[info]))

    def _used_today(self, now: float) -> int:
        day = datetime.fromtimestamp(now, BOGOTA).date().isoformat()
        if day != self._day:
            self._day, self._used = day, {}
        return sum(self._used.values())

    def _roll(self, numbers: range) -> None:
        made = self._made
        if not made.start <= numbers.start <= made.stop:  # at first, after an idle window, or with a clock set back
            self._rows.clear()
            made = range(numbers.start, numbers.start)
        for _ in range(made.start, numbers.start):
            self._rows.popleft()
        for number in range(made.stop, numbers.stop):
            self._rows.append(self._encoded(self.centre.hit(number)))
        self._made = range(numbers.start, max(made.stop, numbers.stop))

    def _encoded(self, hit: SimulatedHit) -> list[tuple[float, float, Row]]:
        """Each version of its row, from when to when it is shown."""
        gone = hit.occurred_at + self.centre.window if hit.occurred_at < self.centre.end else hit.visible_at
        if not hit.later:
            return [(hit.visible_at, gone, Row(hit.conn_id, orjson.dumps(hit.row)))]
        rows = versions(hit)
        ends = [min(gone, since) for since, _ in rows[1:]] + [gone]
        return [
            (since, end, Row(hit.conn_id, orjson.dumps(row), row["hit"]))
            for (since, row), end in zip(rows, ends, strict=True)
        ]
