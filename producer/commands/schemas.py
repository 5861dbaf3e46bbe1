"""`wolkvox-hits schemas`: which there are, one of them as it is in the package, and what a registry is given."""

from __future__ import annotations

from rich.console import Console

from producer.commands.console import print_lines, print_table, stdout, until_nobody_reads
from producer.commands.streams import fail
from producer.events import CURRENT, NoSuchSchema, registered, schema, schemas
from producer.model import Topic


def schemas_list(*, console: Console | None = None) -> int:
    """Print every version of every schema, with the one that is sent marked."""
    console = console or stdout()
    rows = [
        (
            one.name,
            one.version,
            "sent" if CURRENT.get(one.name) == one.version else "",
            one.digest[:12],
            str(one.document.get("title", "")),
        )
        for one in schemas()
    ]
    with until_nobody_reads(console):
        print_table(console, ("SCHEMA", "VERSION", "", "SHA-256", "TITLE"), rows)
    return 0


def schemas_print(name: str, version: str | None = None, *, console: Console | None = None) -> int:
    """Print one schema byte by byte as released, by default in the version that is sent; exits with 2 if it is none."""
    console = console or stdout()
    try:
        text = schema(name, version).text
    except NoSuchSchema as error:
        fail([str(error)], code=2)
    with until_nobody_reads(console):
        print_lines(console, text.splitlines())
    return 0


def schemas_registered(topic: Topic, *, console: Console | None = None) -> int:
    """Print what a schema registry is given for a topic's subject, on one line."""
    console = console or stdout()
    with until_nobody_reads(console):
        print_lines(console, [registered(topic)])
    return 0
