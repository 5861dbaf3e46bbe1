"""A digest of what a hit says: whether a row differs from what was told of it can be asked without keeping the row.

Four bytes of BLAKE2b over conn_id and the five fields beside it, as they are in the hit: the same in every process and
version. Four and not more on purpose. A change goes unnoticed once in four thousand million, and a reader of the ledger
who tries telephones finds that very many rows fit; the conn_id in it makes each try good for one hit only. It says
nothing that the hit's own event does not say in clear.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from operator import itemgetter

from producer.model import API_FIELDS, Hit

SIZE = 4
"""Bytes of each."""

_fields = itemgetter(*API_FIELDS)
_joined = "\x1f".join


def digests(hits: Iterable[Hit]) -> list[bytes]:
    """The digest of each hit, in their order."""
    fields = list(map(_fields, hits))
    try:
        texts = list(map(str.encode, map(_joined, fields)))
    except (TypeError, UnicodeEncodeError):  # a field is null or can't be encoded
        texts = list(map(_text, fields))
    return [blake2b(text, digest_size=SIZE).digest() for text in texts]


def digest(hit: Hit) -> bytes:
    """The digest of one hit."""
    return digests([hit])[0]


def same(one: Hit, other: Hit) -> bool:
    """Whether two versions of a hit say the same, as far as a digest knows."""
    return bool(_fields(one) == _fields(other))


def _text(fields: tuple[str | None, ...]) -> bytes:
    return _joined("\0" if field is None else field for field in fields).encode(errors="surrogatepass")
