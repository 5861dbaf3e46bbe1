"""The one error of this room."""

from __future__ import annotations

from producer.errors import WolkvoxHitsError


class BrokerUnavailable(WolkvoxHitsError):
    """No embedded Kafka can be had here; the text says what is missing and what to do about it."""
