"""What of people may go out: telephone and customer id as they are, under a key, or not at all.

Every row passes here once, as the hit or the dead row that it became, before anybody else sees it: digests, changes,
events and dead letters know only what is left. What is kept nobody touches, and then there is no `Privacy` at all.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from producer.errors import Retry, SettingsError
from producer.model import API_FIELDS, DeadRow, Hit, Reading, Rows
from producer.values import Number, dead_row
from producer.wolkvox.hit import digits_of

Treatment = Literal["keep", "hmac", "drop"]
Treat = Callable[[str | None], str | None]

_JSON_TYPES: Final = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


class Privacy:
    """How each row of a source is covered; `key` is asked once for the rows of a snapshot, if a field is `hmac`.

    With `keep_extra` false the fields beyond the six are left out: one of them may be a telephone by another name.
    """

    def __init__(
        self, *, telephone: Treatment, customer_id: Treatment, keep_extra: bool, key: Callable[[], str] | None
    ) -> None:
        self._treatments: Mapping[str, Treatment] = {"telephone": telephone, "customer_id": customer_id}
        self.keep_extra = keep_extra
        self._key = key

    def cover_rows(self, rows: Rows) -> None:
        """The rows without a usable id; those that read the same now are one. Raises Retry if the key can't be read."""
        if rows.dead:
            dead = self._dead(rows.dead.values(), self._treats())
            rows.repeated += len(rows.dead) - len(dead)
            rows.dead = dead

    def cover(self, reading: Reading) -> None:
        """The hits, those that may have changed, and the dead rows; raises Retry if the key can't be read."""
        treats = self._treats()
        for hits in (reading.hits, *reading.again):
            _cover(hits.values(), treats)
        reading.dead = self._dead(reading.dead.values(), treats)

    def _treats(self) -> Mapping[str, Treat]:
        """What becomes of the texts of each field that is not kept."""
        ways: dict[Treatment, Treat] = {"drop": _nothing}
        if "hmac" in self._treatments.values():
            ways["hmac"] = _under(self._read_key())
        return {field: ways[one] for field, one in self._treatments.items() if one in ways}

    def _read_key(self) -> bytes:
        assert self._key is not None, "the settings see to it"
        try:
            return self._key().encode()
        except SettingsError as error:
            raise Retry(error.problems[0]) from None

    def _dead(self, dead: Iterable[DeadRow], treats: Mapping[str, Treat]) -> dict[str, DeadRow]:
        """By their new keys: a hash of what was taken out would tell it to whoever tries all telephones."""
        covered = (dead_row(self._row(one.row, treats), one.reason, one.pointer) for one in dead)
        return {one.key: one for one in covered}

    def _row(self, row: Any, treats: Mapping[str, Treat]) -> Any:
        if not isinstance(row, dict):
            return _told(row)
        named = {name: value for name, value in row.items() if self.keep_extra or name in API_FIELDS}
        return {name: self._value(value, treats.get(name)) for name, value in named.items()}

    def _value(self, value: Any, treat: Treat | None) -> Any:
        if treat is None:
            return value if self.keep_extra or not isinstance(value, dict | list) else _told(value)
        text = value if value is None or isinstance(value, str) else digits_of(value)
        return _told(value) if text is None and value is not None else treat(text)


def _cover(hits: Iterable[Hit], treats: Mapping[str, Treat]) -> None:
    for field, treat in treats.items():
        for hit in hits:
            hit[field] = treat(hit[field])  # type: ignore[literal-required]  # telephone, customer_id


def _nothing(_text: str | None) -> None:
    return None


def _under(key: bytes) -> Treat:
    """HMAC-SHA-256 in hex, of the text as it was sent. What says nothing stays: hashed it would be somebody."""

    def hashed(text: str | None) -> str | None:
        return hmac.digest(key, text.encode(), "sha256").hex() if text and text.strip() else text

    return hashed


def _told(value: Any) -> dict[str, Any]:
    """What is no text where one belongs, or no object where a row belongs, by its type and its length."""
    value = value.value() if isinstance(value, Number) else value
    kind = _JSON_TYPES.get(type(value), "null")
    length = len(value if isinstance(value, dict | list | str) else str(value))
    return {"type": kind, "length": length} if kind in {"object", "array", "string", "number"} else {"type": kind}
