"""The documents as data, and what in them the code writes: `python -m tests.meta.papers` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from producer.events.catalogue import schema
from producer.observe.facts import FACTS
from producer.observe.metrics import DRIFT, Metrics
from producer.settings import settings_table
from tests.integration.consumers.examples import FILES, example
from tests.integration.security.grants import least

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "schemas/*.md", "tests/simulation/*.md")
    for path in ROOT.glob(pattern)
)
"""Every document, by its path."""

LANGUAGES = {".py": "python", ".java": "java", ".js": "javascript"}


@dataclass(frozen=True, slots=True)
class Paper:
    """One document; `name` is its path from the root."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return re.sub(r"^ *```.*?^ *```$", "", self.text, flags=re.DOTALL | re.MULTILINE)

    @property
    def spans(self) -> list[str]:
        """What stands between backticks, each once, in order."""
        return list(dict.fromkeys(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", self.prose)))

    @property
    def links(self) -> list[tuple[str, str]]:
        """Text and target of each link."""
        return re.findall(r"\[([^\]]+)\]\(([^)\s]+)\)", self.prose)

    @property
    def anchors(self) -> set[str]:
        """What a link to a heading of it may say after `#`."""
        headings = re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    @property
    def commands(self) -> list[str]:
        """What a reader is asked to type."""
        blocks = re.findall(r"```console\n(.*?)```", self.text, re.DOTALL)
        return re.findall(r"^ *\$ (.*)$", "".join(blocks), re.MULTILINE)

    def between(self, name: str) -> str:
        """What stands between `<!-- name -->` and `<!-- /name -->`."""
        found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", self.text, re.DOTALL)
        assert found is not None, f"{self.name} has no section {name}"
        return found[1].strip()

    def table(self, heading: str) -> list[list[str]]:
        """The cells of the first table below a heading, without its head."""
        _, _, below = self.text.partition(f"\n{heading}\n")
        rows = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
        assert rows is not None, f"{self.name} has no table below {heading!r}"
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[0].splitlines()[2:]]


def paper(name: str) -> Paper:
    """One of them."""
    return Paper(name, (ROOT / name).read_text())


def metrics() -> str:
    rows = [f"| `{name}` | {kind} | {labels} | {meaning} |" for name, kind, labels, meaning in Metrics().table()]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows])


def reasons() -> str:
    """Why rows are dead letters, in the words of the schema."""
    said = schema("dead_letter").document["properties"]["reason"]["description"]
    rows = [f"| `{reason}` | {words} |" for reason, words in re.findall(r"(\w+): (.*?)\.(?= )", said)]
    return "\n".join(["| reason | the row |", "|---|---|", *rows])


def drift() -> str:
    rows = [f"| `{kind}` | {meaning} |" for kind, meaning in DRIFT.items()]
    return "\n".join(["| kind | what was odd, and understood all the same |", "|---|---|", *rows])


def log_lines() -> str:
    rows = [f"| `{fact.name}` | {fact.level} | {fact.meaning} |" for fact in FACTS.values()]
    return "\n".join(["| event | level | meaning |", "|---|---|---|", *rows])


def permissions() -> str:
    """One row for each set of operations, from the table that the tests of security grant by."""
    operations: dict[tuple[str, str, bool], list[str]] = {}
    for grant in least("wolkvox.hits", "wolkvox-hits", create=True):
        key = (grant.resource.replace("-", " "), grant.name, grant.prefixed)
        operations.setdefault(key, []).append(grant.operation)
    rows: dict[tuple[str, str], list[str]] = {}
    for (resource, name, prefixed), allowed in operations.items():
        kind = f"{resource}, prefixed" if prefixed else resource
        rows.setdefault((kind, ", ".join(one for one in allowed if one != "Create")), []).append(f"`{name}`")
    lines = [f"| {kind} | {', '.join(names)} | {allowed} |" for (kind, allowed), names in rows.items()]
    create = "| topic, all five | as above, while they are missing and `KAFKA_CREATE_TOPICS` is on | Create |"
    return "\n".join(["| resource | name | operations |", "|---|---|---|", *lines, create])


def program(name: str) -> str:
    """One of the consumers, as it stands in its file."""
    return f"```{LANGUAGES[Path(FILES[name]).suffix]}\n{example(name)}```"


WRITTEN: Mapping[tuple[str, str], Callable[[], str]] = {
    ("docs/consuming.md", "reasons"): reasons,
    ("docs/settings.md", "settings"): lambda: settings_table().strip(),
    ("docs/operating.md", "acls"): permissions,
    ("docs/operating.md", "metrics"): metrics,
    ("docs/operating.md", "drift"): drift,
    ("docs/operating.md", "facts"): log_lines,
    **{("docs/consuming.md", f"consumer {name}"): partial(program, name) for name in FILES},
}
"""What the code writes, by document and section."""


def rules() -> str:
    """The alerts as an object of Prometheus' operator; YAML's references are resolved: not every tool does that."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    groups = yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text())["groups"]
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "wolkvox-hits", "labels": {"app": "wolkvox-hits"}},
        "spec": {"groups": groups},
    }
    return f"# Written from ops/prometheus/alerts.yml.\n{yaml.dump(made, Dumper=Plain, sort_keys=False, width=120)}"


MADE: Mapping[str, Callable[[], str]] = {"ops/kubernetes/monitoring/rules.yaml": rules}
"""Whole files that others are written into."""


PAPERS = [paper(name) for name in NAMES if name != "CHANGELOG.md"]
"""All but the one that tells of what was, too."""


def typed() -> list[str]:
    """What stands in their blocks of a console."""
    return sorted({command for one in PAPERS for command in one.commands})


def mentioned() -> list[str]:
    """Commands within their sentences."""
    found = {span for one in PAPERS for span in one.spans if re.match(r"(wolkvox-hits|make|python -m) \S", span)}
    return sorted(found - set(typed()))


def main() -> None:
    for (name, section), written in WRITTEN.items():
        text = paper(name).text
        begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        (ROOT / name).write_text(f"{before}{begin}{written()}\n{end}{after}")
    for name, written in MADE.items():
        (ROOT / name).write_text(written())


if __name__ == "__main__":
    main()
