"""A command waits where the API says "not now", and not for ever."""

from __future__ import annotations

import pytest

from producer.errors import BadToken, PollFailed, QuotaSpent, Retry, SlowDown
from producer.recovery.patience import FIRST_WAIT, LONGEST_WAIT, TRIES, PatientCalls
from producer.wolkvox.history_rows import read_codes
from tests.unit.wolkvox.archive import CODES
from tests.unit.wolkvox.calls import calling, envelope
from tests.unit.wolkvox.raw_server import answering, http

PATH = "reports_manager.php?api=cdr_1&date_ini=20260118120000&date_end=20260118130000"
RIGHT = http(envelope(data=CODES))


def refused(status: int, msg: str, *headers: str) -> bytes:
    return http(envelope(code=status, msg=msg, data=None), *headers, status=f"{status} NO")


BUSY = refused(403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")


class Told:
    """What was said and waited for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waits: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)


async def call(*scripts: bytes) -> Told:
    told = Told()
    async with answering(*scripts) as server, calling(server.url) as api:
        await PatientCalls(api, say=told.lines.append, pause=told.pause).call(PATH, read_codes)
    return told


async def test_each_call_is_told_by_its_report_and_range() -> None:
    told = await call(RIGHT)
    assert told.lines == ["call 1 of the API: cdr_1, 20260118120000 to 20260118130000"]
    assert not told.waits


async def test_a_token_in_use_is_waited_for_longer_each_time() -> None:
    told = await call(BUSY, BUSY, refused(503, ""), RIGHT)
    assert told.waits == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert told.lines[-1].startswith("call 4 of the API")


async def test_what_the_api_asks_for_is_waited_at_least() -> None:
    assert (await call(refused(503, "", "Retry-After: 7"), RIGHT)).waits == [7.0]


@pytest.mark.parametrize(
    ("answer", "kind", "waits"),
    [
        (refused(503, ""), Retry, TRIES - 1),
        (BUSY, SlowDown, TRIES - 1),
        (refused(503, "", f"Retry-After: {LONGEST_WAIT + 1:.0f}"), Retry, 0),
        (refused(403, "TOKEN LIMIT EXCEEDED"), QuotaSpent, 0),
        (refused(401, ""), BadToken, 0),
    ],
)
async def test_what_waiting_does_not_mend_ends_it(answer: bytes, kind: type[PollFailed], waits: int) -> None:
    told = Told()
    async with answering(answer) as server, calling(server.url) as api:
        with pytest.raises(kind):
            await PatientCalls(api, say=told.lines.append, pause=told.pause).call(PATH, read_codes)
    assert len(told.waits) == waits
