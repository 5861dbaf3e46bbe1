"""An error of the API, named by what the caller must do: the status and, for 403, the words decide."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Refused, Retry, SlowDown

_FORBIDDEN: tuple[tuple[str, type[PollFailed]], ...] = (
    # The order matters: "exceeds the limit of simultaneous requests per token" speaks of limit and token as well.
    ("simultaneous", SlowDown),
    ("token limit", QuotaSpent),
    ("validate token", BadToken),
    ("maintenance", Retry),
    ("backup", Retry),
)

_MEANING: dict[type[PollFailed], str] = {
    Retry: "the API is not available now",
    SlowDown: "the token is in use elsewhere or called too often",
    QuotaSpent: "today's calls of the operation are used up",
    BadToken: "the API does not accept the token",
    Refused: "the API refuses the call",
    NotASnapshot: "the answer is no report",
}


def refusal(code: int, *, msg: object, words: str, after: float | None) -> PollFailed:
    """The error that an answer's code and `msg` mean; `words` is the part of `msg` that may be shown."""
    kind = _kind(code, msg)
    detail = f": {words}" if words else ""
    return kind(f"{_MEANING[kind]} ({code}){detail}", after=after)


def retry_after(headers: Mapping[str, str], *, wall: float) -> float | None:
    """Seconds that the header Retry-After asks to wait, given in seconds or as a date; None without a usable one.

    A date is counted from the answer's own Date, so that a clock that differs from ours does no harm; else from `wall`.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])  # three centuries will do; a longer number would be infinite
    until = http_date(text)
    if until is None:
        return None
    now = http_date(headers.get("date", ""))
    return max(0.0, until - (wall if now is None else now))


def http_date(text: str) -> float | None:
    """An HTTP date in Unix seconds, None if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):  # the last two: hostile dates on Python 3.11
        return None


def _kind(code: int, msg: object) -> type[PollFailed]:
    if code == 403:
        words = " ".join(msg.lower().split()) if isinstance(msg, str) else ""
        return next((kind for phrase, kind in _FORBIDDEN if phrase in words), Refused)
    if code == 401:
        return BadToken
    if code == 429:
        return SlowDown
    if code == 408 or code >= 500:
        return Retry
    return Refused if 400 <= code != 404 else NotASnapshot
