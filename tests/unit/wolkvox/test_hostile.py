"""Bytes from an enemy: nothing but a snapshot or a named error, and never a loop that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from producer.errors import PollFailed
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.envelope import read_report
from producer.wolkvox.masking import shown
from producer.wolkvox.parsing import MAX_CONTAINERS, MAX_FIELDS
from producer.wolkvox.rows import identify
from producer.wolkvox.token_info import read_token_info
from tests.unit.wolkvox.calls import TOKEN, answer, calling, check_tells_nothing, envelope
from tests.unit.wolkvox.raw_server import answering, http
from tests.unit.wolkvox.snapshots import read_all, snapshot_of

showing = partial(shown, secret=TOKEN)
MEGABYTES = 10_000_000


def mutated(body: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    """The body with each edit's bytes written over what is at its place."""
    whole = bytearray(body)
    for place, text in edits:
        at = place % (len(whole) + 1)
        whole[at : at + len(text)] = text
    return bytes(whole)


tokens = st.sampled_from(
    [b"{", b"}", b"[", b"]", b",", b":", b'"', b"null", b"true", b"NaN", b"-", b"404", b"200", b"1e999",
     b"9" * 5000, b'"code"', b'"data"', b'"msg"', b'"TOTAL"', b"\\ud800", b"\\", b"\x00", b"\xff",
     b"\xef\xbb\xbf", b"<", b"\x1f\x8b"]
)  # fmt: skip
edited = st.builds(
    mutated, st.just(envelope()), st.lists(st.tuples(st.integers(0, 2**16), tokens | st.binary(max_size=4)))
)
pieced = st.lists(tokens).map(b"".join)
statuses = st.sampled_from([200, 200, 200, 404, 403, 401, 500, 302, 204])
headers = st.dictionaries(st.sampled_from(["retry-after", "date", "content-type"]), st.text(max_size=40), max_size=3)


@given(st.binary() | edited | pieced, statuses, headers)
@example(b"[" * 100_000, 200, {})
@example(b'{"code":' + b"9" * 10_000 + b"}", 200, {})
@example(b'{"code":404,"msg":' + b"[" * 500 + b"]" * 500 + b"}", 200, {})
def test_any_bytes_are_a_report_or_a_named_error(body: bytes, status: int, sent: dict[str, str]) -> None:
    for read in (read_report, read_token_info):
        try:
            read(answer(body, status=status, **sent), showing)
        except PollFailed as error:
            check_tells_nothing(error)


@given(edited)
def test_any_report_can_be_read_to_its_last_row(body: bytes) -> None:
    try:
        snapshot = snapshot_of(body)
    except PollFailed:
        return
    found = identify(snapshot)
    assert len(found.hits) + len(found.dead) + found.repeated + found.summaries == len(snapshot.rows)
    reading = read_all(snapshot, found)
    assert len(reading.hits) + len(reading.dead) <= len(found.hits)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "lists": lambda: b"[" + b"[]," * (MEGABYTES // 3) + b"[]]",
    "nested lists": lambda: b"[" + b",".join([b"[" * 500 + b"]" * 500] * (MEGABYTES // 1001)) + b"]",
    "as many lists as may be": lambda: b"[" + b"[]," * (MAX_CONTAINERS - 2) + b'"' + b"x" * 8_500_000 + b'"]',
    "as many objects as may be": lambda: (
        b"[" + b",".join(b'{"%d":0.5}' % number for number in range(MAX_CONTAINERS - 2)) + b"]"
    ),
    "as many nested lists as may be": lambda: b"[" + b",".join([b"[" * 490 + b"]" * 490] * 1_000) + b"]",
    "nested too deep": lambda: b"[" * MEGABYTES,
    "objects": lambda: b"[" + b'{"a":0},' * (MEGABYTES // 8) + b"{}]",
    "integers": lambda: b"[" + b"1," * (MEGABYTES // 2) + b"1]",
    "integers and NaN": lambda: b"[" + b"1," * (MEGABYTES // 2 - 50_000) + b"NaN]",
    "floats and NaN": lambda: b"[" + b"1.5," * (MEGABYTES // 4) + b"NaN]",
    "one integer": lambda: b"[" + b"1" * MEGABYTES + b"]",
    "one float": lambda: b"[0." + b"1" * MEGABYTES + b"]",
    "broken bytes": lambda: b'["' + b"\xff" * MEGABYTES + b'"]',
    "surrogates": lambda: b'["' + b"\\ud800" * (MEGABYTES // 6) + b'"]',
    "escapes": lambda: b'["' + b"\\n" * (MEGABYTES // 2) + b'"]',
    "keys": lambda: b"{" + b",".join(b'"%d":0' % number for number in range(MEGABYTES // 10)) + b"}",
    "as many keys as may be": lambda: b"{" + b",".join(b'"%d":0' % number for number in range(MAX_FIELDS)) + b"}",
    "blanks": lambda: b" " * MEGABYTES,
    "a long message": lambda: b'{"code":400,"msg":"' + b"7 " * (MEGABYTES // 2) + b'"}',
    "an opaque message": lambda: b'{"code":400,"msg":"' + TOKEN.encode() * (MEGABYTES // 21) + b'"}',
    "texts in one-byte accents": lambda: b'["' + b'\xd3","' * (MEGABYTES // 4) + b'"]',
    "codes in dirt": lambda: b"x" + b'{"code":1}' * 450_000,
    "a report in dirt": lambda: b"<br />" + body_of_report(),
    "a truncated report in dirt": lambda: b"<br />" + body_of_report()[:-2],
    "nested too deep in dirt": lambda: b"<br />" + b'{"code":' * 450_000,
    "a truncated report": lambda: body_of_report()[:-2],
    "floats in a report": lambda: body_of_report(telephone=1.5),
}
"""Ten megabytes each of what costs a parser most."""


TRIES = 3


def body_of_report(**fields: Any) -> bytes:
    row = {"conn_id": "", "type_interaction": "inbound", "date": "20260118201332", "telephone": "5", "hit": "x" * 60}
    return envelope(data=[row | {"conn_id": f"6736.4628.{number}"} | fields for number in range(59_000)])


@pytest.mark.parametrize("name", HOSTILE)
async def test_ten_hostile_megabytes_never_stop_the_loop(name: str) -> None:
    stops = []
    # What stops the loop by itself does so each time; a machine that is busy with other things does not.
    for _ in range(TRIES):
        async with answering(http(HOSTILE[name]())) as server, calling(server.url, timeout=30) as api:
            outcome, longest = await longest_stop(api)
        assert isinstance(outcome, PollFailed | list)
        stops.append(longest)
        if longest < 0.5:
            return
    assert min(stops) < 0.5


async def longest_stop(api: WolkvoxApi) -> tuple[object, float]:
    """What a fetch ended with, and the most work in seconds that the process did between two turns of the loop.

    Work and not time: while the tests run, other programs may have the processor.
    """
    call = asyncio.create_task(_outcome(api))
    longest, last = 0.0, process_time()
    while not call.done():
        await asyncio.sleep(0)
        longest, last = max(longest, process_time() - last), process_time()
    return call.result(), longest


async def _outcome(api: WolkvoxApi) -> object:
    try:
        return (await api.fetch()).rows
    except PollFailed as error:
        return error


def test_a_report_of_the_apis_own_size_is_not_taken_for_an_attack() -> None:
    rows = [{"conn_id": str(number), "extra": {"tags": ["[a, b]"]}, "text": "a, b, c {x}"} for number in range(60_000)]
    assert len(snapshot_of(json.dumps({"code": "200", "data": rows}).encode()).rows) == 60_000
