from __future__ import annotations

from pathlib import Path

import pytest

from producer.demo.broker.storage import IDS, PLACES, Checkpoint, format_from, new_id


def test_an_id_is_never_taken_for_an_option_by_kafkas_tools() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert not [one for one in ids if one.startswith("-")]
    assert {len(one) for one in ids} == {22}


@pytest.mark.parametrize("place", PLACES)
def test_a_node_is_formatted_as_the_tool_formatted_another(tmp_path: Path, place: str) -> None:
    """Wherever this version's tool puts what it has to say of features."""
    file = tmp_path / "formatted" / place
    file.parent.mkdir(parents=True)
    file.write_bytes(b"features")
    checkpoint = Checkpoint.within(tmp_path / "formatted")
    assert checkpoint is not None
    format_from(checkpoint, tmp_path / "data", node_id=3, cluster_id="here")
    assert (tmp_path / "data" / place).read_bytes() == b"features"
    assert {"cluster.id=here", "node.id=3"} <= set((tmp_path / "data" / IDS).read_text().splitlines())


def test_a_folder_that_the_tool_did_not_format_has_no_checkpoint(tmp_path: Path) -> None:
    assert Checkpoint.within(tmp_path) is None
