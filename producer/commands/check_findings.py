"""What `check` found, and how it is told: as a table for people, as lines for a pipe, as one JSON object."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from producer.commands.console import print_lines, print_table


class Verdict(StrEnum):
    """How bad a finding is; only `failed` makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: where, what, how it is, and what to do if it is not well."""

    area: str
    subject: str
    verdict: Verdict
    text: str
    hint: str = ""


def ok(area: str, subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(area, subject, Verdict.OK, text)


def warning(area: str, subject: str, text: str, hint: str) -> Finding:
    """It works, but may lose, double or stop."""
    return Finding(area, subject, Verdict.WARNING, text, hint)


def failed(area: str, subject: str, text: str, hint: str) -> Finding:
    """The service would not work, or would lose hits."""
    return Finding(area, subject, Verdict.FAILED, text, hint)


def worst(findings: Sequence[Finding]) -> Verdict:
    """The verdict on all together."""
    found = {finding.verdict for finding in findings}
    return next((one for one in (Verdict.FAILED, Verdict.WARNING) if one in found), Verdict.OK)


def print_findings(console: Console, findings: Sequence[Finding], *, as_json: bool) -> None:
    """All findings and how many of each verdict; as JSON `{"verdict": …, "findings": [{…}]}`."""
    if as_json:
        found = {"verdict": worst(findings), "findings": [asdict(finding) for finding in findings]}
        print_lines(console, [json.dumps(found, ensure_ascii=False, indent=2)])
    elif console.is_terminal:
        _print_sections(console, findings)
    else:
        rows = [(one.verdict, one.area, one.subject, _on_one_line(one)) for one in findings]
        print_table(console, ("VERDICT", "WHERE", "WHAT", "FOUND"), rows)


def _print_sections(console: Console, findings: Sequence[Finding]) -> None:
    widest = max((len(finding.subject) for finding in findings), default=0)
    for area, group in groupby(findings, key=lambda finding: finding.area):
        console.print(Text(area, style="bold"))
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=len("  warning"))
        # A long topic name goes on a second line rather than squeezing what is told about it.
        grid.add_column(width=min(widest, max(12, console.width // 4)), overflow="fold")
        grid.add_column(overflow="fold", ratio=1)
        for finding in group:
            grid.add_row(*_cells(finding))
        console.print(grid)
    console.print(Text.assemble(*_summary(findings)))


def _cells(finding: Finding) -> Iterator[Text]:
    yield Text(f"  {finding.verdict}", style=_STYLES[finding.verdict])
    yield Text(finding.subject)
    hint = (f"\n→ {finding.hint}", "bold") if finding.hint else ""
    yield Text.assemble(finding.text, hint)


def _summary(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    counts = Counter(finding.verdict for finding in findings)
    for verdict in Verdict:
        yield f"{counts[verdict]} {verdict}   ", _STYLES[verdict] if counts[verdict] else "dim"


def _on_one_line(finding: Finding) -> str:
    return f"{finding.text}  ->  {finding.hint}" if finding.hint else finding.text
