"""What an answer's headers say of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime


def age_of(headers: Mapping[str, str]) -> float:
    """Seconds that an answer has been in caches, by its Age; 0 without a usable one. Of several the largest counts."""
    ages = (text.strip() for text in headers.get("age", "").split(","))
    return max((_seconds(text) for text in ages if _is_number(text)), default=0.0)


def retry_after(headers: Mapping[str, str], *, wall: float) -> float | None:
    """Seconds that the header Retry-After asks to wait, given in seconds or as a date; None without a usable one.

    A date is counted from the answer's own Date, so that a clock that differs from ours does no harm; else from `wall`.
    """
    text = headers.get("retry-after", "").strip()
    if _is_number(text):
        return _seconds(text)
    until = http_date(text)
    if until is None:
        return None
    now = http_date(headers.get("date", ""))
    return max(0.0, until - (wall if now is None else now))


def http_date(text: str) -> float | None:
    """An HTTP date in Unix seconds, in UTC unless it names a zone (RFC 9110); None if it is none."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):  # the last two: hostile dates on Python 3.11
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _seconds(digits: str) -> float:
    return float(digits[:10])  # three centuries will do; a longer number would be infinite
