"""The environment as a layer: what is ours in it, without what env files, shells and editors leave around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from producer.settings.fields import Password
from producer.settings.layers import CONFIG, KNOWN, SECTIONS, Layer
from producer.settings.problems import env_name

_NAMES: Final = {env_name(*one): one for one in KNOWN}
_BEGINNINGS: Final = tuple({name[:4] for name in _NAMES})
_PASSWORDS: Final = {
    name
    for name, (section, field) in _NAMES.items()
    if SECTIONS[section].model_fields[field].annotation == Password | None
}
_BLANK: Final = " \t\r\n\xa0\ufeff"
_QUOTES: Final = ("'", '"')


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are settings, and the file's name; one that is blank counts as not set.

    Only known names: KAFKA_HEAP_OPTS or LOG_DIR of somebody else's are none of our business. `docker --env-file` keeps
    quotes, some readers `export` and a byte order mark before a name, and most of them the end of a line from Windows.
    """
    plain = {_plain(name): value for name, value in environ.items()} | dict(environ)
    values = {name: _value(name, plain[name]) for name in (*_NAMES, CONFIG) if name in plain}
    return {name: value for name, value in values.items() if value}


def from_environment(variables: Mapping[str, str]) -> Layer:
    """The settings among what `cleaned` gave."""
    values: dict[str, dict[str, Any]] = {}
    for name, (section, field) in _NAMES.items():
        if name in variables:
            values.setdefault(section, {})[field] = variables[name]
    return Layer("environment", values)


def misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    """A warning for each variable whose name is nearly a setting's: it begins so, and has a letter or two beside it.

    Only of what begins so is that asked: a pod may have hundreds of others, 10 ms of each start.
    """
    for name in filter(_begins_like_ours, map(_plain, environ)):
        if meant := get_close_matches(name, _NAMES, n=1, cutoff=0.9):
            yield f"{name} is no setting and is ignored; did you mean {meant[0]}?"


def _begins_like_ours(name: str) -> bool:
    return name.startswith(_BEGINNINGS) and name not in _NAMES and name != CONFIG


def _plain(name: str) -> str:
    return re.sub(r"^\ufeff?(export\s+)?", "", name)


def _value(name: str, given: str) -> str:
    bare = _unquoted(re.sub(rf"^(export\s+)?{name}=", "", _unquoted(given)))
    # A password may begin and end with blanks and quotes; the token, a header's value, goes with the rest.
    return given.removeprefix("\ufeff").rstrip("\r\n") if bare and name in _PASSWORDS else bare


def _unquoted(text: str) -> str:
    bare = text.strip(_BLANK)
    while len(bare) > 1 and bare[0] == bare[-1] and bare[0] in _QUOTES:
        bare = bare[1:-1].strip(_BLANK)
    return bare
