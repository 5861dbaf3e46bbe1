"""What the commands of `recover` print: counts, and never a row (pure but for the printing)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from producer.commands.console import print_lines, print_table, until_nobody_reads
from producer.core.healing import LEAST, SHARE, Agreement
from producer.model import Gap, Hit
from producer.recovery.found import Found, Judged, moment_of
from producer.recovery.publication import Outcome

HEADERS = ("WHAT", "ROWS")
_LINES = 20
"""Line numbers that are named at most."""


@dataclass(slots=True)
class Summary:
    """What a command found and what became of it; `rows` if they are more than what was read."""

    found: Found
    by_topic: Judged
    rows: int | None = None
    unread: Sequence[int] = ()
    outcome: Outcome = field(default_factory=Outcome)


def print_summary(console: Console, one: Summary, *, dry_run: bool) -> None:
    """The table, and what to do about what was left out."""
    with until_nobody_reads(console):
        print_table(console, HEADERS, list(_rows(one, dry_run=dry_run)))
        print_lines(console, list(_hints(one)))


def print_verdict(
    console: Console, has: Mapping[str, Hit], told: Mapping[str, float], gaps: Sequence[Gap], span: tuple[float, float]
) -> Agreement:
    """How the history and the topic agree; what lies in a gap that was told is no disagreement."""
    missing = [hit for key, hit in has.items() if key not in told]
    in_gaps = sum(any(gap.start <= moment_of(hit) <= gap.end for gap in gaps) for hit in missing)
    both = len(has) - len(missing)
    inside = [key for key, moment in told.items() if span[0] <= moment <= span[1]]
    verdict = Agreement(found=len(has) - in_gaps, told=both)
    with until_nobody_reads(console):
        rows = [
            ("hits in the history", len(has)),
            ("told under the same id", both),
            ("not told, in a gap that was told", in_gaps),
            ("not told, in no gap", len(missing) - in_gaps),
            ("told, and not in the history", sum(key not in has for key in inside)),
        ]
        print_table(console, HEADERS, [(what, str(count)) for what, count in rows])
        print_lines(console, ["They agree." if verdict.holds else f"They do not agree: {_needed()}."])
    return verdict


def disagreement(agrees: Agreement) -> Iterator[str]:
    """Why nothing of a history was published."""
    yield (
        f"The history does not agree with what was told: of {agrees.found} hits that it has of the covered time before "
        f"the range, {agrees.told} are told under the same id; {_needed()}."
    )
    yield "Nothing was published. `wolkvox-hits recover verify` compares more of it; --accept-unknown believes it."


def _needed() -> str:
    return f"{LEAST} must be, and {SHARE:.0%} of them"


def _rows(one: Summary, *, dry_run: bool) -> Iterator[tuple[str, str]]:
    found, outcome = one.found, one.outcome
    hits, dead = len(found.hits), len(found.dead)
    read = hits + dead + found.repeated + found.summaries + found.unmarked
    yield "rows read", str(read if one.rows is None else one.rows)
    yield "hits in them", str(hits)
    yield "told before", str(len(one.by_topic.told) + outcome.told)
    yield ("would be published", str(len(one.by_topic.new))) if dry_run else ("published", str(outcome.published))
    counts = (
        ("would be dead letters" if dry_run else "dead letters", dead if dry_run else outcome.dead_lettered),
        ("repeated", found.repeated),
        ("unmarked", found.unmarked),
        ("summary lines", found.summaries),
        ("older than the topic", len(one.by_topic.unknown)),
        ("lines that are no rows", len(one.unread)),
        ("gaps healed", outcome.recovered),
    )
    yield from ((what, str(count)) for what, count in counts if count)


def _hints(one: Summary) -> Iterator[str]:
    if one.by_topic.unknown:
        yield (
            "The hits topic no longer reaches back to the older ones: nobody knows whether they were told. "
            "--accept-unknown publishes them all the same."
        )
    if one.unread:
        named = ", ".join(map(str, one.unread[:_LINES]))
        yield f"No rows: line {named}{' …' if len(one.unread) > _LINES else ''}"
