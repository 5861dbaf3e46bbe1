"""What an answer's headers say of time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from producer.wolkvox.headers import http_date, retry_after

MOMENT = 784_111_777.0


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own zone is not UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/Bogota")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 03:49:37 -0500",
    ],
)
def test_a_date_is_in_utc_unless_it_says_otherwise(text: str) -> None:
    assert http_date(text) == MOMENT
    assert retry_after({"retry-after": text}, wall=MOMENT - 60) == 60


@pytest.mark.parametrize("text", ["", "soon", "Sun, 06 Nov", "60"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None
