"""Any value to one that may stand in a log line: short, printable, and free of what an exception may carry."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from producer.errors import WolkvoxHitsError, place_of

TEXT_LIMIT: Final = 300
LIST_LIMIT: Final = 100

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

# A telephone or a customer id has seven digits or more; a port, a status or an error code has fewer.
_LONG_NUMBER: Final = re.compile(r"\d{7,}")


def plain(value: object) -> Plain:
    """`value` as JSON can hold it; what is neither a number, a text nor a collection of them becomes its type's name.

    Of our own errors the text is kept (errors.py promises that it holds nothing secret), of others type and place.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, str):
        return text(value)
    if isinstance(value, WolkvoxHitsError):
        return text(str(value))
    return raised(value) if isinstance(value, BaseException) else _collection(value)


def _collection(value: object) -> Plain:
    if isinstance(value, Mapping):
        return {text(str(key)): plain(item) for key, item in list(value.items())[:LIST_LIMIT]}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value[:LIST_LIMIT]]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)[:LIST_LIMIT]
    return type(value).__name__


def text(value: str) -> str:
    """At most TEXT_LIMIT characters of `value`; what does not print, line breaks and lone surrogates too, escaped."""
    cut = value if len(value) <= TEXT_LIMIT else value[: TEXT_LIMIT - 1] + "…"
    if cut.isprintable():
        return str(cut)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def foreign(message: str) -> str:
    """A library's message: its first line only (asyncio puts whole objects into the second), long numbers masked."""
    first = message.partition("\n")[0]
    return text(_LONG_NUMBER.sub("#", first))


def raised(error: BaseException) -> str:
    """The exception's type and the place that raised it, without its text, which may quote an answer or a record."""
    return text(f"{type(error).__name__}{place_of(error)}")
