"""What the service says about itself: one name per fact, with its level, its meaning and the fields it may carry.

The logger takes nothing else. So a line can't leak what no row of this table allows, and a reader can look up any line.
A new line in the log is a new row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)

ANYWHERE = ("server", "shard", "poll")
"""Fields that every fact may carry: they tell which lines belong together."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the table; `limited` facts repeat while something is wrong, so they are rate-limited."""

    name: str
    level: Level
    meaning: str
    fields: tuple[str, ...]
    limited: bool

    def carries(self, field: str) -> bool:
        """Whether a line of this fact may have that field."""
        return field in self.fields or field in ANYWHERE


def _row(name: str, level: Level, meaning: str, fields: str = "", *, limited: bool = False) -> Fact:
    return Fact(name, level, meaning, tuple(fields.split()), limited)


_ROWS = (
    # The process
    _row("service_started", "info", "Settings are read and the loops run.", "version instance sources group"),
    _row("service_stopping", "info", "Asked to end: the poll in hand is finished or aborted.", "signal"),
    _row("service_stopped", "info", "Ended; `pending` hits died with the process.", "pending"),
    _row("settings_warning", "warning", "A setting is accepted but is likely wrong.", "problem"),
    _row("status_listening", "info", "The status page answers there.", "url"),
    _row("status_unavailable", "warning", "The status server can't run; the service goes on without it.", "error"),
    _row("status_failed", "error", "The status page could not be drawn.", "error", limited=True),
    _row("library_message", "warning", "A library spoke at warning or above.", "message exception", limited=True),
    _row("undocumented", "error", "A line that this table lacks: a defect of ours.", "message"),
    # Rounds
    _row("poll_done", "info", "A snapshot was read and its rows counted.",
         "rows new changed duplicate dead unmarked pending milliseconds"),
    _row("unmarked_hits", "warning", "Rows whose `hit` is empty or says no are told as hits. Said once a source.",
         "count problem"),
    _row("poll_failed", "warning", "No snapshot this time; nothing published, nothing forgotten.",
         "outcome error retry_in attempt milliseconds", limited=True),
    _row("poll_recovered", "info", "The first snapshot after failures.", "attempt"),
    _row("polling_died", "error", "A source's polling or healing ended on a defect of ours; it begins again.",
         "exception retry_in", limited=True),
    _row("api_drift", "warning", "The API answers otherwise than documented; understood all the same.", "drift",
         limited=True),
    _row("report_missing", "warning", "This source has only ever answered 404: the report may not exist there.",
         "attempt", limited=True),
    _row("quota_short", "warning", "The interval would use up the day's calls.", "problem"),
    _row("poll_overrun", "warning", "A poll took longer than the interval; its slots are skipped.", "count",
         limited=True),
    _row("coverage_gap", "warning", "Time that no snapshot covered: hits may be missing.",
         "kind start end seconds certain"),
    _row("gap_recovered", "info", "A gap was healed: what was missing of it is published.",
         "start end method found published already_told"),
    _row("gap_not_healed", "warning", "A gap waits on: its hits could not be looked for.",
         "start end problem retry_in", limited=True),
    _row("history_disagrees", "warning",
         "The historical reports know hits by other ids than they were told by: nothing of a gap is published.",
         "start end problem retry_in", limited=True),
    _row("gap_given_up", "error", "A gap was not healed, and nobody tries again.", "start end problem"),
    _row("rows_dropped", "warning", "Hits that waited were not published, counted with the reason.", "cause count"),
    _row("cursor_ahead_of_clock", "warning", "The ledger's cursor is later than our clock; taken as now."),
    _row("pending_limit_reached", "error", "PENDING_LIMIT hits wait for Kafka: no snapshot is taken.",
         "problem", limited=True),
    # Kafka
    _row("kafka_unavailable", "warning", "Kafka can't be reached.", "error retry_in", limited=True),
    _row("kafka_refused", "error", "Kafka refuses the credentials or a permission.", "error", limited=True),
    _row("registry_unavailable", "warning", "The schema registry can't be reached; it is waited for.", "error retry_in",
         limited=True),
    _row("schemas_known", "info", "The schema registry has our schemas; the values carry these ids.", "schemas"),
    _row("topics_created", "info", "Missing topics were made.", "topics"),
    _row("topic_lesser", "warning", "The cluster refused settings of a topic: it was made without them.", "problem"),
    _row("committed", "info", "A transaction was committed.",
         "events changes dead_letters gaps milliseconds"),
    _row("commit_failed", "warning", "A transaction failed or its outcome is unknown; a new producer will look.",
         "error retry_in pending", limited=True),
    # Shards and the ledger
    _row("shards_assigned", "info", "The consumer group gave these shards.", "shards count"),
    _row("restoring", "info", "How far the ledger is read, each second; at a start polling begins after it.",
         "ids percent seconds"),
    _row("shard_taken", "info", "This instance owns the shard: its sources are polled.", "servers ids milliseconds"),
    _row("shard_given_up", "info", "The shard is no longer ours.", "pending"),
    _row("fenced", "warning", "Another producer took the transactional id.", "retry_in", limited=True),
    _row("fenced_repeatedly", "error", "Fenced again and again while the group says the shard is ours.",
         "attempt cause", limited=True),
    _row("unknown_sources", "warning", "Owned ledger partitions hold servers that the settings lack.", "servers",
         limited=True),
)  # fmt: skip

FACTS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for fact in _ROWS})
"""Every line this service can write, by its `event`."""
