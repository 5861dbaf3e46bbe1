"""Everything that must hold of the folder `schemas`, as findings in words; none means all is well.

A check that has never failed is no check: the names of the invalid examples say which rule each of them breaks, and a
rule without such an example is a finding itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from jsonschema_rs import ValidationError, meta

from producer.events.catalogue import CURRENT, Schema, closed, packaged, schemas, urn, validator
from tests.meta.schemas.compatibility import (
    ANNOTATIONS,
    KEYWORDS,
    STRUCTURE,
    breaking_changes,
    meaning_changes,
    same_but_for_words,
    subschemas,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from jsonschema_rs import Draft202012Validator

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check_schemas(folder: Traversable | None = None) -> list[str]:
    """Each thing that is wrong with the schemas in `folder` (default: the package's), one sentence each."""
    folder = packaged() if folder is None else folder
    every = schemas(folder)
    findings = [*_released(every, folder), *_sent(every)]
    sound = []
    for one in every:
        flaws = list(_document(one))
        findings += flaws or _examples(one, folder / one.name / "examples" / one.version)
        sound += [one] * (not flaws)
    return [*findings, *_versions(sound)]


def rules(document: dict[str, Any]) -> set[str]:
    """Every rule of a schema closed for the writer, as its invalid example is called: `pattern--server`."""
    found = set()
    for path, schema in subschemas(document):
        found |= {rule_name("required", (*path, name)) for name in schema.get("required", ())}
        found |= {rule_name(word, path) for word in schema.keys() - ANNOTATIONS - STRUCTURE - {"required"}}
    return found


def rule_name(keyword: str, path: tuple[str, ...]) -> str:
    """What the invalid example of one rule is called."""
    return f"{keyword}--{'.'.join(path) or 'root'}"


def broken_rules(closed_validator: Draft202012Validator, example: Any) -> list[str]:
    """The name of each rule that `example` breaks."""
    return [_broken(error) for error in closed_validator.iter_errors(example)]


def _broken(error: ValidationError) -> str:
    path = tuple("[]" if isinstance(step, int) else step for step in error.instance_path)
    missing = getattr(error.kind, "property", None) if error.kind.name == "required" else None
    return rule_name(error.kind.name, (*path, missing) if missing else path)


def _released(every: list[Schema], folder: Traversable) -> Iterator[str]:
    frozen = json.loads((folder / "released.json").read_text())
    present = {f"{one.name}/{one.version}": one.digest for one in every}
    for name in sorted(frozen.keys() - present.keys()):
        yield f"{name}: released, but its file is gone; readers may still refer to it"
    for name, digest in present.items():
        if name not in frozen:
            yield f'{name}: not released; add "{name}": "{digest}" to released.json'
        elif frozen[name] != digest:
            yield f"{name}: a released file never changes, and this one did; restore it and make a new version"


def _sent(every: list[Schema]) -> Iterator[str]:
    newest = {one.name: one.version for one in every}
    for name, version in CURRENT.items():
        if newest.get(name) != version:
            yield f"{name}: the newest version is {newest.get(name, 'none')}, but {version} is sent"


def _document(one: Schema) -> Iterator[str]:
    where = f"{one.name}/{one.version}"
    try:
        document = one.document
        meta.validate(document)
        validator(document)
    except (ValueError, ValidationError) as error:
        yield f"{where}: {str(error).splitlines()[0]}"
        return
    if document.get("$schema") != DIALECT:
        yield f"{where}: $schema is not {DIALECT}"
    if document.get("$id") != urn(one.name, one.version):
        yield f"{where}: $id is not {urn(one.name, one.version)}"
    for path, schema in subschemas(document):
        yield from (f"{where}, {'.'.join(path) or 'root'}: {flaw}" for flaw in _flaws(path, schema))


def _flaws(path: tuple[str, ...], schema: dict[str, Any]) -> Iterator[str]:
    for word in sorted(schema.keys() - KEYWORDS):
        near = get_close_matches(word, sorted(KEYWORDS), n=1, cutoff=0.8)
        yield f"unknown keyword {word}" + (f", did you mean {near[0]}?" if near else ", not among those we compare")
    for name in sorted(set(schema.get("required", ())) - schema.get("properties", {}).keys()):
        yield f"{name} is required but not declared"
    for word in ("description", "examples") if path else ("title", "description"):
        if not schema.get(word):
            yield f"no {word}"
    for example in schema.get("examples", ()):
        if not validator(schema).is_valid(example):
            yield f"its own example {example!r} does not fit"


def _examples(one: Schema, folder: Traversable) -> Iterator[str]:
    where = f"{one.name}/{one.version}"
    shut = validator(closed(one.document))
    for name, example in _files(folder / "valid"):
        yield from (f"{where}: valid example {name} breaks {rule}" for rule in broken_rules(shut, example))
    proved = set()
    for name, example in _files(folder / "invalid"):
        proved.add(name)
        broken = broken_rules(shut, example)
        if broken != [name]:
            yield f"{where}: invalid example {name} breaks {', '.join(broken) or 'no rule'}, not what its name says"
    for rule in sorted(rules(closed(one.document)) - proved):
        yield f"{where}: no invalid example proves {rule}"


def _files(folder: Traversable) -> list[tuple[str, Any]]:
    if not folder.is_dir():
        return []
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [(file.name.removesuffix(".json"), json.loads(file.read_text())) for file in files]


def _versions(every: list[Schema]) -> Iterator[str]:
    majors: dict[tuple[str, int], list[Schema]] = defaultdict(list)
    for one in every:
        majors[one.name, one.number[0]].append(one)
    for versions in majors.values():
        for old, new in pairwise(versions):
            yield from (f"{new.name}/{new.version}, for readers of {old.version}: {text}" for text in _step(old, new))


def _step(old: Schema, new: Schema) -> list[str]:
    before, after = old.document, new.document
    if old.number[:2] == new.number[:2]:
        words_only = same_but_for_words(before, after)
        return [] if words_only else ["a patch version may change words only; make it a minor version"]
    return breaking_changes(before, after) + meaning_changes(before, after)
