"""Answers of an API at will."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from producer.clock import Moment
from producer.errors import PollFailed
from producer.model import Snapshot
from producer.wolkvox.client import TokenInfo

EVENING = 1_768_773_600.0
"""2026-01-18 17:00 in Bogota: seven hours to midnight."""

INFO = TokenInfo(
    token_limit=1000,
    token_use_today=100,
    all_token_today=100,
    available_consumption_options=900,
    requested=Moment(EVENING, 0.0),
    received=Moment(EVENING + 0.25, 0.25),
    server_time=EVENING,
)

ROWS = [{"hit": "SALE"}, {"hit": "SALE"}]


def info(**changes: Any) -> TokenInfo:
    """A token's info that differs from a healthy one."""
    return replace(INFO, **changes)


def snapshot(**changes: Any) -> Snapshot:
    """A report of two rows."""
    return replace(
        Snapshot(server="0042", requested=INFO.requested, received=INFO.received, rows=ROWS),
        **changes,
    )


class ScriptedApi:
    """Answers as told, and counts the calls."""

    def __init__(self, token: TokenInfo | PollFailed = INFO, report: Snapshot | PollFailed | None = None) -> None:
        self._token = token
        self._report = report or snapshot()
        self.calls = 0

    async def token_info(self) -> TokenInfo:
        """The first call of a check."""
        self.calls += 1
        if isinstance(self._token, PollFailed):
            raise self._token
        return self._token

    async def fetch(self) -> Snapshot:
        """The second call of a check."""
        self.calls += 1
        if isinstance(self._report, PollFailed):
            raise self._report
        return self._report
