from __future__ import annotations

from producer.demo.broker.storage import new_id


def test_an_id_is_never_taken_for_an_option_by_kafkas_tools() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert not [one for one in ids if one.startswith("-")]
    assert {len(one) for one in ids} == {22}
