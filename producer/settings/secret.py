"""A secret that can be carried about but not seen, and that is read again at each use when it comes from a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Self

from pydantic_core import CoreSchema, core_schema

from producer.errors import SettingsError

MASK = "********"

Check = Callable[[str], None]
"""Raises ValueError, with a text that does not hold the secret, for one that can't be used."""


def one_line(secret: str) -> None:
    """Refuse a secret that is blank or has control characters: no password and no header can carry them."""
    if not secret.strip():
        raise ValueError("it is empty")
    if not secret.isascii() and re.search("[\ud800-\udfff]", secret):
        raise ValueError("it is not UTF-8 text")
    if re.match(r"(export\s+)?(WOLKVOX|KAFKA|PRIVACY|REGISTRY)_[A-Z_]+=", secret):
        raise ValueError("it starts with a setting's name and =; only what follows belongs there")
    if any(ord(char) < 32 or ord(char) == 127 for char in secret):
        raise ValueError("it has a control character or more than one line")


def header_value(secret: str) -> None:
    """Refuse what an HTTP header can't carry; the HTTP library's own error would print the token."""
    one_line(secret)
    if stands_in_quotes(secret):
        raise ValueError("it stands in quotes; they would be sent as part of it")
    if not all("!" <= char <= "~" for char in secret):
        raise ValueError("it has a blank or a character beyond ASCII")


SHORTEST_KEY = 32
"""Characters: HMAC-SHA-256 has 32 bytes. Telephones are few: whoever guesses the key has them all."""


def long_key(secret: str) -> None:
    """Refuse a key that is short, or that another reader of the same file would take without its quotes."""
    one_line(secret)
    if stands_in_quotes(secret):
        raise ValueError("it stands in quotes; they would be part of it")
    if len(secret) < SHORTEST_KEY:
        raise ValueError(f"it is too short: {SHORTEST_KEY} characters and up; `openssl rand -hex 32` makes a good one")


def stands_in_quotes(secret: str) -> bool:
    """Whether it begins and ends with the same quote, as an env file's value whose reader keeps them."""
    return re.fullmatch(r"""(["']).*\1""", secret) is not None


class Secret:
    """A secret text; `read()` gives it, nothing else does: repr, str, format and dumps show a mask, pickling fails."""

    # The text lives in a closure: no attribute, no __dict__, no state for pickle, copy or a debugger's variables view.
    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    @classmethod
    def of(cls, text: str, *, check: Check = one_line) -> Self:
        """A secret that stays as it is; raises ValueError, without the text, if `check` refuses it."""
        check(text)
        return cls(lambda: text)

    @classmethod
    def from_file(cls, path: Path, *, name: str, check: Check = one_line) -> Self:
        """The content of a file without its last line's end, read at each use; `name` is the setting, for errors."""
        return cls(lambda: _content(path, name=name, check=check))

    def read(self) -> str:
        """The secret as of now; raises SettingsError if its file can't be read or holds no usable secret."""
        return self._read()

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(cls, serialization=core_schema.to_string_ser_schema())


def shown_path(path: Path) -> str:
    """A secret's path for an error; any but an absolute one may be the secret itself, put in the wrong setting."""
    return str(path) if path.is_absolute() else "the path (not shown: unless absolute, it may be the secret itself)"


def _content(path: Path, *, name: str, check: Check) -> str:
    try:
        content = path.read_text("utf-8-sig").rstrip("\r\n")
        check(content)
    except OSError as error:
        raise SettingsError([f"{name}: {shown_path(path)}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{name}: {shown_path(path)} is not UTF-8 text"]) from None
    except ValueError as error:
        why = f"the file holds no secret that can be used: {error}"
        raise SettingsError([f"{name}: {shown_path(path)}: {why}"]) from None
    return content
