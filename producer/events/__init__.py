"""Hits as CloudEvents: making, validating and reading them, and the schemas behind them."""

from __future__ import annotations

from producer.events.catalogue import CURRENT, ON_TOPIC, NoSuchSchema, Schema, schema, schemas
from producer.events.cloudevents import BrokenContract, Events
from producer.events.headers import TYPES
from producer.events.hit_event import HitChangedEvent, HitEvent, NotAHit
from producer.events.hits import Refusal
from producer.events.last_word import Hits
from producer.events.record import Record, size
from producer.events.registered import registered

__all__ = [
    "CURRENT",
    "ON_TOPIC",
    "TYPES",
    "BrokenContract",
    "Events",
    "HitChangedEvent",
    "HitEvent",
    "Hits",
    "NoSuchSchema",
    "NotAHit",
    "Record",
    "Refusal",
    "Schema",
    "registered",
    "schema",
    "schemas",
    "size",
]
