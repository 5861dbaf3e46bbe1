"""What the page for people gets: the whole status as JSON, more than /status.json tells, and the page's own files."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import orjson

from producer.clock import rfc3339
from producer.model import Gap
from producer.observe.plain import plain
from producer.observe.status import ServiceStatus, SourceStatus, source_json, status_json

FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/table.js": ("table.js", "text/javascript; charset=utf-8"),
    "/view.js": ("view.js", "text/javascript; charset=utf-8"),
    "/words.js": ("words.js", "text/javascript; charset=utf-8"),
}
"""Path to file and content type. All the page needs: it asks no other host for anything."""


def read_page() -> dict[str, tuple[bytes, str]]:
    """Each path of FILES with its content and content type."""
    folder = files("producer.observe") / "page"
    return {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}


def page_json(status: ServiceStatus) -> bytes:
    """The status for the page, on one line; names and texts are data there, the page never takes them as markup."""
    return orjson.dumps(
        {
            **status_json(status),
            "now": rfc3339(status.now),
            "started": None if status.started is None else rfc3339(status.started),
            "unready": [plain(reason) for reason in status.unready],
            "stuck": [plain(reason) for reason in status.stuck],
            "sources": [_source(source) for source in status.sources],
        }
    )


def _source(source: SourceStatus) -> dict[str, Any]:
    return {
        **source_json(source),
        "trouble": source.trouble,
        "error": plain(source.error),
        "unhealed": plain(source.unhealed),
        "gaps": [_gap(gap) for gap in source.gaps],
        "hits_per_minute": list(source.hits_per_minute),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"from": rfc3339(gap.start), "to": rfc3339(gap.end), "kind": gap.kind.value, "certain": gap.certain}
