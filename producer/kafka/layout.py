"""Records as bytes, in the layout that Kafka's batches have (record format 2, "Record" in Kafka's protocol guide).

    length, attributes, time delta, offset delta, key length, key, value length, value, headers' count,
    for each header: name length, name, value length, value

Of a series hundreds are written in one go: everything between their keys and values is looked up by a length, and one
join puts it together, of few pieces, for each is a step. Record by record, by aiokafka's builder in C, each of 60,000
events is a call and eight pairs of a header. Every record of a transaction has the batch's own time, so that the delta
is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from operator import add
from typing import NamedTuple, TypeVar

from producer.model import Outgoing, Series

T = TypeVar("T")

_NONE = b"\x01"
"""The length of what is not there, -1."""
_PLAIN = b"\x00\x00"
"""No attributes, and no time after the batch's own."""
_MOST = 15
"""Bytes of the record's length, its value's length and its offset, at their longest."""
_REMEMBERED = 1 << 14


def varint(number: int) -> bytes:
    """A number from 0 on as Kafka writes it: zigzag, seven bits a byte, the lowest first."""
    rest, written = number << 1, bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


class _Table(dict[int, T]):
    """What is made of a number: looked up by C, and made once."""

    def __init__(self, make: Callable[[int], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, number: int) -> T:
        made = self._make(number)
        if number < _REMEMBERED:
            self[number] = made
        return made


_VARINTS = _Table(varint)
_BEGINNINGS = _Table(lambda length: varint(length) + _PLAIN)
"""What stands before the offset, by the record's length."""
_SIZED = _Table(lambda length: len(varint(length)) + length)
"""Bytes of a value with its length before it."""


class _Shape(NamedTuple):
    """What is the same for all keys of a length: the bytes of it, what stands before each header's key, and the size of
    all that with the keys, and without offset and value."""

    key_length: bytes
    size: int
    between: tuple[bytes, ...]


class _Shapes(dict[int, _Shape]):
    """Those of keys of each length, under one series' headers."""

    def __init__(self, series: Series) -> None:
        super().__init__()
        count = len(series.headers) + len(series.keyed)
        self._before = varint(count) + b"".join(_header(name, value) for name, value in series.headers)
        self._keyed = [(_sized(name.encode()), value) for name, value in series.keyed]

    def __missing__(self, length: int) -> _Shape:
        between = [name + varint(len(value) + length) + value for name, value in self._keyed]
        between[0] = self._before + between[0]
        size = len(_PLAIN) + len(varint(length)) + length + sum(map(len, between)) + length * len(between)
        shape = self[length] = _Shape(varint(length), size, tuple(between))
        return shape


class Layout:
    """How the records of a series are written, and of those that have its headers."""

    def __init__(self, series: Series) -> None:
        self._headers, self._keyed = series.headers, series.keyed
        self._shapes = _Shapes(series)

    def fits(self, series: Series) -> bool:
        """Whether another one has the same headers: all of a snapshot do."""
        return self._headers == series.headers and self._keyed == series.keyed

    def most(self, keys: Sequence[bytes], values: Sequence[bytes]) -> int:
        """Bytes that these take at most."""
        return sum(map(len, values)) + len(keys) * (self._shapes[max(map(len, keys))].size + _MOST)

    def written(self, keys: Sequence[bytes], values: Sequence[bytes], *, first: int) -> bytes:
        """These, one after the other, as the `first` of their batch and those that follow."""
        key_lengths, sizes, between = self._by_key(list(map(len, keys)))
        offsets = list(map(_VARINTS.__getitem__, range(first, first + len(keys))))
        value_lengths = list(map(len, values))
        own = map(add, map(len, offsets), map(_SIZED.__getitem__, value_lengths))
        beginnings = map(_BEGINNINGS.__getitem__, map(add, sizes, own))
        headers = chain.from_iterable((column, keys) for column in between)
        columns = (beginnings, offsets, key_lengths, keys, map(_VARINTS.__getitem__, value_lengths), values, *headers)
        return b"".join(chain.from_iterable(zip(*columns)))  # noqa: B905 (a column of what is the same has no end)

    def _by_key(self, lengths: list[int]) -> tuple[Iterable[bytes], Iterable[int], Iterable[Iterable[bytes]]]:
        """The columns of what follows from the keys' lengths; mostly they all have one."""
        if lengths.count(lengths[0]) == len(lengths):
            shape = self._shapes[lengths[0]]
            return repeat(shape.key_length), repeat(shape.size), map(repeat, shape.between)
        key_lengths, sizes, between = zip(*map(self._shapes.__getitem__, lengths), strict=True)
        return key_lengths, sizes, zip(*between, strict=True)


def record(outgoing: Outgoing, *, offset: int) -> bytes:
    """One record, at its place in its batch."""
    _, key, value, headers = outgoing
    content = b"".join(
        (
            _PLAIN,
            varint(offset),
            _sized(key),
            _NONE if value is None else _sized(value),
            varint(len(headers)),
            *(_header(name, text) for name, text in headers),
        )
    )
    return _sized(content)


def _header(name: str, value: bytes) -> bytes:
    return _sized(name.encode()) + _sized(value)


def _sized(content: bytes) -> bytes:
    return _VARINTS[len(content)] + content
