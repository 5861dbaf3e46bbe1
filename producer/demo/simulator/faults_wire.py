"""Faults of the way: time, connection, encoding, redirects, and bytes that are not the report's."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache

from producer.demo.simulator.answers import Answer, Delivery, Fault, Report, envelope_head

BOMB_BYTES = 260 * 2**20
"""What the zip bomb unpacks to: a little over the 256 MB that an answer may have."""
DEEP_BYTES = 10 * 2**20
_BLOCK = 2**20
NOTICE = b"<br />\n<b>Warning</b>:  mysqli_query(): {08S01} in <b>real_time.php</b> on line <b>31</b><br />\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOVED = "moved"
"""The query parameter by which the simulator knows that its own redirect was followed."""


def _delivered(delivery: Delivery) -> Callable[[Report, float], Answer]:
    def make(report: Report, seconds: float) -> Answer:
        return replace(report.answer(), delivery=delivery, pause=seconds)

    return make


def _truncated(report: Report, _seconds: float) -> Answer:
    body = report.answer().body
    return Answer(body[: len(body) * 2 // 3])


def _dirty(report: Report, _seconds: float) -> Answer:
    answer = report.answer()
    return replace(answer, body=NOTICE + answer.body + b"\n<!-- {generated} -->", media_type="text/html; charset=UTF-8")


def _marked(report: Report, _seconds: float) -> Answer:
    answer = report.answer()
    return replace(answer, body=b"\r\n" + BYTE_ORDER_MARK * 2 + answer.body)


def _two_envelopes(report: Report, _seconds: float) -> Answer:
    return Answer(report.answer().body + NOTICE + report.answer().body)


def _deflate(report: Report, _seconds: float) -> Answer:
    answer = report.answer()
    return replace(answer, body=zlib.compress(answer.body, 1), encoding="deflate")


def _padded_gzip(report: Report, _seconds: float) -> Answer:
    answer = report.answer().packed()
    return replace(answer, body=answer.body + bytes(4))


def _charset_as_encoding(report: Report, _seconds: float) -> Answer:
    return replace(report.answer(), encoding="UTF-8")


def _raw(*lines: bytes) -> Callable[[Report, float], Answer]:
    """The report below a head of these lines."""

    def make(report: Report, _seconds: float) -> Answer:
        body = report.answer().body
        head = b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % len(body), b"", b""])
        return Answer(head + body, encoding="identity", delivery=Delivery.RAW)

    return make


def _broken_gzip(report: Report, _seconds: float) -> Answer:
    return Answer(report.answer().body, encoding="gzip")


def _other_encoding(report: Report, _seconds: float) -> Answer:
    return Answer(report.answer().body, encoding="br")


def _bomb(_report: Report, _seconds: float) -> Answer:
    return Answer(_bomb_body(), encoding="gzip")


@lru_cache(maxsize=1)
def _bomb_body() -> bytes:
    # A block that ends in a full flush depends on nothing before it, so one compressed block can be repeated.
    head, block = envelope_head(1), b" " * _BLOCK
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    blocks = BOMB_BYTES // _BLOCK
    check = zlib.crc32(head)
    for _ in range(blocks):
        check = zlib.crc32(block, check)
    size = len(head) + blocks * _BLOCK
    gzip_head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return (
        gzip_head + start + middle * blocks + packer.flush() + check.to_bytes(4, "little") + size.to_bytes(4, "little")
    )


def _deep(_report: Report, _seconds: float) -> Answer:
    return Answer(envelope_head(1) + b"[" * DEEP_BYTES)


def _redirect_same(_report: Report, _seconds: float) -> Answer:
    return Answer(b"", status=302, headers=(("location", f"?api=hits_last_hour&{MOVED}=1"),))


def _redirect_away(report: Report, _seconds: float) -> Answer:
    return Answer(b"", status=302, headers=(("location", report.elsewhere),))


def _cached(report: Report, seconds: float) -> Answer:
    return replace(report.answer(), headers=(("age", f"{seconds:.0f}"),))


def _frozen(report: Report, _seconds: float) -> Answer:
    return report.answer()


def _skewed(report: Report, seconds: float) -> Answer:
    return replace(report.answer(), headers=(("date", formatdate(report.now + seconds, usegmt=True)),))


WIRE = (
    Fault("timeout", "no answer ever: the request hangs", _delivered(Delivery.SILENT)),
    Fault("stall", "half of the answer, then nothing more", _delivered(Delivery.STALLED)),
    Fault("drip", "a byte each half second; `drip:0.1` sets the pause", _delivered(Delivery.DRIP), 0.5),
    Fault("slow", "the answer after 5 seconds; `slow:20` sets them", _delivered(Delivery.SLOW), 5),
    Fault("reset", "the connection is cut before an answer", _delivered(Delivery.RESET)),
    Fault("cut", "the connection is cut in the middle of the body", _delivered(Delivery.CUT)),
    Fault("truncated-json", "the JSON ends in the middle, HTTP does not notice", _truncated),
    Fault("dirt", "a good answer with a language's notices before it and a comment behind it", _dirty),
    Fault("byte-order-marks", "a good answer behind two byte order marks", _marked),
    Fault("two-envelopes", "two answers in one", _two_envelopes),
    Fault("deflate", "a good answer in Content-Encoding: deflate", _deflate),
    Fault("padded-gzip", "a good answer in gzip with four zero bytes behind it", _padded_gzip),
    Fault("charset-as-encoding", "a good answer that says Content-Encoding: UTF-8", _charset_as_encoding),
    Fault("odd-header", "a header with a blank before its colon, which breaks HTTP", _raw(b"X-Powered-By : PHP/5.4")),
    Fault(
        "chunked-twice", "says Transfer-Encoding: chunked in two headers", _raw(*[b"Transfer-Encoding: chunked"] * 2)
    ),
    Fault("broken-gzip", "says gzip and is not", _broken_gzip),
    Fault("other-encoding", "says Content-Encoding: br", _other_encoding),
    Fault("zip-bomb", "260 KB of gzip that unpack to 260 MB", _bomb),
    Fault("deep-json", "10 MB of opening brackets", _deep),
    Fault("redirect-same", "302 to the same host, where the report is", _redirect_same),
    Fault("redirect-away", "302 to another host name, where a token would leak", _redirect_away),
    Fault("cached", "a good answer with Age: 1800; `cached:60` sets it", _cached, 1800),
    Fault("frozen", "the report as it was when the fault began", _frozen, only_hits=True, still=True),
    Fault("clock-skew", "the Date header is 2 hours ahead; `clock-skew:60` sets it", _skewed, 7200),
)
"""Every fault of this file."""
