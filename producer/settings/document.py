"""What people read about the settings, made from the fields themselves: the example file and the documents' table."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping

from pydantic.fields import FieldInfo

from producer.settings.fields import shown_default
from producer.settings.layers import KNOWN, SECTIONS
from producer.settings.problems import env_name
from producer.settings.sources import Table

_HEAD = """\
Every setting of wolkvox-hits with its meaning and its default; take the "# " off what you change.
`--config FILE` or WOLKVOX_HITS_CONFIG names this file. `section.field` here is SECTION_FIELD in the environment.
A flag goes before the environment, that before this file, this file before the default.
Durations: "15s", "5m", "2h", "7d", "1h30m" or seconds.
"""
_SOURCES = """\
Several sources: one such table for each, and then neither WOLKVOX_SERVER nor WOLKVOX_TOKEN.
What a table leaves out is as [wolkvox] and [poll] say.
"""


def example_toml() -> str:
    """A file with every setting commented out at its default, and a [[source]] table as an example."""
    lines = [*_comment(_HEAD)]
    for name, section in SECTIONS.items():
        lines += ["", *_comment(section.__doc__ or ""), f"[{name}]", *_settings(section.model_fields)]
    lines += ["", *_comment(_SOURCES), "# [[source]]", *_settings(Table.model_fields)]
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """A Markdown table of every setting: its name in the environment, its default, its meaning."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for section, name in KNOWN:
        field = SECTIONS[section].model_fields[name]
        default = shown_default(field)
        literal = field.default is not None or "://" in default
        lines.append(f"| {env_name(section, name)} | {f'`{default}`' if literal else default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _settings(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    for name, field in fields.items():
        unset = f" ({shown_default(field)})" if field.default is None else ""
        yield from _comment(f"{field.description}{unset}")
        # JSON's strings, numbers and booleans are TOML's.
        yield f"# {name} = {json.dumps((field.examples or [None])[0])}"


def _comment(text: str) -> Iterator[str]:
    for line in text.strip().splitlines():
        yield from textwrap.wrap(line, 116, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
