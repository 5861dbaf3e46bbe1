"""What the historical reports say were hits: calls and chats whose activity code is one, as rows of the live report.

    activity_codes (kept an hour) -> which codes are hits
    cdr_1, by the time of the call -----\
    chat_1, by the time of its closing --> rows whose code is one -> the live report's six fields

Each call of the API is one of the operation's calls of a day, and is made in its token's turn: never beside a poll.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from producer.clock import Clock, Moment, elapsed
from producer.errors import NotASnapshot
from producer.model import RECORD_CAP, Snapshot
from producer.wolkvox.envelope import Answer
from producer.wolkvox.history_rows import CALLS, CHATS, Historical, Page, read_codes, read_page
from producer.wolkvox.masking import Shown
from producer.wolkvox.ranges import Stretch

Read = TypeVar("Read")

_CODES = "information.php?api=activity_codes"
CODES_KEPT = 3_600.0
"""Seconds; codes are set up by people, and a call costs one of the day's."""
CLOSES_WITHIN = 25 * 3_600.0
"""Seconds from a chat's opening to its closing, by which chat_1 filters: 23 hours were seen where nobody typified."""
SHORTEST = 60.0
"""Seconds; a full answer to no more than this is no history but a report that does not heed its dates."""


class Calls(Protocol):
    """What makes the calls: the source's `WolkvoxApi`, or somebody who has more patience."""

    async def call(self, path: str, read: Callable[[Answer, Shown], Read]) -> tuple[Answer, Read]:
        """One call of any report, and what `read` makes of it; raises PollFailed."""
        ...


class WolkvoxHistory:
    """One server's history. `hit` is the field that gives a hit its text: RECOVER_HIT.

    `turn` gives the token's turn. `cap` is the number of rows at which an answer may be cut off.
    """

    def __init__(
        self,
        *,
        server: str,
        api: Calls,
        zone: ZoneInfo,
        hit: str,
        turn: Callable[[], AbstractAsyncContextManager[None]],
        clock: Clock,
        cap: int = RECORD_CAP,
    ) -> None:
        self._server = server
        self._api = api
        self._zone = zone
        self._hit = hit
        self._turn = turn
        self._clock = clock
        self._cap = cap
        self._codes: tuple[Moment, frozenset[str]] | None = None

    def calls(self, begin: float, end: float) -> int:
        """How many calls `fetch` will cost at least: more where an answer is full and must be asked for in halves."""
        wanted = sum(1 for report in (CALLS, CHATS) for _ in self._asked(report, begin, end).pieces())
        return wanted + (self._known_codes() is None)

    async def fetch(self, begin: float, end: float) -> Snapshot:
        """The hits between two Unix seconds, by the date that the live report shows; raises PollFailed.

        A chat's date is that of its opening. Rows without a date that can be read are among them.
        """
        codes = await self._hit_codes()
        requested, pages = self._clock.now(), list[Page]()
        for report in (CALLS, CHATS):
            for piece in self._asked(report, begin, end).pieces():
                pages += [page async for page in self._pages(report, piece, Stretch.around(begin, end), codes)]
        return Snapshot(
            server=self._server,
            requested=requested,
            received=self._clock.now(),
            rows=[row for page in pages for row in page.hits],
            drift=dict(sum((Counter(page.drift) for page in pages), Counter())),
            not_found=all(page.not_found for page in pages),
        )

    def _asked(self, report: Historical, begin: float, end: float) -> Stretch:
        """What to ask for: a chat that was opened within may have been closed a day later, and none in the future."""
        latest = end if report is CALLS else max(end, min(end + CLOSES_WITHIN, self._clock.now().wall))
        return Stretch.around(begin, latest)

    async def _pages(
        self, report: Historical, piece: Stretch, wanted: Stretch, codes: frozenset[str]
    ) -> AsyncIterator[Page]:
        page = await self._page(report, piece, wanted, codes)
        if page.rows < self._cap:
            yield page
            return
        if piece.end - piece.begin <= SHORTEST:
            raise NotASnapshot(
                f"the answer is no history: {page.rows} rows of {report.name} in {piece.end - piece.begin:g} s"
            )
        for half in piece.halves():
            async for part in self._pages(report, half, wanted, codes):
                yield part

    async def _page(self, report: Historical, piece: Stretch, wanted: Stretch, codes: frozenset[str]) -> Page:
        first, last = piece.texts(self._zone)
        path = f"reports_manager.php?api={report.name}&date_ini={first}&date_end={last}"
        dated = partial(wanted.date, zone=self._zone)
        return await self._ask(path, partial(read_page, report=report, codes=codes, hit=self._hit, dated=dated))

    async def _hit_codes(self) -> frozenset[str]:
        codes = self._known_codes()
        if codes is None:
            codes = await self._ask(_CODES, read_codes)
            self._codes = (self._clock.now(), codes)
        return codes

    def _known_codes(self) -> frozenset[str] | None:
        if self._codes is None or elapsed(self._codes[0], self._clock.now()) >= CODES_KEPT:
            return None
        return self._codes[1]

    async def _ask(self, path: str, read: Callable[[Answer, Shown], Read]) -> Read:
        async with self._turn():
            _, found = await self._api.call(path, read)
        return found
