"""A call centre that never was: a seeded stream of hits, each of them a pure function of (seed, number).

Hit number `n` occurs once, in the n-th slot of `1/rate` seconds since `start`, and is fixed for ever: when it occurred,
when the report first shows it, what it says. So a report is a pure function of time, two runs of one seed agree, and a
simulator that is started again goes on with the same stream.

Telephones are all of the block 300 000 xxxx: the shape of a Colombian mobile number, and plainly made up. Customer ids
are all of 1 000 0xx xxx. Ids of calls are unique per server; ids of chats (`190000001` …) are short and may well be the
same on two servers: an id only means something together with its server.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import blake2b
from zoneinfo import ZoneInfo

BOGOTA = ZoneInfo("America/Bogota")
INTERACTIONS = (
    *("inbound", "INBOUND", "Inbound", "outbound_ma", "OUTBOUND_MA", "out_pre", "OUT_PRE", "Out_Pre"),
    *("transfer", "TRANSFER", "conference", "internal call", "internal call_inb", "internal call_que"),
)
"""Values of `type_interaction` as public clients saw them, casing included."""
CODES = (
    *("VENTA EFECTIVA",) * 5,
    *("PROMESA DE PAGO",) * 4,
    *("ACUERDO DE PAGO", "VENTA CRUZADA", "CITA AGENDADA", "RENOVACIÓN DE CONTRATO", "PAGO TOTAL", "Venta efectiva"),
)
"""Values of `hit`, the frequent ones repeated."""
PREFIXES = ("",) * 13 + ("9",) * 3 + ("57",) * 3 + ("957",)
"""What stands before the ten digits: nothing, the dial prefix, the country code, both."""
CHAT_SHARE = 0.1
NO_CUSTOMER_SHARE = 0.15
MOST_PER_SECOND = 10_000  # the last part of a call's id counts within its second
_FULL = 2**32
_WORDS = struct.Struct("<8I")


@dataclass(frozen=True, slots=True)
class SimulatedHit:
    """One hit of the stream; times in seconds since 1970, `row` as the report shows it."""

    number: int
    occurred_at: float
    visible_at: float
    row: dict[str, str]
    later: tuple[tuple[float, str], ...] = ()
    """What its `hit` says from later moments on, in their order: typified late, and perhaps corrected."""

    @property
    def conn_id(self) -> str:
        return self.row["conn_id"]

    @property
    def is_chat(self) -> bool:
        return "." not in self.conn_id

    @property
    def closed_at(self) -> float:
        """When it was typified last, or first shown."""
        return self.later[-1][0] if self.later else self.visible_at


@dataclass(frozen=True)
class CallCentre:
    """The stream of one server: `rate` hits a second, each in the report for `window` seconds after it occurred.

    A share of `late` rows turns up between 1 and `late_by` seconds after the call (by default up to 3 minutes, at most
    half the window, so that every row is to be seen for half a window or longer). No hit occurs before `start` or from
    `end` on.

    Of the other rows a share of `typify_late`, from `typify_since` on, has an empty `hit` first and its code between 1
    and `typify_by` seconds later (by default up to 2 minutes, at most a quarter of the window); every third of those is
    corrected once, after as long again. Raises ValueError for values that make no stream.
    """

    seed: int | str = 1
    rate: float = 1.0
    window: float = 600.0
    late: float = 0.05
    late_by: float | None = None
    start: float = 0.0
    end: float = math.inf
    typify_late: float = 0.0
    typify_by: float | None = None
    typify_since: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.rate <= MOST_PER_SECOND:
            raise ValueError(f"rate: more than 0 and at most {MOST_PER_SECOND} hits a second, not {self.rate}")
        if self.window <= 0:
            raise ValueError(f"window: more than 0 seconds, not {self.window}")
        if not 0 <= self.late <= 1:
            raise ValueError(f"late: a share between 0 and 1, not {self.late}")
        if not 0 <= self.typify_late <= 1:
            raise ValueError(f"typify-late: a share between 0 and 1, not {self.typify_late}")

    def hit(self, number: int) -> SimulatedHit:
        """Hit `number` of the stream, the same at each call."""
        slot, lateness, delay, *content = _words(self.seed, number)
        occurred_at = self.start + (number + slot / _FULL) / self.rate
        row = _row(self._site, number, occurred_at, content)
        if lateness / _FULL < self.late:
            return SimulatedHit(number, occurred_at, occurred_at + _between(1.0, self._latest, delay), row)
        later = self._later(number, occurred_at, row["hit"])
        return SimulatedHit(number, occurred_at, occurred_at, row | {"hit": ""} if later else row, later)

    def numbers(self, now: float) -> range:
        """The numbers that can be in the report at `now`: those in it, and at most a few at either edge."""
        return self.numbers_between(now - self.window, min(now, self.end))

    def numbers_between(self, begin: float, end: float) -> range:
        """The numbers of what occurred between two moments, and at most a few at either edge."""
        first = math.floor((begin - self.start) * self.rate) - 1
        last = math.ceil((end - self.start) * self.rate) + 1
        return range(max(0, first), max(0, first, last))

    def shows(self, hit: SimulatedHit, now: float) -> bool:
        """Whether the report at `now` contains `hit`."""
        return hit.visible_at <= now < hit.occurred_at + self.window and hit.occurred_at < self.end

    def hits(self, now: float) -> list[SimulatedHit]:
        """The hits in the report at `now`, in the order of their calls; late ones therefore appear in the middle."""
        return [hit for hit in map(self.hit, self.numbers(now)) if self.shows(hit, now)]

    def rows(self, now: float) -> list[dict[str, str]]:
        """The rows of the report at `now`: `hits` as the API sends them."""
        return [
            next((row for since, row in reversed(versions(hit)) if since <= now), hit.row) for hit in self.hits(now)
        ]

    def _later(self, number: int, occurred_at: float, code: str) -> tuple[tuple[float, str], ...]:
        if not self.typify_late or occurred_at < self.typify_since:
            return ()
        share, first, corrected, second, other, *_ = _words(f"{self.seed}/typified", number)
        if share / _FULL >= self.typify_late:
            return ()
        slowest = min(120.0, self.window / 4) if self.typify_by is None else self.typify_by
        typified_at = occurred_at + _between(1.0, slowest, first)
        if corrected % 3:
            return ((typified_at, code),)
        wrong = next(one for one in CODES[other % len(CODES) :] + CODES if one != code)
        return ((typified_at, wrong), (typified_at + _between(1.0, slowest, second), code))

    @cached_property
    def _latest(self) -> float:
        return min(180.0, self.window / 2) if self.late_by is None else self.late_by

    @cached_property
    def _site(self) -> tuple[int, ...]:
        # The leading parts of a call's id are the same for long stretches in the samples: operation, campaign.
        return tuple(1000 + word % 9000 for word in _words(self.seed, -1)[:2])


def versions(hit: SimulatedHit) -> list[tuple[float, dict[str, str]]]:
    """A hit's rows, each with the moment from which on the report shows it."""
    return [(hit.visible_at, hit.row), *((since, hit.row | {"hit": code}) for since, code in hit.later)]


def _between(least: float, most: float, word: int) -> float:
    return min(least, most) + word / _FULL * max(0.0, most - least)


def _words(seed: int | str, number: int) -> tuple[int, ...]:
    # A hash instead of random.Random: hit 9,000,000 is as cheap as hit 0, and the same on every Python.
    return _WORDS.unpack(blake2b(f"{seed}/{number}".encode(), digest_size=_WORDS.size).digest())


def _row(site: tuple[int, ...], number: int, occurred_at: float, content: list[int]) -> dict[str, str]:
    chat, interaction, telephone, customer, code = content
    is_chat = chat / _FULL < CHAT_SHARE
    call_id = f"{site[0]}.{site[1]}.{1000 + chat % 90}.{int(occurred_at)}.{number % MOST_PER_SECOND}"
    return {
        "conn_id": str(190_000_001 + number % 800_000_000) if is_chat else call_id,
        "type_interaction": "inbound" if is_chat else INTERACTIONS[interaction % len(INTERACTIONS)],
        "date": _date(int(occurred_at)),
        "telephone": f"{PREFIXES[telephone % len(PREFIXES)]}300000{telephone // 32 % 10_000:04}",
        "customer_id": "" if customer / _FULL < NO_CUSTOMER_SHARE else f"10000{customer % 100_000:05}",
        "hit": CODES[code % len(CODES)],
    }


@lru_cache(maxsize=4096)
def _date(second: int) -> str:
    return datetime.fromtimestamp(second, BOGOTA).strftime("%Y%m%d%H%M%S")
