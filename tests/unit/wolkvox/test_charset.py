"""Bytes that are not UTF-8: accents of one byte become the letters that were meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.model import Drift
from producer.wolkvox.charset import as_utf8
from tests.unit.wolkvox.calls import ROW, envelope, fetched
from tests.unit.wolkvox.raw_server import answering, http
from tests.unit.wolkvox.snapshots import body_of

JSON = "application/json"


async def read(body: bytes, content_type: str | None = JSON) -> tuple[list[Any], dict[Drift, int]]:
    """The rows of an answer, and its drift."""
    headers = [] if content_type is None else [f"Content-Type: {content_type}"]
    async with answering(http(body, *headers)) as server:
        snapshot = await fetched(server.url)
    return snapshot.rows, snapshot.drift


def one(hit: bytes, **fields: bytes) -> bytes:
    """An answer with one row whose texts are these bytes."""
    texts = {b"conn_id": b"6736.1", b"hit": hit} | {name.encode(): text for name, text in fields.items()}
    return body_of(b"{%b}" % b",".join(b'"%b":"%b"' % pair for pair in texts.items()))


@pytest.mark.parametrize(
    "content_type",
    [None, JSON, f"{JSON}; charset=utf-8", f"{JSON}; charset=none-such", f"{JSON}; charset=", "text/html"],
)
@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (b"RENOVACI\xd3N", "RENOVACIÓN"),
        (b"\xd1o\xf1o", "Ñoño"),
        (b"\xbfS\xed?", "¿Sí?"),
        (b"5 \x80 \x93caf\xe9\x94 \x8a \x85", "5 € “café” Š …"),
        (b"\x93CAF\xc9\x94", "“CAFÉ”"),
        (b'\xd3 \\u00d3 \\\\ \\"\\n', 'Ó Ó \\ "\n'),
        (b"a\x81\x8d\x8f\x90\x9db", "a\ufffd\ufffd\ufffd\ufffd\ufffdb"),
        (b"\xed\xa0\x80", "í\u00a0€"),
        (b"\xff", "ÿ"),
        ("Ó".encode()[:1], "Ã"),
    ],
)
async def test_a_text_that_is_not_utf_8_is_windows_1252(content_type: str | None, sent: bytes, meant: str) -> None:
    rows, drift = await read(one(sent), content_type)
    assert (rows, drift) == ([{"conn_id": "6736.1", "hit": meant}], {"not_utf8": 1})


@pytest.mark.parametrize(
    ("charset", "sent", "meant"),
    [
        ("ISO-8859-1", b"RENOVACI\xd3N \x80", "RENOVACIÓN €"),
        ("latin1", b"\xa4\xbd", "¤½"),
        ("us-ascii", b"\xd3", "Ó"),
        ("windows-1252", b"\x93\xd3\x94", "“Ó”"),
        ('"ISO-8859-15"', b"\xa4 \xbd", "€ œ"),
        ("ISO-8859-15; x=1", b"\xa4", "€"),
        ("windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
        ("cp850", b"RENOVACI\xe0N", "RENOVACIÓN"),
        ("CP1252", b"\xd3 \x9d", "Ó \ufffd"),
    ],
)
async def test_the_charset_of_the_content_type_says_which_letters_are_meant(
    charset: str, sent: bytes, meant: str
) -> None:
    for content_type in (f"{JSON}; charset={charset}", f"text/html;CHARSET = {charset}"):
        rows, drift = await read(one(sent), content_type)
        assert (rows[0]["hit"], drift) == (meant, {"not_utf8": 1})


@pytest.mark.parametrize("charset", ["utf-8", "ISO-8859-1", "windows-1252"])
async def test_texts_of_both_kinds_in_one_answer_are_read_each_by_itself(charset: str) -> None:
    body = one("ÓPTIMO".encode(), telephone=b"\xd3", customer_id="ñ €".encode("cp1252"), agent="Muñoz".encode())
    [row], drift = await read(body, f"{JSON}; charset={charset}")
    assert (row["hit"], row["telephone"], row["customer_id"], row["agent"]) == ("ÓPTIMO", "Ó", "ñ €", "Muñoz")
    assert drift == {"not_utf8": 2}


async def test_utf_8_is_utf_8_whatever_the_header_says() -> None:
    body = json.dumps({"code": "200", "data": [ROW | {"hit": "RENOVACIÓN"}]}, ensure_ascii=False).encode()
    rows, drift = await read(body, f"{JSON}; charset=ISO-8859-1")
    assert (rows[0]["hit"], drift) == ("RENOVACIÓN", {})


async def test_names_of_fields_have_accents_too() -> None:
    body = body_of(b'{"conn_id":"a","campa\xf1a":"x"}')
    assert await read(body) == ([{"conn_id": "a", "campaña": "x"}], {"not_utf8": 1})


async def test_numbers_beside_one_byte_accents_keep_their_digits() -> None:
    body = body_of(b'{"conn_id":6736.10,"hit":"\xd3"}', b'{"conn_id":6736.1,"hit":"\xd3"}')
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert snapshot.exact is not None
    assert [str(row["conn_id"].digits) for row in snapshot.exact()] == ["6736.10", "6736.1"]
    assert [row["hit"] for row in snapshot.exact()] == ["Ó", "Ó"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("named", [False, True])
async def test_a_report_in_wider_characters_is_one(encoding: str, *, named: bool) -> None:
    text = json.dumps({"code": "200", "data": [ROW | {"hit": "RENOVACIÓN"}]}, ensure_ascii=False)
    rows, drift = await read(text.encode(encoding), f"{JSON}; charset={encoding}" if named else JSON)
    assert (rows[0]["hit"], drift) == ("RENOVACIÓN", {"not_utf8": 1})


async def test_dirt_and_accents_and_nan_together_cost_nobody_his_letters() -> None:
    dirty = b"<b>Atenci\xf3n</b>: it's {\n" + one(b"RENOVACI\xd3N")[:-3] + b',"rate":NaN}]}'
    rows, drift = await read(dirty, f"{JSON}; charset=ISO-8859-1")
    assert rows[0]["hit"] == "RENOVACIÓN"
    assert drift == {"dirt": 1, "not_utf8": 1, "tolerant_parse": 1}


@pytest.mark.parametrize(
    "charset", ["hex", "base64", "punycode", "idna", "unicode_escape", "utf-7", "undefined", "zlib"]
)
async def test_a_codec_that_is_no_charset_is_not_believed(charset: str) -> None:
    rows, _ = await read(one(b"\xd3 \\\\x41 +AGE-"), f"{JSON}; charset={charset}")
    assert rows[0]["hit"] == "Ó \\x41 +AGE-"


async def test_the_apis_words_have_their_accents_in_an_error_too() -> None:
    rows, drift = await read(envelope(msg="1 registro").replace(b'"msg": "', b'"msg": "atenci\xf3n, '))
    assert (rows, drift) == ([ROW], {"not_utf8": 1})


texts = st.tuples(st.text('aÓñ€"\\,:{ ', max_size=6), st.sampled_from(["utf-8", "cp1252"]))


def written(text: str, encoding: str) -> tuple[bytes, str]:
    """A text as JSON in an encoding, and how it reads if each text is judged by itself."""
    encoded = json.dumps(text, ensure_ascii=False).encode(encoding)
    try:
        return encoded, json.loads(encoded.decode())
    except UnicodeDecodeError:
        return encoded, text


@given(st.lists(texts))
def test_each_text_is_judged_by_itself_whatever_stands_around_it(sent: list[tuple[str, str]]) -> None:
    pairs = [written(*one) for one in sent]
    body, _ = as_utf8(b"[" + b",".join(encoded for encoded, _ in pairs) + b"]", "")
    assert json.loads(body) == [meant for _, meant in pairs]


@given(st.binary(), st.sampled_from(["", "charset=latin1", "charset=koi8-r"]))
def test_bytes_that_are_no_json_are_no_trouble(body: bytes, content_type: str) -> None:
    as_utf8(body, content_type)
