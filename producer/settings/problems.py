"""The problems of one reading of the settings, gathered so that all are told at once."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class Problems:
    """Lines that each start with a setting's name, and the names that have one already."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: set[str] = set()

    def add(self, name: str, text: str) -> None:
        """Note a problem of a setting."""
        self.lines.append(f"{name}: {text}")
        self.names.add(name)

    def follow(self, name: str, text: str, *, because: Iterable[str] = ()) -> None:
        """Note a problem, unless it only follows from one that `name` or one of `because` has already."""
        if self.names.isdisjoint({name, *because}):
            self.add(name, text)

    def refuse(self, name: str, error: ErrorDetails, *, secret: bool) -> None:
        """Note what pydantic says of a value; the value itself only if it is no secret."""
        self.add(name, _said(error, secret=secret))


def env_name(section: str, field: str) -> str:
    """`poll`, `interval` to `POLL_INTERVAL`."""
    return f"{section}_{field}".upper()


def details(error: ValidationError) -> list[ErrorDetails]:
    """Pydantic's errors without their web addresses."""
    return error.errors(include_url=False)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known dotted name that a misspelt one most likely meant: the same field elsewhere before a similar text."""
    names = sorted(known)
    field = name.rpartition(".")[2]
    same = [one for one in names if one.rpartition(".")[2] == field]
    # cutoff 0: the nearest is named even if it is far.
    return (get_close_matches(name, same, n=1, cutoff=0.0) or get_close_matches(name, names, n=1, cutoff=0.0))[0]


def _said(error: ErrorDetails, *, secret: bool) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    said = error["msg"][0].lower() + error["msg"][1:]
    return said if secret else f"{_trimmed(error['input'])} is refused: {said}"


def _trimmed(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
