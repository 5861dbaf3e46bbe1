"""The ids of our topics' schemas in a registry with Confluent's API: looked up, and registered where it lacks them.

Asked once, at the start: whoever knows the ids needs no registry. Looked up first, so that one who may only read can
use what somebody else has registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from producer.errors import AccessDenied, NoRegistry, Unavailable, Untrusted
from producer.events import ON_TOPIC, registered
from producer.model import Topic
from producer.net.exchange import Answer, Exchange, Login, Transport
from producer.registry.refusals import refusal
from producer.settings import Settings
from producer.settings.sections import Registry

_HIGHEST = 2**31 - 1
"""Of an id: readers in Java take the four bytes for a number with a sign."""


class Missing(StrEnum):
    """What a look-up did not find, by Confluent's `error_code`."""

    SUBJECT = "is not in the registry"
    SCHEMA = "has other schemas, and not the one of this version"


_MISSING = {40401: Missing.SUBJECT, 40402: Missing.SCHEMA, 40403: Missing.SCHEMA}


class SchemaRegistry:
    """The registry that REGISTRY_* name, for the topics below the base name `topic`."""

    def __init__(self, settings: Registry, *, topic: str, transport: Transport | None = None) -> None:
        assert settings.url is not None, "without an address there is none"
        self.registers = settings.register
        """Whether it registers what is missing."""
        self._base = topic
        self._login = _login(settings)
        self._exchange = Exchange(
            settings.url.strip().rstrip("/"),
            setting="REGISTRY_URL",
            cafile=settings.cafile,
            cafile_setting="REGISTRY_CAFILE",
            transport=transport,
        )

    def subject(self, topic: Topic) -> str:
        """The name of a topic's schema, by the strategy that is every deserializer's default."""
        return f"{self._base}{topic}-value"

    async def ids(self) -> Mapping[Topic, int]:
        """The id of each topic's schema; raises AccessDenied, Untrusted, or NoRegistry if it is away."""
        return {topic: await self._id(topic) for topic in ON_TOPIC}

    async def find(self, topic: Topic) -> int | Missing:
        """The id of a topic's schema, or what is missing; raises as `ids`."""
        subject = self.subject(topic)
        answer = await self._post(f"/subjects/{subject}", topic)
        code = answer.fields.get("error_code")
        return _MISSING[code] if isinstance(code, int) and code in _MISSING else _number(subject, answer)

    async def would_take(self, topic: Topic) -> bool:
        """Whether a subject that has other schemas takes ours beside them; raises as `ids`."""
        subject = self.subject(topic)
        answer = await self._post(f"/compatibility/subjects/{subject}/versions/latest", topic)
        compatible = answer.fields.get("is_compatible")
        if not isinstance(compatible, bool):
            raise refusal(subject, answer)
        return compatible

    async def _id(self, topic: Topic) -> int:
        found = await self.find(topic)
        if isinstance(found, int):
            return found
        subject = self.subject(topic)
        if not self.registers:
            raise Untrusted(lacking(subject, topic, found))
        return _number(subject, await self._post(f"/subjects/{subject}/versions", topic))

    async def _post(self, path: str, topic: Topic) -> Answer:
        content = {"schemaType": "JSON", "schema": registered(topic)}
        asked = f"asked for subject {self.subject(topic)}"
        try:
            return await self._exchange.post(path, login=self._login, json=content)
        except AccessDenied as error:
            raise AccessDenied(f"{error} ({asked})") from None
        except Unavailable as error:
            raise NoRegistry(f"{error} ({asked})") from None


def registry_of(settings: Settings) -> SchemaRegistry | None:
    """The one that the settings name, if they do."""
    return None if settings.registry.url is None else SchemaRegistry(settings.registry, topic=settings.kafka.topic)


def lacking(subject: str, topic: Topic, missing: Missing) -> str:
    """What to say if a schema is missing and must not be registered."""
    role = topic.name.lower().replace("_", "-")
    return (
        f"REGISTRY_REGISTER is false, and subject {subject} {missing}: "
        f"let somebody who may register what `wolkvox-hits schemas registered {role}` prints"
    )


def _login(settings: Registry) -> Login | None:
    user, password = settings.username, settings.password
    return None if user is None or password is None else lambda: (user, password.read())


def _number(subject: str, answer: Answer) -> int:
    """The id in an answer."""
    number = answer.fields.get("id")
    if answer.status != HTTPStatus.OK or type(number) is not int or not 0 <= number <= _HIGHEST:
        raise refusal(subject, answer)
    return number
