"""`make bench`: each benchmark prints a line of JSON, then comes a table; exit status 1 if a bound is missed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

import orjson
from rich.console import Console
from rich.table import Table

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks import cold, compression, fleet, fresh, ids, latency, memory, restore, start, steady
from tests.benchmarks.measures import Figure, Report

Benchmark = Callable[[EmbeddedKafka], Awaitable[Report | Sequence[Report]]]
BENCHMARKS: Mapping[str, Benchmark] = {
    "fresh": fresh.run,
    "cold": cold.run,
    "steady": steady.run,
    "restore": restore.run,
    "start": start.run,
    "ids": ids.run,
    "latency": latency.run,
    "memory": memory.run,
    "fleet": fleet.run,
    "compression": compression.run,
}


async def main(names: Sequence[str]) -> int:
    """Run these benchmarks, all without names; 0 if every bound is met, 2 for a name that is none."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        sys.stderr.write(f"no benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    reports: list[Report] = []
    kafka = EmbeddedKafka()
    try:
        await asyncio.to_thread(kafka.start)
        for name in names or BENCHMARKS:
            found = await BENCHMARKS[name](kafka)
            for report in [found] if isinstance(found, Report) else found:
                sys.stdout.write(orjson.dumps(report.line()).decode() + "\n")
                sys.stdout.flush()
                reports.append(report)
    finally:
        await asyncio.to_thread(kafka.close)
    return _tell(reports)


def _tell(reports: Sequence[Report]) -> int:
    table = Table("benchmark", "what", "measured", "bound", "", title="medians of one run")
    for report in reports:
        table.add_section()
        for place, figure in enumerate(report.figures):
            table.add_row(
                report.name if place == 0 else "", figure.what, _shown(figure), figure.bound, _verdict(figure)
            )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    missed = [figure for report in reports for figure in report.figures if not figure.met]
    return 1 if missed else 0


def _shown(figure: Figure) -> str:
    if figure.unit == "x":
        return f"{figure.value:.2f} x"
    if figure.unit == "%":
        return f"{figure.value:.0f} %"
    return f"{figure.value:,.{0 if figure.value >= 100 else 1}f} {figure.unit}"


def _verdict(figure: Figure) -> str:
    if not figure.bound:
        return ""
    return "[green]met[/]" if figure.met else "[bold red]missed[/]"


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
