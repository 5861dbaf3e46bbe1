"""An error of the API, named by what the caller must do: the status and, for 403, the words decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from unicodedata import combining, normalize

from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Refused, Retry, SlowDown

_READ = 4_000
"""Characters of a text that are looked at."""
_TAGS = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer's own words; `is_page` if they are those of an HTML page."""

    text: str
    is_page: bool = False


_BUSY = (
    r"simultane|concurren|rate limit|rate exceeded|too many|demasiad|throttl"
    r"|being (?:used|consumed)|siendo (?:consumi|usa|utiliza)d"
)
_UNFIT = (
    r"\b(?:in)?(?:valid|correct)|\b(?:expir|vencid|caduc|revo[ck]|inexistent|autoriz|authori)"
    r"|\b(?:no existe|block|bloque|inactiv|disabled)"
)
_AWAY = (
    r"maintenance|mantenimiento|backup|copia de seguridad|respaldo"
    r"|unavailable|no disponible|fuera de linea|offline|try again|intente"
)
_FORBIDDEN: tuple[tuple[type[PollFailed], tuple[str, ...]], ...] = (
    # The order matters: "exceeds the limit of simultaneous requests per token" speaks of limit and token as well.
    (SlowDown, (_BUSY,)),
    (QuotaSpent, (r"\b(?:limit|quota|cuota|maxim)", r"\b(?:token|daily|diari|consum|dia\b|day\b)")),
    (BadToken, (r"\btoken", _UNFIT)),
    (Retry, (_AWAY,)),
)
"""What each kind of 403 says, in letters without accents: English as on the vendor's page, and Spanish."""

_MEANING: dict[type[PollFailed], str] = {
    Retry: "the API is not available now",
    SlowDown: "the token is in use elsewhere or called too often",
    QuotaSpent: "today's calls of the operation are used up",
    BadToken: "the API does not accept the token",
    Refused: "the API refuses the call",
    NotASnapshot: "the answer is no report",
}


def refusal(code: int, said: Said, *, words: str, after: float | None) -> PollFailed:
    """The error that an answer's code and text mean; `words` is the part of the text that may be shown."""
    kind = _kind(code, said)
    detail = f": {words}" if words else ""
    return kind(f"{_MEANING[kind]} ({code}){detail}", after=after)


def said_in(content: Any) -> Said:
    """What an answer's value says in words: a text itself, or a field for them."""
    fields = ("msg", "message", "error")
    found = [content.get(name) for name in fields] if isinstance(content, dict) else [content]
    return Said(next((text for text in found if isinstance(text, str) and text.strip()), ""))


def said_on(page: bytes | bytearray) -> Said:
    """What somebody reads on a page that is no JSON."""
    beginning = page[:_READ]
    try:
        text = beginning.decode()
    except UnicodeDecodeError:
        text = beginning.decode("cp1252", "replace")
    is_html = text.lstrip()[:1] == "<"
    return Said(" ".join(unescape(_TAGS.sub(" ", text)).split()), is_page=is_html)


def _kind(code: int, said: Said) -> type[PollFailed]:
    if code == 403:
        words = folded(said.text[:_READ])
        kinds = (kind for kind, needed in _FORBIDDEN if all(re.search(pattern, words) for pattern in needed))
        kind = next(kinds, Refused)
        # A page is no answer of the API: its token is that of somebody's session.
        return Refused if said.is_page and kind is BadToken else kind
    if code == 401:
        return BadToken
    if code == 429:
        return SlowDown
    if code == 408 or code >= 500:
        return Retry
    return Refused if 400 <= code != 404 else NotASnapshot


def folded(text: str) -> str:
    """In small letters without their accents, on one line; also those that a page writes as entities."""
    letters = "".join(char for char in normalize("NFKD", unescape(text).casefold()) if not combining(char))
    return " ".join(letters.split())
