"""`wolkvox-hits recover history | file | dead-letters | verify`: hits that no snapshot brought, by hand.

    what there is -> rows, read as the service reads them -> which are told -> the shard's id, one transaction, a table

They run beside the service or without it, and each ends with the same table. Progress goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from rich.console import Console

from producer.clock import Clock, SystemClock
from producer.commands.console import print_lines, stdout
from producer.commands.loop import run
from producer.commands.recover_words import Summary, disagreement, print_summary, print_verdict
from producer.core.healer import EARLIER, FURTHER
from producer.core.healing import LEAST, Agreement, agreement, covered
from producer.core.ledger import shard_of
from producer.core.quota import seconds_to_reset, spares
from producer.errors import NotASnapshot, PollFailed, QuotaSpent, SettingsError
from producer.frame import SchemaFrames, frame
from producer.kafka.census import Census
from producer.kafka.connection import Connection, instance_name
from producer.kafka.entries import ledger_partitions, refused_ids
from producer.kafka.past import HitsTopic
from producer.kafka.store import KafkaShardStore
from producer.kafka.tail import BEGINNING
from producer.kafka.topics import TopicSetup
from producer.model import REPORT_REACH, Method, Reason, Topic
from producer.recovery.files import CONTENT, read_file
from producer.recovery.found import Found, judged, read_rows
from producer.recovery.letters import read_letters, readable
from producer.recovery.patience import PatientCalls
from producer.recovery.publication import Publication
from producer.recovery.told import gaps_told, hits_told
from producer.registry.client import registry_of
from producer.service.wiring import api_of, privacy_of, quota_of
from producer.settings import Settings, SourceSettings
from producer.wolkvox.client import BODY_LIMIT
from producer.wolkvox.history import WolkvoxHistory
from producer.wolkvox.reader import RowReader

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What the commands have in common."""

    settings: Settings
    source: SourceSettings
    dry_run: bool = False
    accept_unknown: bool = False


def recover_history(how: How, span: Span, *, console: Console | None = None) -> int:
    """Tell what the historical reports have between two moments and was not told; 1 if they can't be believed."""
    return run(_Recovery(how, console or stdout()).history(span))


def recover_file(how: How, path: Path, columns: Mapping[str, str], *, console: Console | None = None) -> int:
    """Tell what a file has and was not told; 1 if it has lines that are no rows."""
    return run(_Recovery(how, console or stdout()).file(path, columns))


def recover_dead_letters(
    how: How, *, since: float | None, reasons: Sequence[Reason], console: Console | None = None
) -> int:
    """Tell what was a dead letter and can be read by now; `since` is so many seconds back."""
    return run(_Recovery(how, console or stdout()).dead_letters(since, reasons))


def recover_verify(how: How, span: Span, *, console: Console | None = None) -> int:
    """Say how the history and the topic agree between two moments; 1 if they don't."""
    return run(_Recovery(how, console or stdout()).verify(span))


class _Recovery:
    def __init__(self, how: How, console: Console, clock: Clock | None = None) -> None:
        self._how = how
        self._source = how.source
        self._settings = how.settings
        self._console = console
        self._clock = clock or SystemClock()
        self._connection = Connection(how.settings.kafka, client_id=f"wolkvox-hits-recover-{instance_name()}")
        self._setup = TopicSetup(self._connection)
        self._past = HitsTopic(connection=self._connection, setup=self._setup, clock=self._clock)
        self._frames: SchemaFrames = {}
        server, zone, privacy = self._source.server, self._source.timezone, privacy_of(how.settings)
        marked = self._source.hits == "marked"
        self._reader = RowReader(server=server, zone=zone, marked_only=marked, privacy=privacy)
        # A row of the history is a hit by its code, whatever its text says.
        self._historian = RowReader(server=server, zone=zone, privacy=privacy)

    async def history(self, span: Span) -> int:
        await self._connect()
        async with self._history() as history:
            await self._spare_the_polls(history.calls(*span) + history.calls(span[0] - FURTHER, span[0]))
            found = read_rows(await history.fetch(*span), self._historian, method=Method.HISTORY)
            agrees = await self._agreement(history, span[0])
        if not (agrees.holds or self._how.accept_unknown):
            print_lines(self._console, list(disagreement(agrees)))
            return 1
        return await self._publish(found, healing=span)

    async def file(self, path: Path, columns: Mapping[str, str]) -> int:
        try:
            content = read_file(_body(path), server=self._source.server, columns=columns, now=self._clock.now())
        except NotASnapshot as error:
            raise SettingsError([f"PATH: {path}: {error}; needed is {CONTENT}"]) from None
        await self._connect()
        found = read_rows(content.snapshot, self._reader, method=Method.FILE)
        return await self._publish(found, unread=content.unread)

    async def dead_letters(self, since: float | None, reasons: Sequence[Reason]) -> int:
        topics = await self._connect()
        self._say(f"reading {self._settings.kafka.topic}{Topic.DEAD_LETTER}")
        begin = None if since is None else self._clock.now().wall - since
        letters = await read_letters(self._connection, self._source.server, since=begin, reasons=reasons)
        found = readable(letters, self._reader, server=self._source.server, limit=topics, clock=self._clock)
        return await self._publish(found, rows=letters.letters)

    async def verify(self, span: Span) -> int:
        await self._connect()
        async with self._history() as history:
            await self._spare_the_polls(history.calls(*span))
            found = read_rows(await history.fetch(*span), self._historian, method=Method.HISTORY)
        self._say(f"reading {self._settings.kafka.topic} from before the range to its end")
        told = await hits_told(self._connection, self._source.server, since=span[0] - EARLIER)
        gaps = await gaps_told(self._connection, self._source.server, since=span[0] - EARLIER)
        verdict = print_verdict(self._console, found.hits, told, gaps, span)
        return 0 if verdict.holds else 1

    async def _connect(self) -> int:
        """Bytes that a record may have. Topics that are missing are not made: their name may be a mistake."""
        await ledger_partitions(self._connection)
        if not self._how.dry_run and (registry := registry_of(self._settings)) is not None:
            self._frames = {topic: frame(number) for topic, number in (await registry.ids()).items()}
        return (await self._setup.look()).max_message_bytes

    async def _publish(
        self, found: Found, *, rows: int | None = None, unread: Sequence[int] = (), healing: Span | None = None
    ) -> int:
        self._say(f"reading {self._settings.kafka.topic} from its beginning to its end")
        asked = self._clock.now()
        # All of it: the rows' own dates may be of another zone, or have their day and month the other way round.
        past = await self._past.told(self._source.server, BEGINNING)
        by_topic = judged(found.hits, past, accept_unknown=self._how.accept_unknown)
        summary = Summary(found, by_topic, rows=rows, unread=unread)
        if not self._how.dry_run and (by_topic.new or found.dead or healing):
            self._say("taking the shard's transactional id")
            number = shard_of(self._source.server, self._setup.topics.shards)
            publication = Publication(
                server=self._source.server,
                keep=self._settings.dedup.window,
                window=self._source.window,
                store=self._store(number),
                refused=partial(refused_ids, self._connection, number, self._source.server),
                clock=self._clock,
                rng=Random(),  # noqa: S311 (jitter, no secret)
                say=self._say,
            )
            summary.outcome = await publication.publish(found, by_topic, asked=asked, healing=healing)
        print_summary(self._console, summary, dry_run=self._how.dry_run)
        return 1 if unread or by_topic.unknown else 0

    def _store(self, number: int) -> KafkaShardStore:
        return KafkaShardStore(
            number=number,
            servers=[self._source.server],
            setup=self._setup,
            frames=self._frames,
            connection=self._connection,
            census=Census(connection=self._connection, setup=self._setup),
            clock=self._clock,
        )

    async def _agreement(self, history: WolkvoxHistory, begin: float) -> Agreement:
        """How far what the history has of the covered time before a moment is told under the same ids."""
        gaps = await gaps_told(self._connection, self._source.server, since=begin - FURTHER)
        for reach in (REPORT_REACH, FURTHER):
            found = read_rows(await history.fetch(begin - reach, begin), self._historian, method=Method.HISTORY)
            before = covered(found.hits.values(), before=begin, gaps=gaps)
            if len(before) >= LEAST:
                break
        past = await self._past.told(self._source.server, begin - reach - EARLIER)
        return agreement(before, past.ids)

    @asynccontextmanager
    async def _history(self) -> AsyncIterator[WolkvoxHistory]:
        self._api = api_of(self._source, self._settings, self._clock)
        try:
            yield WolkvoxHistory(
                server=self._source.server,
                api=PatientCalls(self._api, say=self._say),
                zone=self._source.timezone,
                hit=self._settings.recover.hit,
                turn=nullcontext,
                clock=self._clock,
            )
        finally:
            await self._api.aclose()

    async def _spare_the_polls(self, calls: int) -> None:
        """Raises QuotaSpent if the service could not poll until the reset; not every operation tells its quota."""
        try:
            quota = await quota_of(self._api)
        except PollFailed:
            return
        reset = seconds_to_reset(self._clock.now().wall, self._source.timezone)
        if not spares(quota, calls, interval=self._source.interval, until_reset=reset):
            raise QuotaSpent(f"{quota.left} calls are left today, and the polls need them: again after the reset")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 (progress, beside the table)


def _body(path: Path) -> bytes:
    try:
        if path.stat().st_size > BODY_LIMIT:
            raise SettingsError([f"PATH: {path}: more than {BODY_LIMIT >> 20} MB; split it"])
        return path.read_bytes()
    except OSError as error:
        raise SettingsError([f"PATH: {path}: {error.strerror}"]) from None
