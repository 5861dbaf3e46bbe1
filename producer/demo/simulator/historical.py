"""The historical reports of the simulated API: the same hits as its report of the last hour, and calls that were none.

activity_codes               which codes are hits
cdr_1, chat_1                calls and chats between two moments of the operation's clock, a month at most

Calls are found by their date, chats by the moment at which they were closed. A call is there as it was typified last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from producer.demo.simulator.answers import NO_REPORT, NONE_FOUND, Answer, envelope
from producer.demo.simulator.callcentre import BOGOTA, CODES, MOST_PER_SECOND, CallCentre, SimulatedHit, versions
from producer.model import RECORD_CAP

CODES_OF = ("information", "activity_codes")
CALLS, CHATS = ("reports_manager", "cdr_1"), ("reports_manager", "chat_1")
HISTORY = (CODES_OF, CALLS, CHATS)
_MONTH = timedelta(days=31)
_NO_HIT, _UNTYPIFIED = "OCUPADO", "TIMEOUTACW"
"""A call that nobody answered; one that nobody typified."""


class Flaw(StrEnum):
    """What may be wrong with the history while the report of the last hour is right."""

    OTHER_IDS = "history-other-ids"
    LATE = "history-late"
    MISSING = "history-404"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of one of the reports, at `now`; `flaw` with its argument in seconds."""

    call: tuple[str, str]
    query: Mapping[str, str]
    now: float
    flaw: Flaw | None = None
    seconds: float = 0.0


def historical(centre: CallCentre, asked: Asked) -> Answer:
    """What the reports say; every call of a hit has the id of its hit."""
    if asked.flaw is Flaw.MISSING:
        return NONE_FOUND
    rows = list(_codes()) if asked.call == CODES_OF else _rows(centre, asked)
    if rows is None:
        return NO_REPORT
    if not rows:
        return NONE_FOUND
    return Answer(envelope("200", msg=f"{len(rows)} records were found", data=rows))


def _codes() -> Iterator[dict[str, str]]:
    texts = {_code(text): text for text in (*reversed(CODES), _NO_HIT)} | {_UNTYPIFIED: ""}
    for number, (code, text) in enumerate(texts.items()):
        flag = ("no", "No") if code in (_NO_HIT, _UNTYPIFIED) else ("yes", "YES")
        yield {"cod_act": code, "description_cod_act": text, "hit": flag[number % 2], "rpc": "no", "chat": "yes"}


def _rows(centre: CallCentre, asked: Asked) -> list[dict[str, str]] | None:
    begin, end = (_moment(asked.query.get(name, "")) for name in ("date_ini", "date_end"))
    if begin is None or end is None:
        return None
    if not timedelta(0) <= end - begin <= _MONTH:
        return []
    hits = _between(centre, begin.timestamp(), end.timestamp(), asked)
    rows = (row for hit in hits for row in (_chat if asked.call == CHATS else _calls)(hit, asked))
    return list(islice(rows, RECORD_CAP))


def _between(centre: CallCentre, begin: float, end: float, asked: Asked) -> Iterator[SimulatedHit]:
    """By the second: what occurred within one is of that second."""
    last = min(end + 1, asked.now, centre.end)
    for number in centre.numbers_between(begin - centre.window, last):
        hit = centre.hit(number)
        moment = hit.closed_at if hit.is_chat else hit.occurred_at
        is_there = begin <= int(moment) <= end and moment <= asked.now and hit.occurred_at < centre.end
        if is_there and hit.is_chat == (asked.call == CHATS):
            yield hit


def _calls(hit: SimulatedHit, asked: Asked) -> Iterator[dict[str, str]]:
    """The call of the hit, and the one before it, which nobody answered."""
    yield _row(hit, asked, telephone="telephone", kind="type_interaction")
    busy = hit.conn_id.rpartition(".")[0] + f".{MOST_PER_SECOND + hit.number % MOST_PER_SECOND}"
    yield _row(hit, asked, telephone="telephone", kind="type_interaction", conn_id=busy, code=_NO_HIT)


def _chat(hit: SimulatedHit, asked: Asked) -> Iterator[dict[str, str]]:
    yield _row(hit, asked, telephone="customer_phone", kind="channel") | {"date_close": _date(hit.closed_at)}


def _row(
    hit: SimulatedHit, asked: Asked, *, telephone: str, kind: str, conn_id: str = "", code: str = ""
) -> dict[str, str]:
    conn_id, text = conn_id or hit.conn_id, code or _said(hit, asked)
    return {
        "conn_id": f"9{conn_id}" if asked.flaw is Flaw.OTHER_IDS else conn_id,
        "date": _date(hit.occurred_at),
        kind: hit.row["type_interaction"],
        telephone: hit.row["telephone"],
        "customer_id": hit.row["customer_id"],
        "cod_act": _code(text),
        "description_cod_act": text,
        "agent_id": "1001",
        "comment": "",
    }


def _said(hit: SimulatedHit, asked: Asked) -> str:
    """What the call was typified as by now; codes that come late are not there yet."""
    then = asked.now - asked.seconds if asked.flaw is Flaw.LATE else asked.now
    said = [row["hit"] for since, row in versions(hit) if since <= then]
    return said[-1] if said else ""


def _code(text: str) -> str:
    return "_".join(text.upper().split()) or _UNTYPIFIED


def _moment(text: str) -> datetime | None:
    if len(text) != len("YYYYmmddHHiiss") or not (text.isascii() and text.isdigit()):
        return None
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}").replace(tzinfo=BOGOTA)
    except ValueError:
        return None


def _date(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), BOGOTA).strftime("%Y-%m-%d %H:%M:%S")
