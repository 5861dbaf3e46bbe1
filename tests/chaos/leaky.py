"""The service with a leak, to see that a soak finds it: `python -m tests.chaos.leaky memory`.

The parts are the true ones; each is derived only to keep what it should let go.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import producer.service.wiring
from producer.core.source import Source
from producer.core.taken import Taken
from producer.model import Dropped, Snapshot
from producer.observe.logs import configure
from producer.service.service import Service
from producer.settings import load
from producer.wolkvox.client import WolkvoxApi

_kept: list[bytes] = []
_answers = count()


class Hoarder(WolkvoxApi):
    """Keeps 50 kB of each answer."""

    async def fetch(self) -> Snapshot:
        _kept.append(os.urandom(50_000))
        return await super().fetch()


class Opener(WolkvoxApi):
    """Opens a file for each answer, and closes only every twentieth of them."""

    async def fetch(self) -> Snapshot:
        opened = os.open(os.devnull, os.O_RDONLY)
        if next(_answers) % 20:
            os.close(opened)
        return await super().fetch()


class Rememberer(Source):
    """Forgets, and does not say so in the ledger."""

    def take(self, room: int, dropped: Dropped) -> Taken:
        return replace(super().take(room, dropped), tombstones=[])


LEAKS: Mapping[str, type] = {"memory": Hoarder, "descriptors": Opener, "tombstones": Rememberer}


def main() -> None:
    """Put the leaky part in place of the plain one, and run."""
    part = LEAKS[sys.argv[1]]
    plain = part.__base__
    assert plain is not None
    assert getattr(producer.service.wiring, plain.__name__) is plain
    setattr(producer.service.wiring, plain.__name__, part)
    settings = load(config=None, environ=os.environ, overrides=())
    configure(level="info", format="json")
    asyncio.run(Service(settings).run())


if __name__ == "__main__":
    main()
