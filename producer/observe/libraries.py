"""What the libraries log, by the way of our own lines and never below warning.

At debug aiokafka and httpx print whole requests, telephones and credentials included, so LOG_LEVEL is not theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from typing import Final

from producer.observe.plain import foreign, raised

LIBRARIES: Final = ("aiokafka", "httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio")


class LibraryLines(logging.Handler):
    """Turns each record of `logging` into fields for `tell`: the first line, long numbers masked, no traceback."""

    def __init__(self, tell: Callable[[MutableMapping[str, object]], None]) -> None:
        super().__init__(level=logging.WARNING)
        self._tell = tell

    def install(self) -> None:
        """Become the root logger's handler in the place of an earlier one of ours, and quieten the libraries."""
        root = logging.getLogger()
        for handler in [h for h in root.handlers if isinstance(h, LibraryLines)]:
            root.removeHandler(handler)
        root.addHandler(self)
        for name in LIBRARIES:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.captureWarnings(True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._tell(_fields(record))
        except Exception:  # noqa: BLE001 (a line that can't be made must not fail the library's own work)
            return


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {"logger": record.name, "message": foreign(record.getMessage())}
    if record.exc_info and record.exc_info[1]:
        fields["exception"] = raised(record.exc_info[1])
    return fields
