"""Whether an answer without rows may be believed: a quiet hour, or a failure that calls itself a success.

Believing the second would cover time that nobody saw, and no gap would tell of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from producer.errors import NotASnapshot
from producer.values import Number
from producer.wolkvox.masking import Shown
from producer.wolkvox.parsing import Body
from producer.wolkvox.refusal import folded, said_on

_NOTHING = {"", "null", "none", "nil", "undefined", "false", "0", "no", "ok", "success", "n/a", "-", "no error"}
"""Texts of an `error` that stand for none: the vendor's own collection has one with the text `null`."""
_COUNTED = re.compile(
    r"([0-9][0-9.,]*)\s+(?:records?|rows?|hits?|results?|registros?|resultados?)\b"
    r"|(?:records?|rows?|hits?|results?|registros?|resultados?)\s+(?:found|encontrados)\s*:\s*([0-9][0-9.,]*)",
    re.IGNORECASE,
)
"""How a `msg` says how many rows there are: the vendor's page has "1 records were found"."""
_TROUBLE = re.compile(
    r"sqlstate|connection(?!s)|conexion(?!es)|too many|demasiad[ao]s|gone away|time[d -]*out|tiempo de espera"
    r"|fatal|exception|excepcion|refused|denied|\bfail|\bfallo|no se pudo|no fue posible|could not|cannot|unable"
    r"|maintenance|mantenimiento|copia de seguridad|exceed|exced"
)
"""What a language, a database or the API says when it has failed, in small letters without accents."""
_PATH = re.compile(r"\S*[/\\]\S*")
"""A notice names the file that it is about, which may be called anything."""
_ERROR = re.compile(
    r"(?<!no )(?<!no hay )(?<!sin )(?<!without )(?<!0 )\berror(?:s|es)?\b|mysql|\bpdo|database|base de datos"
)
"""What a `msg` says of one; around an answer every notice does."""
_FIELDS = ("errors", "exception", "exceptions")
"""Where other envelopes say what failed."""
_VERDICTS = ("success", "ok", "status")
_FAILED = {"false", "error", "fail", "failed", "failure", "ko"}


def check_it_is_quiet(envelope: Mapping[str, Any], code: int | None, shown: Shown) -> None:
    """Raises NotASnapshot for an answer without rows that says itself why it should not be believed."""
    msg = envelope.get("msg")
    if isinstance(msg, str) and any((count or more).strip("0.,") for count, more in _COUNTED.findall(msg)):
        raise NotASnapshot(f"the answer contradicts itself: no rows, and as its message: {shown(msg)}")
    if code != 200:
        return
    without = "the answer contradicts itself: code 200 without rows, and as its"
    for field in ("error", *_FIELDS):
        if speaks(envelope.get(field)):
            raise NotASnapshot(f"{without} {field}: {shown(envelope[field]) or 'one that is no text'}")
    if isinstance(msg, str) and (_TROUBLE.search(said := folded(msg)) or _ERROR.search(said)):
        raise NotASnapshot(f"{without} message: {shown(msg)}")
    for field in _VERDICTS:
        if str(envelope.get(field)).strip().lower() in _FAILED:
            raise NotASnapshot(f"{without} {field}: {str(envelope[field]).strip().lower()}")


def speaks(error: object) -> bool:
    """Whether an envelope's `error` says something; an object or a list does if anything in it does."""
    if isinstance(error, str):
        return error.strip().lower() not in _NOTHING
    if isinstance(error, dict | list):
        return any(map(speaks, error.values() if isinstance(error, dict) else error))
    return bool(error.value() if isinstance(error, Number) else error)


def trouble_around(body: Body, envelope: Body) -> str:
    """What the text around an envelope says of a failure, if it does: a notice of a language may be just one."""
    before, found, behind = body.partition(envelope) if len(envelope) < len(body) else (b"", envelope, b"")
    around = said_on(before + b" " + behind).text if found else ""
    return around if _TROUBLE.search(_PATH.sub(" ", folded(around))) else ""
