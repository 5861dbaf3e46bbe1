"""What the API tells about a token and its daily quota: `information.php?api=token_info`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from producer.clock import Moment
from producer.errors import NotASnapshot
from producer.values import Number
from producer.wolkvox.envelope import Answer, check_code, read_content
from producer.wolkvox.headers import http_date
from producer.wolkvox.masking import Shown

_COUNTS = ("token_limit", "token_use_today", "all_token_today", "available_consumption_options")


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token's quota, in calls; None where the API says nothing that is a number.

    `server_time` is the answer's Date header in Unix seconds (whole ones), to compare with the clock: the answer was
    made between `requested` and `received`.
    """

    token_limit: int | None
    """Calls a day that the operation may make with all its tokens together."""
    token_use_today: int | None
    """Calls made with this token today."""
    all_token_today: int | None
    """Calls made with all tokens today."""
    available_consumption_options: int | None
    requested: Moment
    received: Moment
    server_time: float | None

    @property
    def calls_left(self) -> int | None:
        """Calls that may still be made today, None if that can't be said."""
        if self.available_consumption_options is not None:
            return max(0, self.available_consumption_options)
        if self.token_limit is None or self.all_token_today is None:
            return None
        return max(0, self.token_limit - self.all_token_today)


def read_token_info(answer: Answer, shown: Shown) -> TokenInfo:
    """The token's quota in an answer; raises the PollFailed that the answer means."""
    content = read_content(answer, shown).value
    if check_code(content, answer, shown) == 404:
        raise NotASnapshot("the answer holds no token info: this server does not have that report")
    found = _record(content)
    counts = {name: _count(found.get(name)) for name in _COUNTS}
    return TokenInfo(
        **counts,
        requested=answer.requested,
        received=answer.received,
        server_time=http_date(answer.headers.get("date", "")),
    )


def _record(content: Any) -> Mapping[str, Any]:
    # Nothing is documented about where the fields are: in `data`, as an object or in a list, or at the top.
    data = content.get("data") if isinstance(content, dict) else content
    places = [*(data if isinstance(data, list) else [data]), content]
    for place in places:
        if isinstance(place, dict) and any(name in place for name in _COUNTS):
            return place
    raise NotASnapshot("the answer holds no token info: none of its fields is there")


def _count(value: Any) -> int | None:
    if isinstance(value, Number):
        value = value.value()
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)
