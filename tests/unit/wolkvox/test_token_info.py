from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from producer.errors import BadToken, NotASnapshot, PollFailed
from producer.wolkvox.masking import shown
from producer.wolkvox.token_info import TokenInfo, read_token_info
from tests.unit.wolkvox.calls import TOKEN, answer, calling, envelope
from tests.unit.wolkvox.raw_server import answering, http

INFO = {
    "description": "sales",
    "token_limit": "5000",
    "token_use_today": "120",
    "all_token_today": 340,
    "available_consumption_options": "4660",
}
COUNTS = (5000, 120, 340, 4660)


def read(body: bytes, **options: Any) -> TokenInfo:
    return read_token_info(answer(body, **options), partial(shown, secret=TOKEN))


def counts(info: TokenInfo) -> tuple[int | None, ...]:
    return (info.token_limit, info.token_use_today, info.all_token_today, info.available_consumption_options)


@pytest.mark.parametrize(
    "body",
    [envelope(data=[INFO]), envelope(data=INFO), json.dumps(INFO).encode(), json.dumps([INFO]).encode(),
     json.dumps({"code": "200"} | INFO).encode(), envelope(data=[INFO], msg="\ud800")],
)  # fmt: skip
def test_the_quota_is_found_wherever_it_is(body: bytes) -> None:
    assert counts(read(body)) == COUNTS


@pytest.mark.parametrize(
    ("sent", "count"),
    [(7, 7), (7.0, 7), ("7", 7), (" 7 ", 7), (7.5, None), ("7.5", None), ("", None), (None, None), (True, None),
     ("9" * 5000, None), ([7], None), ({}, None), ("\u0667", None)],
)  # fmt: skip
def test_a_count_is_a_whole_number_or_none(sent: object, count: int | None) -> None:
    assert read(envelope(data=[{"token_limit": sent}])).token_limit == count


def test_what_is_absent_is_none() -> None:
    info = read(envelope(data=[{"token_limit": "5000"}]))
    assert counts(info) == (5000, None, None, None)
    assert info.server_time is None


def test_the_servers_clock_is_told() -> None:
    info = read(envelope(data=[INFO]), date="Mon, 19 Jan 2026 01:13:32 GMT")
    assert info.server_time == 1_768_785_212.0
    assert info.received.wall - info.requested.wall == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (envelope(data=None), NotASnapshot),
        (envelope(data=[]), NotASnapshot),
        (envelope(data="x"), NotASnapshot),
        (envelope(code=404, data=None), NotASnapshot),
        (envelope(code=401, data=None), BadToken),
        (b"<html>", NotASnapshot),
        (b"[]", NotASnapshot),
    ],
)
def test_an_answer_without_a_quota_is_an_error(body: bytes, kind: type[PollFailed]) -> None:
    with pytest.raises(PollFailed) as caught:
        read(body)
    assert type(caught.value) is kind


async def test_the_quota_is_asked_where_the_api_has_it() -> None:
    async with answering(http(envelope(data=[INFO]))) as server, calling(server.url) as api:
        assert counts(await api.token_info()) == COUNTS
    assert server.requests[0].startswith(b"GET /api/v2/information.php?api=token_info HTTP/1.1\r\n")
    assert f"wolkvox-token: {TOKEN}\r\n".encode() in server.requests[0]
