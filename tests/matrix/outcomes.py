"""What pytest's report of a run says, file by file, and which versions are worth a run (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of some files: how many of their tests passed, which did not, and how many of those did when tried again."""

    passed: int
    failed: Sequence[str]
    again: int = 0

    @property
    def well(self) -> bool:
        """Something was tried, and all of it passed."""
        return self.passed > 0 and not self.failed

    def __str__(self) -> str:
        told = [f"{self.passed} passed" if self.passed or self.failed else "not run"]
        told += [f"{self.again} of them at the second try"] if self.again else []
        told += [f"failed: {', '.join(self.failed)}"] if self.failed else []
        return ", ".join(told)


def outcomes(report: str, groups: Iterable[Sequence[str]]) -> Sequence[Outcome]:
    """One for each group of files and folders; a skipped test is a failed one, for nothing may be missing here."""
    cases = list(ET.fromstring(report).iter("testcase")) if report else []
    return [_of([case for case in cases if _file(case).startswith(tuple(files))]) for files in groups]


def together(first: Outcome, second: Outcome) -> Outcome:
    """What a run came to whose failures were tried again, and nothing else."""
    return Outcome(first.passed + second.passed, second.failed, again=second.passed) if first.failed else first


def newest(versions: Iterable[str], *, since: tuple[int, int]) -> Sequence[str]:
    """The last release of each minor, the oldest first; candidates and previews (`4.4.0-rc1`) are none."""
    released = [number for version in versions if len(number := _numbers(version)) == 3]
    last = {number[:2]: number for number in sorted(released) if number[:2] >= since}
    return [".".join(map(str, number)) for number in last.values()]


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else ()


def _of(cases: Sequence[ET.Element]) -> Outcome:
    bad = [
        case.get("name", "") for case in cases if any(child.tag in ("failure", "error", "skipped") for child in case)
    ]
    return Outcome(len(cases) - len(bad), bad)


def _file(case: ET.Element) -> str:
    return case.get("classname", "").replace(".", "/") + ".py"
