"""Every setting, in one place: `load` reads them, `show` tells them, `example_toml` documents them."""

from __future__ import annotations

from producer.settings.document import example_toml, settings_table
from producer.settings.load import Settings, load
from producer.settings.secret import Secret
from producer.settings.sections import Kafka
from producer.settings.show import show
from producer.settings.sources import SourceSettings

__all__ = ["Kafka", "Secret", "Settings", "SourceSettings", "example_toml", "load", "settings_table", "show"]
