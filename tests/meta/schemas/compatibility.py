"""What a new version of a schema would break for the readers of an older one, in words.

The promise within a major version: a reader who validates with the old, open file accepts all that the writer sends by
the new, closed one. So each rule of the old file must still follow from the new file. Where that can't be shown (a
pattern was changed), the answer is that it breaks.

Our schemas keep to the keywords below, so that every difference between two of them is a difference seen here.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from producer.events.catalogue import validator

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

ANNOTATIONS = frozenset({"$schema", "$id", "$comment", "title", "description", "examples", "deprecated"})
"""Keywords that say, and never refuse."""

LOWER = frozenset({"minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties"})
UPPER = frozenset({"maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties"})
SAME = frozenset({"format", "pattern", "multipleOf", "uniqueItems"})
"""Rules that another value neither tightens nor loosens in any way we could show."""

RULES = LOWER | UPPER | SAME | {"type", "enum", "const", "required"}
STRUCTURE = frozenset({"properties", "items"})
KEYWORDS = ANNOTATIONS | RULES | STRUCTURE

_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


def breaking_changes(old: Document, new: Document) -> list[str]:
    """A sentence for each thing that readers of `old` relied on and `new` no longer promises; empty if none."""
    return list(_compare(old, new, ""))


def meaning_changes(old: Document, new: Document) -> list[str]:
    """A sentence for each field of both whose description differs: what it means may have changed."""
    kept = _by_path(new)
    return [
        f"{_name(path)}: its description changed, and readers build on what it meant; reword it in a patch version, "
        "or give a new meaning a new field"
        for path, schema in _by_path(old).items()
        if path in kept and kept[path].get("description") != schema.get("description")
    ]


def same_but_for_words(old: Document, new: Document) -> bool:
    """Whether the two differ in annotations at most."""
    return _rules_only(old) == _rules_only(new)


def subschemas(document: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Document]]:
    """Each schema in a schema with its path of field names (`[]` for an array's items), the outermost first."""
    yield path, document
    for name, below in document.get("properties", {}).items():
        yield from subschemas(below, (*path, name))
    if isinstance(document.get("items"), dict):
        yield from subschemas(document["items"], (*path, "[]"))


def _compare(old: Document, new: Document, at: str) -> Iterator[str]:
    values = _values(new)
    if values is not None:
        accepts = validator(old).is_valid
        yield from (f"{at or 'the event'} may now be {value!r}" for value in values if not accepts(value))
        return
    yield from _types(old, new, at or "the event")
    yield from _rules(old, new, at or "the event")
    yield from _fields(old, new, at)
    if "items" in old:
        yield from _compare(old["items"], new.get("items", {}), f"{at}[]")


def _types(old: Document, new: Document, at: str) -> Iterator[str]:
    before = _types_of(old)
    for extra in sorted(_types_of(new) - before):
        if not (extra == "integer" and "number" in before):
            yield f"{at} may now be of type {extra}, which its readers never saw"


def _rules(old: Document, new: Document, at: str) -> Iterator[str]:
    if _values(old) is not None:
        yield f"{at} may now be something else than {_values(old)}"
    for rule in sorted(LOWER & old.keys()):
        if new.get(rule, -inf) < old[rule]:
            yield f"{at}: {rule} {old[rule]} was loosened to {new.get(rule, 'none')}"
    for rule in sorted(UPPER & old.keys()):
        if new.get(rule, inf) > old[rule]:
            yield f"{at}: {rule} {old[rule]} was loosened to {new.get(rule, 'none')}"
    for rule in sorted(SAME & old.keys()):
        if new.get(rule) != old[rule]:
            yield f"{at}: {rule} {old[rule]!r} was changed to {new.get(rule, 'none')!r}"


def _fields(old: Document, new: Document, at: str) -> Iterator[str]:
    declared = new.get("properties", {})
    for name, before in old.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        if name not in declared:
            yield f"{path} was removed"
        else:
            yield from _compare(before, declared[name], path)
    for name in old.get("required", ()):
        if name in declared and name not in new.get("required", ()):
            yield f"{f'{at}.{name}' if at else name} is no longer always there"


def _values(schema: Document) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _types_of(schema: Document) -> frozenset[str]:
    named = schema.get("type", sorted(_TYPES))
    return frozenset([named] if isinstance(named, str) else named)


def _by_path(document: Document) -> dict[tuple[str, ...], Document]:
    return dict(subschemas(document))


def _rules_only(document: Document) -> Document:
    found: Document = {word: value for word, value in document.items() if word not in ANNOTATIONS | STRUCTURE}
    if "properties" in document:
        found["properties"] = {name: _rules_only(below) for name, below in document["properties"].items()}
    if "items" in document:
        found["items"] = _rules_only(document["items"])
    return found


def _name(path: tuple[str, ...]) -> str:
    return ".".join(path) or "the event"
