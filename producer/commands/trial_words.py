"""What `wolkvox-hits try` says to the person before it."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from producer.demo.broker.jars import KAFKA_VERSION
from producer.demo.show.narrator import Narrator
from producer.duration import text
from producer.observe.status import ServiceStatus
from producer.settings import Kafka, Settings

WIDTH = 76
"""Columns of a command that is to be copied: what is longer is two lines."""


class Words:
    """Tells `narrator` how it goes, by the folder that everything is in."""

    def __init__(self, narrator: Narrator, folder: Path) -> None:
        self._narrator = narrator
        self._folder = folder

    def kafka_starts(self) -> None:
        self._narrator.step(f"A real Apache Kafka {KAFKA_VERSION} starts in {self._folder}")
        self._narrator.say(
            "One broker on one disk, open to everybody on this machine: this is for trying, not for hits that must not "
            "be lost."
        )

    def service_starts(self, settings: Settings, *, page: str, simulated: bool) -> None:
        """The service, its page and its log, and how to read the topic elsewhere."""
        servers = ", ".join(f"{one.server} every {text(one.interval)}" for one in settings.sources)
        if simulated:
            self._narrator.step(f"WOLKVOX_SERVER is not set: a simulated call centre opens, polled as {servers}")
        else:
            self._narrator.step(f"The service polls {servers}")
        self._narrator.say(
            f"Its page: {page}   Its log: {self._folder / 'service.log'}",
            f"Each hit becomes one event on the topic {settings.kafka.topic}. To read it in another terminal:",
            *reading_command(settings.kafka, program()),
            "Telephones and customer ids are in the events, but never on this screen. Ctrl-C ends it.",
        )

    def stopping(self) -> None:
        self._narrator.say("Ending; Kafka writes what it has to disk.")

    def ended(self) -> None:
        self._narrator.say(f"All has ended. What was told stays in {self._folder}: the next start goes on from there.")


def service_words(status: ServiceStatus) -> str:
    """How the service is: of one source why and when the next poll comes, of several how many are how."""
    if len(status.sources) != 1:
        counts = Counter(one.state.value for one in status.sources)
        return ", ".join(f"{number} {state}" for state, number in counts.items())
    (source,) = status.sources
    if source.error:
        return f"{source.state.value}: {source.error}"
    if source.next_poll is None:
        return source.state.value
    return f"{source.state.value}, next poll in {text(max(0, round(source.next_poll - status.now)))}"


def reading_command(kafka: Kafka, called: Sequence[str]) -> Iterator[str]:
    """What to type to follow the topic, in one line if it is short."""
    settings = f"KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap_servers}"
    if kafka.topic != Kafka.model_fields["topic"].default:
        settings += f" KAFKA_TOPIC={kafka.topic}"
    command = f"{shlex.join(called)} tail --since 1h"
    if len(settings) + len(command) < WIDTH:
        yield f"  {settings} {command}"
    else:
        yield from (f"  {settings} \\", f"  {command}")


def program() -> Sequence[str]:
    """How this program was called, so that it can be called again."""
    name = "wolkvox-hits"
    found = shutil.which(name)
    called = Path(sys.argv[0])
    if called.name != name:
        return sys.executable, "-m", "producer"
    return (name,) if found and called.exists() and Path(found).samefile(called) else (str(called.resolve()),)
