"""The checks of the schemas folder: each has been seen to fail, and the release steps of its README lead through."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from producer.events import catalogue as catalogue_module
from producer.events import schema, schemas
from producer.events.catalogue import closed, packaged, validator
from tests.meta.schemas.checks import check_schemas
from tests.unit.events.samples import a_hit

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the schemas folder to break."""
    return Path(shutil.copytree(str(packaged()), tmp_path / "schemas"))


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document, indent=2))


def release(folder: Path, name: str, version: str) -> None:
    digests = {f"{one.name}/{one.version}": one.digest for one in schemas(folder)}
    edit(folder / "released.json", lambda frozen: frozen.update({f"{name}/{version}": digests[f"{name}/{version}"]}))


def next_version(folder: Path, version: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Steps 1 and 2 of the README: the copy of hit 1.0.0 with its own id and a change."""
    shutil.copy(folder / "hit/1.0.0.json", folder / f"hit/{version}.json")
    shutil.copytree(folder / "hit/examples/1.0.0", folder / f"hit/examples/{version}")
    edit(folder / f"hit/{version}.json", lambda new: new.update({"$id": f"urn:wolkvox-hits:schema:hit:{version}"}))
    edit(folder / f"hit/{version}.json", change)


def add_campaign(new: dict[str, Any]) -> None:
    new["properties"]["campaign"] = {
        "description": "The campaign that the call belongs to. Source: the API's campaign as sent.",
        "type": "string",
        "examples": ["7"],
    }


def test_the_schemas_as_they_are_have_no_findings(folder: Path) -> None:
    assert check_schemas() == check_schemas(folder) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda new: new.update(requried=new.pop("required")), "unknown keyword requried, did you mean required?"),
        (lambda new: new["properties"]["server"].update(patern="x"), "server: unknown keyword patern, did you mean"),
        (lambda new: new.update(unevaluatedProperties=False), "unknown keyword unevaluatedProperties, not among those"),
        (lambda new: new["properties"]["hit"].update(type="sting"), '"sting" is not'),
        (lambda new: new["properties"]["hit"].update(format="date-tiem"), "hit/1.0.0: Unknown format"),
        (lambda new: new["properties"]["hit"].update(pattern="("), '"(" is not a "regex"'),
        (lambda new: new.update({"$schema": "http://json-schema.org/draft-07/schema#"}), "$schema is not"),
        (lambda new: new.update({"$id": "urn:other"}), "$id is not urn:wolkvox-hits:schema:hit:1.0.0"),
        (lambda new: new.pop("title"), "root: no title"),
        (lambda new: new["properties"]["hit"].pop("description"), "hit: no description"),
        (lambda new: new["properties"]["hit"].pop("examples"), "hit: no examples"),
        (lambda new: new["properties"]["server"].update(examples=["42"]), "its own example '42' does not fit"),
        (lambda new: new["required"].append("campaign"), "campaign is required but not declared"),
    ],
)
def test_a_flaw_in_a_schema_is_found(folder: Path, change: Callable[[dict[str, Any]], object], finding: str) -> None:
    edit(folder / "hit/1.0.0.json", change)
    release(folder, "hit", "1.0.0")
    assert any(finding in found for found in check_schemas(folder)), check_schemas(folder)


def test_a_file_that_is_no_json_object_is_found(folder: Path) -> None:
    for text in ("[]", "{"):
        (folder / "hit/1.0.0.json").write_text(text)
        release(folder, "hit", "1.0.0")
        assert any(found.startswith("hit/1.0.0: ") for found in check_schemas(folder))


def test_a_released_file_never_changes(folder: Path) -> None:
    file = folder / "coverage_gap/1.0.0.json"
    file.write_text(file.read_text() + "\n")
    assert check_schemas(folder) == [
        "coverage_gap/1.0.0: a released file never changes, and this one did; restore it and make a new version"
    ]


def test_a_released_file_never_goes(folder: Path) -> None:
    (folder / "coverage_gap/1.0.0.json").unlink()
    assert "coverage_gap/1.0.0: released, but its file is gone; readers may still refer to it" in check_schemas(folder)


def test_a_valid_example_that_is_refused_is_found(folder: Path) -> None:
    edit(folder / "hit/examples/1.0.0/valid/call.json", lambda example: example.update(server="42"))
    assert check_schemas(folder) == ["hit/1.0.0: valid example call breaks pattern--server"]


def test_a_rule_without_an_invalid_example_is_found(folder: Path) -> None:
    for rule in ("required--hit", "maxLength--conn_id", "additionalProperties--root"):
        (folder / f"hit/examples/1.0.0/invalid/{rule}.json").unlink()
    assert check_schemas(folder) == [
        "hit/1.0.0: no invalid example proves additionalProperties--root",
        "hit/1.0.0: no invalid example proves maxLength--conn_id",
        "hit/1.0.0: no invalid example proves required--hit",
    ]


def test_an_invalid_example_that_breaks_another_rule_than_its_name_says_is_found(folder: Path) -> None:
    example = folder / "hit/examples/1.0.0/invalid/pattern--server.json"
    edit(example, lambda example: example.update(hit=1))
    (found,) = check_schemas(folder)
    assert found.startswith("hit/1.0.0: invalid example pattern--server breaks")
    assert "type--hit" in found
    example.write_text((folder / "hit/examples/1.0.0/valid/call.json").read_text())
    assert any("pattern--server breaks no rule" in found for found in check_schemas(folder))


def test_the_release_steps_of_the_readme_lead_through(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    next_version(folder, "1.1.0", add_campaign)
    examples = folder / "hit/examples/1.1.0"
    edit(examples / "valid/call.json", lambda example: example.update(campaign="7"))
    assert [found for found in check_schemas(folder) if "type--campaign" in found]
    shutil.copy(examples / "valid/call.json", examples / "invalid/type--campaign.json")
    edit(examples / "invalid/type--campaign.json", lambda example: example.update(campaign=7))
    unreleased, unsent = check_schemas(folder)
    assert unreleased.startswith('hit/1.1.0: not released; add "hit/1.1.0": "')
    assert unsent == "hit: the newest version is 1.1.0, but 1.0.0 is sent"
    release(folder, "hit", "1.1.0")
    monkeypatch.setitem(catalogue_module.CURRENT, "hit", "1.1.0")
    assert check_schemas(folder) == []


def test_a_minor_version_that_breaks_readers_is_found_in_the_folder(folder: Path) -> None:
    next_version(folder, "1.1.0", lambda new: new["properties"].pop("extra"))
    assert "hit/1.1.0, for readers of 1.0.0: extra was removed" in check_schemas(folder)


def test_a_patch_version_changes_words_only(folder: Path) -> None:
    next_version(folder, "1.0.1", lambda new: new["properties"]["hit"].update(description="Better words."))
    assert not [found for found in check_schemas(folder) if "for readers of" in found]
    edit(folder / "hit/1.0.1.json", add_campaign)
    assert any("a patch version may change words only" in found for found in check_schemas(folder))


def test_a_major_version_may_break_readers(folder: Path) -> None:
    next_version(folder, "2.0.0", lambda new: new["properties"].pop("extra"))
    assert not [found for found in check_schemas(folder) if "for readers of" in found]


def test_versions_are_ordered_as_numbers(folder: Path) -> None:
    for version in ("1.10.0", "1.9.0"):
        next_version(folder, version, add_campaign)
    assert [one.version for one in schemas(folder) if one.name == "hit"] == ["1.0.0", "1.9.0", "1.10.0"]


def test_a_reader_of_the_old_version_accepts_what_the_new_writer_sends(folder: Path) -> None:
    next_version(folder, "1.1.0", add_campaign)
    old = schema("hit", "1.0.0").document
    (new,) = [one.document for one in schemas(folder) if one.version == "1.1.0"]
    event = {**a_hit(), "campaign": "7"}
    assert validator(closed(new)).is_valid(event)
    assert validator(old).is_valid(event)
    assert not validator(closed(old)).is_valid(event)
