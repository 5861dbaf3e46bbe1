"""Every setting, in one place: `load` reads them, `show` tells them, `example_toml` documents them."""

from __future__ import annotations

from producer.settings.document import example_toml, settings_table
from producer.settings.load import Settings, load
from producer.settings.secret import Secret
from producer.settings.sections import Dedup, Kafka, Log, Pending, Poll, Status, Wolkvox
from producer.settings.show import Shown, show
from producer.settings.sources import Source

__all__ = [
    "Dedup",
    "Kafka",
    "Log",
    "Pending",
    "Poll",
    "Secret",
    "Settings",
    "Shown",
    "Source",
    "Status",
    "Wolkvox",
    "example_toml",
    "load",
    "settings_table",
    "show",
]
