"""The schemas in the package: which there are, and validators made of them.

The files are open, so that a reader who validates keeps working when a field is added. The writer validates against
the same file closed in memory: what is not declared is not sent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jsonschema_rs import Draft202012Validator

from producer.errors import WolkvoxHitsError
from producer.model import Topic

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

CURRENT = {
    "hit": "1.0.0",
    "hit_changed": "1.0.0",
    "dead_letter": "1.0.0",
    "coverage_gap": "1.0.0",
    "gap_recovered": "1.0.0",
}
"""The version of each schema that is sent; schemas/README.md says how to move it."""

ON_TOPIC = {
    Topic.HITS: ("hit",),
    Topic.CHANGES: ("hit_changed",),
    Topic.DEAD_LETTER: ("dead_letter",),
    Topic.COVERAGE: ("coverage_gap", "gap_recovered"),
}
"""The schemas of the events on each topic. To several another may be added; one alone is no union, and can't become
one under BACKWARD."""


class NoSuchSchema(WolkvoxHitsError):
    """There is no schema of that name and version; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One version of one schema: `text` is the file as released, `digest` its sha256 in hex."""

    name: str
    version: str
    text: str
    digest: str

    @property
    def document(self) -> dict[str, Any]:
        """The schema as parsed; raises ValueError if it is not a JSON object."""
        parsed = json.loads(self.text)
        if not isinstance(parsed, dict):
            raise ValueError(f"{self.name}/{self.version}.json is not a JSON object")  # noqa: TRY004 a bad file, not a bad call
        return parsed

    @property
    def number(self) -> tuple[int, ...]:
        """The version as numbers, to sort by; raises ValueError for anything but digits and dots."""
        return tuple(int(part) for part in self.version.split("."))


def packaged() -> Traversable:
    """The folder `schemas` as installed, in a wheel, an sdist or an editable install alike."""
    return files("producer") / "schemas"


def urn(name: str, version: str) -> str:
    """What `$id` and the header `ce_dataschema` say."""
    return f"urn:wolkvox-hits:schema:{name}:{version}"


def schemas(folder: Traversable | None = None) -> list[Schema]:
    """Every version of every schema, by name and then by version."""
    folder = packaged() if folder is None else folder
    found = [
        _read(name.name, file)
        for name in folder.iterdir()
        if name.is_dir()
        for file in name.iterdir()
        if file.name.endswith(".json")
    ]
    return sorted(found, key=lambda schema: (schema.name, schema.number))


def schema(name: str, version: str | None = None) -> Schema:
    """One schema, by default in the version that is sent; raises NoSuchSchema."""
    wanted = version or CURRENT.get(name)
    everything = schemas()
    for one in everything:
        if (one.name, one.version) == (name, wanted):
            return one
    known = ", ".join(f"{one.name} {one.version}" for one in everything)
    raise NoSuchSchema(f"no schema {name} {version or ''}".rstrip() + f"; there are: {known}")


@cache
def writer(name: str) -> Draft202012Validator:
    """The validator of what is about to be sent: the current version, closed, formats asserted."""
    return validator(closed(schema(name).document))


@cache
def writer_of_many(name: str) -> Draft202012Validator:
    """The same for a list of such values: one call for a thousand takes a quarter less than a thousand calls."""
    return validator({"type": "array", "items": _anonymous(closed(schema(name).document))})


def validator(document: dict[str, Any]) -> Draft202012Validator:
    """A validator that asserts formats too; raises ValueError (jsonschema_rs.ValidationError) for a broken schema."""
    return Draft202012Validator(document, validate_formats=True, ignore_unknown_formats=False)


def closed(document: Any) -> Any:
    """The same schema, recursively refusing what is not declared; an object that declares no property stays free."""
    if not isinstance(document, dict):
        return document
    shut = {keyword: _closed_below(keyword, value) for keyword, value in document.items()}
    return {"additionalProperties": False, **shut} if "properties" in document else shut


def _anonymous(document: dict[str, Any]) -> dict[str, Any]:
    """Without what only the root of a schema may say."""
    return {keyword: value for keyword, value in document.items() if keyword not in {"$schema", "$id"}}


def _closed_below(keyword: str, value: Any) -> Any:
    if keyword == "properties":
        return {name: closed(below) for name, below in value.items()}
    return closed(value) if keyword == "items" else value


def _read(name: str, file: Traversable) -> Schema:
    raw = file.read_bytes()
    return Schema(name, file.name.removesuffix(".json"), raw.decode(), hashlib.sha256(raw).hexdigest())
