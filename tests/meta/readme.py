"""Writes the README's generated tables: `python -m tests.meta.readme`."""

from __future__ import annotations

from pathlib import Path

from producer.observe.facts import FACTS
from producer.observe.metrics import Metrics
from producer.settings import settings_table

README = Path(__file__).parents[2] / "README.md"


def metrics_table() -> str:
    rows = [f"| `{name}` | {kind} | {labels} | {meaning} |" for name, kind, labels, meaning in Metrics().table()]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows])


def log_table() -> str:
    rows = [f"| `{fact.name}` | {fact.level} | {fact.meaning} |" for fact in FACTS.values()]
    return "\n".join(["| event | level | meaning |", "|---|---|---|", *rows])


def settings() -> str:
    return settings_table().strip()


TABLES = {"settings": settings, "metrics": metrics_table, "facts": log_table}
"""What stands between `<!-- name -->` and `<!-- /name -->`."""


def main() -> None:
    text = README.read_text()
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{table()}\n{end}{after}"
    README.write_text(text)


if __name__ == "__main__":
    main()
