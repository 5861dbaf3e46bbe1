"""An answer with dirt around it: what a language prints before and behind, and what only looks like an answer."""

from __future__ import annotations

import json

import pytest

from producer.errors import BadToken, NotASnapshot
from producer.wolkvox.rows import identify
from tests.unit.wolkvox.calls import ROW, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http
from tests.unit.wolkvox.snapshots import body_of

BOM = b"\xef\xbb\xbf"
NOTICE = (
    b"<br />\n<b>Warning</b>:  mysqli_query(): (08S01/2013) in <b>/var/www/real_time.php</b> on line <b>31</b><br />\n"
)
STYLE = b'<style>body{margin:0}</style><p title="{x}">{&quot;a&quot;}</p><script>var t = {"a": "}", b: `{`};</script>\n'
R2 = ROW | {"conn_id": "190000001", "hit": 'text with <b>tags</b>, {braces}, "quotes" and ]}'}

AROUND: dict[str, tuple[bytes, bytes]] = {
    "a notice before": (NOTICE, b""),
    "notices before": (NOTICE * 3, b""),
    "a notice behind": (b"", b"\n" + NOTICE),
    "notices on both sides": (NOTICE, NOTICE),
    "a byte order mark behind blanks": (b"\r\n" + BOM, b""),
    "a byte order mark": (BOM, b""),
    "several byte order marks": (BOM * 3, b"\r\n"),
    "marks and blanks mixed": (b" \r\n" + BOM + b"\n" + BOM, BOM),
    "a byte order mark written twice over": ("ï»¿".encode(), b""),
    "braces and quotes that are no JSON": (STYLE + b"don't {stop} \"here\n", b""),
    "other JSON": (b'{"error": "deprecated"}\n[1, 2]\n', b""),
    "zero bytes behind": (b"", bytes(512)),
    "zero bytes before": (bytes(3), b""),
    "a comment behind": (b"", b"\n<!-- generated in 0.03 s by {node} -->"),
    "a callback": (b"callback(", b");"),
    "a pre": (b"<html><body><pre>", b"</pre></body></html>"),
    "chunks that were chunked twice": (b"1f4\r\n", b"\r\n0\r\n\r\n"),
    "a notice in one-byte accents": ("<b>Atenci\u00f3n</b>: fallo de conexi\u00f3n {".encode("latin-1"), b""),
}


@pytest.mark.parametrize("where", AROUND)
@pytest.mark.parametrize("body", [envelope(data=[ROW, R2]), body_of(ROW, R2)])
async def test_one_whole_envelope_is_a_snapshot_whatever_stands_around_it(where: str, body: bytes) -> None:
    before, behind = AROUND[where]
    dirty = before + body + behind
    async with answering(http(dirty), http(dirty), http(body), http(dirty)) as server:
        for drift in ({"dirt": 1}, {"dirt": 1}, {}, {"dirt": 1}):
            snapshot = await fetched(server.url)
            assert (snapshot.rows, snapshot.drift) == ([ROW, R2], drift)
            assert snapshot.exact is not None
            assert snapshot.exact() == [ROW, R2]


@pytest.mark.parametrize("where", AROUND)
async def test_digits_survive_the_dirt(where: str) -> None:
    before, behind = AROUND[where]
    body = b'{"code":200,"error":null,"msg":"","data":[{"conn_id":6736.10},{"conn_id":6736.1}]}'
    async with answering(http(before + body + behind)) as server:
        assert list(identify(await fetched(server.url)).hits) == ["6736.10", "6736.1"]


@pytest.mark.parametrize("data", [None, []])
async def test_a_quiet_hour_with_dirt_around_it_is_one(data: object) -> None:
    body = NOTICE + envelope(msg="0 records were found", data=data)
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([], {"dirt": 1})


async def test_what_the_envelope_says_counts_with_dirt_around_it_too() -> None:
    refused = NOTICE + envelope(code="403", error="FORBIDDEN", msg="PLEASE VALIDATE TOKEN", data=None)
    for status in ("200 OK", "403 Forbidden"):
        async with answering(http(refused, status=status)) as server:
            assert type(await failing(server.url)) is BadToken
    none_found = NOTICE + envelope(code="404", error="Not Found", msg="Validate dates entered", data=None)
    async with answering(http(none_found, status="404 Not Found")) as server:
        assert (await fetched(server.url)).not_found


ROWS_IN_QUOTES = json.dumps({"code": 200, "msg": "x", "data": [ROW]})
NONE_OR_SEVERAL: dict[str, bytes] = {
    "two": envelope() + envelope(),
    "two, a notice between": envelope() + NOTICE + envelope(data=[R2]),
    "two, one of them an error": envelope() + envelope(code="500", msg="", data=None),
    "one, and one that is cut off": envelope() + b"\n" + envelope(data=[R2])[:-40],
    "one that is cut off, and one": envelope()[:-40] + b"\n" + envelope(data=[R2]),
    "none": NOTICE,
    "one that is cut off": NOTICE + envelope()[:-2],
    "one with a notice inside": envelope().replace(b'"data": [', b'"data": [' + NOTICE),
    "an object that is no envelope": NOTICE + b'{"error": "upstream"}',
    "rows without an envelope": NOTICE + json.dumps([ROW]).encode(),
    "a code and nothing else": NOTICE + b'{"code": 200}',
    "a code that is none": NOTICE + b'{"code": "ok", "msg": "", "data": []}',
    "one in quotes, in a page": f"<p data-x={json.dumps(ROWS_IN_QUOTES)}>".encode(),
}


@pytest.mark.parametrize("what", NONE_OR_SEVERAL)
async def test_none_or_several_envelopes_are_no_snapshot(what: str) -> None:
    async with answering(http(NONE_OR_SEVERAL[what])) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<html>{x}</html>", "HTML"), (b"OK", "truncated or broken JSON"), (b" ", "an empty body")],
)
async def test_what_is_no_answer_is_called_what_it_looks_like(body: bytes, says: str) -> None:
    async with answering(http(body)) as server:
        assert says in str(await failing(server.url))
