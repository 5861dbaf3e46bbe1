"""The three places that settings come from, each as `{section: {field: raw value}}`: flags, environment, file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from producer.settings.fields import Section
from producer.settings.problems import Problems, env_name, nearest
from producer.settings.sections import Dedup, Kafka, Log, Pending, Poll, Privacy, Recover, Registry, Status, Wolkvox

CONFIG = "WOLKVOX_HITS_CONFIG"


class Tree(Section):
    """All sections as read; what is not given has its default."""

    wolkvox: Wolkvox = Wolkvox()
    poll: Poll = Poll()
    dedup: Dedup = Dedup()
    privacy: Privacy = Privacy()
    kafka: Kafka = Kafka()
    registry: Registry = Registry()
    pending: Pending = Pending()
    recover: Recover = Recover()
    status: Status = Status()
    log: Log = Log()


SECTIONS: dict[str, type[Section]] = {name: type(field.default) for name, field in Tree.model_fields.items()}
KNOWN = [(name, one) for name, section in SECTIONS.items() for one in section.model_fields]
_DOTTED = {f"{section}.{name}" for section, name in KNOWN}
_DOTTED_BY_ENV_NAME = {env_name(*one): ".".join(one) for one in KNOWN}
_SECRETS = {dotted for dotted in _DOTTED if f"{dotted}_file" in _DOTTED}


@dataclass(frozen=True)
class Layer:
    """What one place gives; `tables` are the file's [[source]] tables."""

    origin: str
    values: dict[str, dict[str, Any]]
    tables: list[Any] = field(default_factory=list)

    def gives(self, section: str, name: str) -> bool:
        """Whether this place has a value for the setting."""
        return name in self.values.get(section, {})


def from_flags(overrides: Sequence[str], problems: Problems) -> Layer:
    """Overrides written `section.field=value`."""
    values: dict[str, dict[str, Any]] = {}
    for override in overrides:
        dotted, given, value = override.partition("=")
        section, _, name = dotted.strip().partition(".")
        if f"{section}.{name}" not in _DOTTED:
            _no_flag(dotted.strip() if given else "", problems)
        elif not given:
            problems.add(env_name(section, name), f"the flag has no value; write {section}.{name}=value")
        else:
            values.setdefault(section, {})[name] = value
    return Layer("flag", values)


def from_file(path: Path, *, named_by: str, problems: Problems) -> Layer:
    """The TOML file, its unknown keys told and left out; a file that can't be read is a problem of `named_by`."""
    data = _toml(path, named_by=named_by, problems=problems)
    tables = data.pop("source", [])
    if not isinstance(tables, list):
        problems.add("SOURCE", f"write [[source]], in double brackets ({path})")
        tables = []
    values: dict[str, dict[str, Any]] = {}
    for section, given in data.items():
        if section not in SECTIONS:
            _unknown(section, str(path), problems)
        elif not isinstance(given, dict):
            problems.add(section.upper(), f"is a table: write [{section}] ({path})")
        else:
            values[section] = _known(section, given, where=str(path), problems=problems)
    return Layer(f"file {path}", values, tables)


def merged(layers: Sequence[Layer]) -> Tree:
    """What all places give, the first of them before the next; raises pydantic's ValidationError."""
    values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for layer in reversed(layers):
        for section, given in layer.values.items():
            values[section] |= given
    return Tree.model_validate(values)


def is_hidden(section: str, name: str) -> bool:
    """Whether a problem must not show the value: a secret's, or its path's, where the secret may have been put."""
    return f"{section}.{name}".removesuffix("_file") in _SECRETS


def pick_secrets(layers: Sequence[Layer], problems: Problems) -> None:
    """Of a secret X and its X_FILE keep what the strongest place gives: a file here overrules a text there."""
    for section, _, name in (dotted.partition(".") for dotted in sorted(_SECRETS)):
        forms = (name, f"{name}_file")
        giving = [layer for layer in layers if any(layer.gives(section, form) for form in forms)]
        if giving and all(giving[0].gives(section, form) for form in forms):
            problems.add(env_name(section, name), f"{env_name(section, forms[1])} is set as well; give one of them")
        for layer in giving[1:]:
            for form in forms:
                layer.values[section].pop(form, None)


def origin(layers: Sequence[Layer], section: str, name: str) -> str:
    """Where a setting's value comes from: flag, environment, file PATH or default."""
    return next((layer.origin for layer in layers if layer.gives(section, name)), "default")


def _toml(path: Path, *, named_by: str, problems: Problems) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        problems.add(named_by, f"{path}: {error.strerror}")
    except UnicodeDecodeError as error:
        problems.add(named_by, f"{path} is not UTF-8 text (byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        problems.add(named_by, f"{path} is not TOML: {error}; texts, servers and durations stand in quotes")
    return {}


def _known(section: str, given: Mapping[str, Any], *, where: str, problems: Problems) -> dict[str, Any]:
    for name in given:
        if f"{section}.{name}" not in _DOTTED:
            _unknown(f"{section}.{name}", where, problems)
    return {name: value for name, value in given.items() if f"{section}.{name}" in _DOTTED}


def _no_flag(name: str, problems: Problems) -> None:
    # What has no `=` is not repeated: it may be a secret that lost its name.
    if dotted := _DOTTED_BY_ENV_NAME.get(name.upper()):
        problems.add(name.upper(), f"write {dotted}=value in a flag")
    elif "." in name:
        _unknown(name, "a flag", problems)
    else:
        problems.add("--set", "write section.field=value, such as poll.interval=1m")


def _unknown(dotted: str, where: str, problems: Problems) -> None:
    hint = nearest(dotted, _DOTTED if "." in dotted else [*_DOTTED, *SECTIONS, "source"])
    problems.add(dotted.replace(".", "_").upper(), f"no such setting ({dotted} in {where}); the nearest is {hint}")
