"""The effective settings with their origin, for `config show`; secrets are masked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from producer import duration
from producer.settings.fields import REQUIRED, shown_default
from producer.settings.layers import KNOWN, SECTIONS
from producer.settings.load import Settings
from producer.settings.problems import env_name
from producer.settings.secret import MASK, Secret


class Shown(NamedTuple):
    """One setting as `config show` prints it."""

    name: str
    value: str
    origin: str
    """flag, environment, file PATH, default; for a source of the file also `as NAME`."""


def show(settings: Settings) -> list[Shown]:
    """Every setting in the order of the documentation, then what each [[source]] table comes to."""
    rows = [_shown(settings, *one) for one in KNOWN]
    for source in settings.sources:
        for field, value in source:
            origin = settings.origins.get(f"[[source]] {source.server} {field}")
            if origin is not None:
                rows.append(Shown(f"[[source]] {source.server} {field}", _text(value), origin))
    return rows


def _shown(settings: Settings, section: str, field: str) -> Shown:
    name = env_name(section, field)
    value, origin = getattr(getattr(settings, section), field), settings.origins[name]
    # A secret that was read from its file is told there, by X_FILE.
    if value is None or (isinstance(value, Secret) and origin == "default"):
        unset = shown_default(SECTIONS[section].model_fields[field])
        return Shown(name, "none" if unset == REQUIRED else unset, origin)
    return Shown(name, _text(value), origin)


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return duration.text(value)
        case ZoneInfo():
            return str(value.key)
        case Secret():
            return MASK
        case Path() | str() | int():
            return str(value)
        case _:
            raise TypeError(f"no way to show a {type(value).__name__}")
