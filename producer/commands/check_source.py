"""What `check` asks of one source: two calls, the first for the token and its quota, the second for the report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol

from producer import duration
from producer.commands.check_findings import Finding, failed, ok, warning
from producer.commands.check_quota import quota_finding
from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Refused, SlowDown
from producer.model import RECORD_CAP, Snapshot
from producer.settings import SourceSettings
from producer.wolkvox.client import TokenInfo
from producer.wolkvox.marks import count_unmarked

SKEW = 30.0
"""Seconds between our clock and the API's that are worth a word."""


class Api(Protocol):
    """What is asked of the API."""

    async def token_info(self) -> TokenInfo:
        """The token's quota; raises PollFailed."""
        ...

    async def fetch(self) -> Snapshot:
        """The report; raises PollFailed."""
        ...


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """One source to look at; `token_setting` and `url_setting` are the names of what to mend."""

    source: SourceSettings
    token_setting: str
    url_setting: str

    @property
    def area(self) -> str:
        """The heading of its findings."""
        return f"source {self.source.server}"

    async def findings(self, api: Api) -> AsyncIterator[Finding]:
        """What is found, as soon as it is; after a refusal that the next call would meet too, no further."""
        try:
            info = await api.token_info()
        except NotASnapshot as error:
            yield warning(self.area, "quota", f"unknown: {error}", "the report itself decides; see below")
        except PollFailed as error:
            yield self._refused(error)
            return
        else:
            for finding in self._of_token(info):
                yield finding
        try:
            snapshot = await api.fetch()
        except PollFailed as error:
            yield self._refused(error)
            return
        yield self._of_report(snapshot)

    def _of_token(self, info: TokenInfo) -> Iterator[Finding]:
        seconds = info.received.wall - info.requested.wall
        trust = ", its certificate is trusted" if self.source.url.startswith("https") else ""
        yield ok(self.area, "api", f"{self.source.url} answers in {seconds:.2f} s{trust}")
        yield ok(self.area, "token", "accepted (this check costs two calls of its quota)")
        yield quota_finding(self.area, info, interval=self.source.interval, zone=self.source.timezone)
        yield self._of_clock(info)

    def _of_clock(self, info: TokenInfo) -> Finding:
        offset = clock_offset(info)
        if offset is None:
            return ok(self.area, "clock", "the API's answer has no date to compare with")
        if abs(offset) < SKEW:
            return ok(self.area, "clock", "agrees with the API's")
        side = "behind" if offset > 0 else "ahead of"
        text = f"this machine's is {_roughly(abs(offset))} {side} the API's"
        hint = (
            "set it by NTP: observed_at and all delays come from it, and Kafka refuses records an hour ahead of its own"
        )
        return warning(self.area, "clock", text, hint)

    def _of_report(self, snapshot: Snapshot) -> Finding:
        rows = len(snapshot.rows)
        took = f"{snapshot.seconds:.2f} s of POLL_TIMEOUT {duration.text(self.source.timeout)}"
        if snapshot.not_found:
            text = f"404, no hits now, or this server does not have the report ({took})"
            return warning(
                self.area, "report", text, "look again while agents close hits; if it stays 404, ask Wolkvox"
            )
        if snapshot.age:
            text = f"{rows} rows, {duration.text(snapshot.age)} old: a cache answers for the API ({took})"
            return warning(
                self.area, "report", text, "let calls to Wolkvox pass the proxy uncached; what is later is not covered"
            )
        if snapshot.truncated:
            text = f"{rows} rows, the API's cap is {RECORD_CAP}: there may be more ({took})"
            return warning(self.area, "report", text, "poll more often (POLL_INTERVAL) if the quota allows it")
        odd = f"; odd: {', '.join(sorted(snapshot.drift))}" if snapshot.drift else ""
        unmarked = count_unmarked(snapshot.rows)
        of_them = f", {unmarked} of them unmarked" if unmarked else ""
        text = f"{rows} row{'' if rows == 1 else 's'} now{of_them}, in {took}{odd}"
        if unmarked and self.source.hits == "all":
            hint = "their `hit` is empty or says no: they are told as hits, unless WOLKVOX_HITS=marked"
            return warning(self.area, "report", text, hint)
        return ok(self.area, "report", text)

    def _refused(self, error: PollFailed) -> Finding:
        text = str(error)
        match error:
            case BadToken():
                hint = f"{self.token_setting}: copy the token again; it must be one of server {self.source.server}"
                return failed(self.area, "token", text, hint)
            case QuotaSpent():
                hint = f"wait for midnight in {self.source.timezone.key}; then see POLL_INTERVAL and who else calls"
                return failed(self.area, "quota", text, hint)
            case SlowDown():
                hint = "a running instance of this service may be polling just now: check again in a minute"
                return warning(self.area, "token", text, hint)
            case Refused():
                hint = f"the words are the API's own; if they don't help, ask Wolkvox about server {self.source.server}"
                return failed(self.area, "api", text, hint)
            case NotASnapshot():
                hint = f"{self.url_setting}: is {self.source.url} the Wolkvox API, and not a login page or a proxy?"
                return failed(self.area, "report", text, hint)
        return failed(self.area, "api", f"{self.source.url}: {text}", self._unreachable())

    def _unreachable(self) -> str:
        return (
            f"see {self.url_setting}, proxy and firewall; "
            "Wolkvox drops connections from addresses that the operation has not allowed"
        )


def _roughly(seconds: float) -> str:
    unit = 60 if seconds >= 120 else 1
    return duration.text(float(round(seconds / unit) * unit))


def clock_offset(info: TokenInfo) -> float | None:
    """Seconds that the API's clock is ahead of ours at least, negative if behind; None if it told none.

    The Date header has whole seconds and was made somewhere between request and receipt: only what that can't explain
    counts.
    """
    if info.server_time is None:
        return None
    ahead = info.server_time - info.received.wall
    behind = info.requested.wall - (info.server_time + 1)
    return ahead if ahead > 0 else -behind if behind > 0 else 0.0
