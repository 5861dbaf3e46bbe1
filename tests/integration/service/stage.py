"""A test's stage: a simulated call centre, five topics of its own, and the instances of the service that it starts."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import ne

import httpx

from producer.clock import Moment, SystemClock
from producer.demo.simulator import Simulator
from producer.demo.simulator.callcentre import PREFIXES
from tests.integration.service.audit import Audit, Isolation, audit
from tests.integration.service.instance import Instance, Line

CANARY = "canary-token-9f3b71"
SESSION_TIMEOUT = 6.0


class StoppableClock:
    """The machine's clock, until `stop`; `advance` moves a stopped one. A report of a stopped clock stays the same."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._stopped: Moment | None = None

    def now(self) -> Moment:
        """The present moment."""
        return self._stopped or self._real.now()

    def stop(self) -> None:
        """Time stands still from now on."""
        self._stopped = self.now()

    def advance(self, seconds: float) -> None:
        """Move the stopped clock."""
        assert self._stopped is not None
        self._stopped = Moment(self._stopped.wall + seconds, self._stopped.boot + seconds)


class Stage:
    """What a test plays on; `close` ends every instance and looks for the canary in all that they said."""

    def __init__(
        self,
        *,
        bootstrap: str,
        topic: str,
        rate: float = 10.0,
        window: float = 30.0,
        late: float = 0.1,
        typify_late: float = 0.3,
        start: float = 0.0,
    ) -> None:
        self.bootstrap = bootstrap
        self.topic = topic
        self.group = f"group-of-{topic}"
        self.clock = StoppableClock()
        self.simulator = Simulator(
            token=CANARY,
            seed=hash(topic) % 1000,
            rate=rate,
            window=window,
            late=late,
            late_by=3.0,
            typify_late=typify_late,
            typify_by=3.0,
            start=start,
            clock=self.clock,
        )
        self.instances: list[Instance] = []
        self.pages: list[str] = []
        """Answers of status pages, for the search for the canary."""

    def environment(self, **settings: str | None) -> dict[str, str]:
        """What an operator would set, with his own `settings` on top; None takes one away."""
        everything = {
            "PATH": os.environ["PATH"],
            "WOLKVOX_SERVER": self.simulator.server,
            "WOLKVOX_TOKEN": CANARY,
            "WOLKVOX_URL": self.simulator.url,
            "WOLKVOX_WINDOW": "20s",
            "POLL_INTERVAL": "1s",
            "POLL_TIMEOUT": "5s",
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA_TOPIC": self.topic,
            "KAFKA_GROUP_ID": self.group,
            "KAFKA_SESSION_TIMEOUT": f"{SESSION_TIMEOUT:g}s",
            "KAFKA_PARTITIONS": "3",
            "STATUS_PORT": "0",
            **settings,
        }
        return {name: value for name, value in everything.items() if value is not None}

    async def start(self, name: str = "a", *, at: str = "", once: bool = False, **settings: str | None) -> Instance:
        """Start an instance; `at`, as `KILL:step` or `STOP:step`, lets it send itself a signal there."""
        child = ["-m", "tests.integration.service.crash_child", at] if at else ["-m", "producer", "run"]
        child += ["--once"] if once else []
        instance = Instance(name=name, environment=self.environment(**settings), program=child)
        self.instances.append(instance)
        await instance.start()
        return instance

    async def caught_up(self, *instances: Instance) -> Line:
        """Stop time, and wait until one of the instances has nothing new to tell and nothing that waits."""
        self.clock.stop()
        polls = self.simulator.polls
        await self.simulator.until(lambda: self.simulator.polls > polls)
        waits = [asyncio.create_task(one.until("poll_done", since=one.mark(), new=0, pending=0)) for one in instances]
        done, late = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return done.pop().result()

    async def page(self, instance: Instance, path: str) -> httpx.Response:
        """A page of an instance's status server, kept for the search for the canary."""
        answer = await instance.get(path)
        self.pages.append(answer.text)
        return answer

    async def audit(self, *, isolation: Isolation = "read_committed") -> Audit:
        """What the topics hold now."""
        return await audit(self.bootstrap, self.topic, isolation=isolation)

    async def assert_exactly_once(self) -> Audit:
        """Every hit that the API has shown is on the topic, once, and nothing else is; the ledger agrees.

        Of a hit that changed, what nobody told of it died with a process; its last word is told, and nothing twice.
        """
        found = await self.audit()
        shown = self.simulator.shown
        missing, invented = shown - found.ids, found.ids - shown
        assert not found.duplicates, f"{len(found.duplicates)} of {len(shown)} doubled"
        assert not missing, f"{len(missing)} of {len(shown)} missing"
        assert not invented, f"{len(invented)} never shown"
        assert found.remembered == found.ids, "the ledger and the topic disagree"
        assert not found.misdated, "changes that name another beginning than their hit's"
        said, told = self.simulator.said, found.said
        odd = {
            key: (said.get(key), words) for key, words in told.items() if not _is_told(said.get(key, words[:1]), words)
        }
        assert not odd, f"{len(odd)} of {len(told)} were told otherwise than they were shown: {next(iter(odd.items()))}"
        return found

    async def close(self) -> None:
        """End everything that was started."""
        for instance in self.instances:
            with suppress(ProcessLookupError):
                await instance.kill()
        await self.simulator.close()

    def assert_discreet(self) -> None:
        """Neither the token nor anybody's telephone or customer id is in what was logged or shown."""
        said = {one.name: "\n".join(one.raw) for one in self.instances} | {"a status page": "\n".join(self.pages)}
        for kind, secret in set(self._secrets()):
            # By itself or behind its prefix: 1.3000000123 seconds of a processor are nobody's telephone.
            whole = re.compile(rf"(?<![0-9.])(?:{'|'.join(PREFIXES)}){re.escape(secret)}(?![0-9])")
            told = [source for source, text in said.items() if secret in text and whole.search(text)]
            assert not told, f"{told[0]} tells a {kind}"

    def _secrets(self) -> Iterator[tuple[str, str]]:
        """The canary, and what the report of the last minutes said of people."""
        yield "token", CANARY
        centre, now = self.simulator.sources[self.simulator.server].centre, self.clock.now().wall
        for number in range(centre.numbers(now - 120).start, centre.numbers(now).stop):
            row = centre.hit(number).row
            yield "telephone", row["telephone"][-10:]
            if row["customer_id"]:
                yield "customer id", row["customer_id"]


def _is_told(said: Sequence[str], told: Sequence[str]) -> bool:
    """Whether what was told is what was said, in its order, and ends with the last word."""
    left = iter(said)
    return all(word in left for word in told) and told[-1] == said[-1] and all(map(ne, told, told[1:]))
