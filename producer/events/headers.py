"""The headers that all events of one kind and source share: CloudEvents 1.0, Kafka binding, binary mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.events.catalogue import CURRENT, urn
from producer.model import REPORT, Method

if TYPE_CHECKING:
    from producer.model import Header

TYPES = {
    "hit": "wolkvox.hit",
    "hit_changed": "wolkvox.hit-changed",
    "dead_letter": "wolkvox.dead-letter",
    "coverage_gap": "wolkvox.coverage-gap",
    "gap_recovered": "wolkvox.gap-recovered",
}
"""`ce_type` by the schema's name."""


RECOVERED = "wolkvox_recovered"
"""Of a hit that no live report showed: how it came to be known. No attribute of a CloudEvent has an underscore, so a
reader by that standard passes it over."""


def constant(name: str, server: str, recovered: Method | None = None) -> tuple[Header, ...]:
    """All but `ce_id`, `ce_time` and `ce_subject`."""
    mark = () if recovered is None else ((RECOVERED, recovered.value.encode()),)
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", TYPES[name].encode()),
        ("ce_source", f"/wolkvox/{server}/{REPORT}".encode()),
        ("ce_dataschema", urn(name, CURRENT[name]).encode()),
        ("content-type", b"application/json"),
        *mark,
    )
