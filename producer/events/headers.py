"""The headers that all events of one kind and source share: CloudEvents 1.0, Kafka binding, binary mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.events.catalogue import CURRENT, urn
from producer.model import REPORT

if TYPE_CHECKING:
    from producer.events.record import Header

TYPES = {
    "hit": "wolkvox.hit",
    "hit_changed": "wolkvox.hit-changed",
    "dead_letter": "wolkvox.dead-letter",
    "coverage_gap": "wolkvox.coverage-gap",
}
"""`ce_type` by the schema's name."""


def constant(name: str, server: str) -> tuple[Header, ...]:
    """All but `ce_id`, `ce_time` and `ce_subject`."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", TYPES[name].encode()),
        ("ce_source", f"/wolkvox/{server}/{REPORT}".encode()),
        ("ce_dataschema", urn(name, CURRENT[name]).encode()),
        ("content-type", b"application/json"),
    )
