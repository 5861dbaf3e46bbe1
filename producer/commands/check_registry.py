"""What `check` asks of the schema registry: whether it has our schemas, or would take them. Nothing is registered."""

from __future__ import annotations

from collections.abc import AsyncIterator

from producer.commands.check_findings import Finding, failed, ok
from producer.errors import AccessDenied, KafkaFailed, NoRegistry
from producer.events import ON_TOPIC
from producer.model import Topic
from producer.registry.client import Missing, SchemaRegistry, lacking

AREA = "registry"


async def registry_findings(registry: SchemaRegistry) -> AsyncIterator[Finding]:
    """A finding for each subject; after one that could not be asked for no further."""
    for topic in ON_TOPIC:
        try:
            yield await _subject(registry, topic)
        except KafkaFailed as error:
            yield failed(AREA, _role(topic), str(error), _hint(error))
            return


async def _subject(registry: SchemaRegistry, topic: Topic) -> Finding:
    subject, role, found = registry.subject(topic), _role(topic), await registry.find(topic)
    if not isinstance(found, Missing):
        return ok(AREA, role, f"{subject} has our schema, its id is {found}")
    if not registry.registers:
        return failed(AREA, role, lacking(subject, topic, found), "`run` would end with this")
    if found is Missing.SCHEMA and not await registry.would_take(topic):
        text = f"{subject} has other schemas, and by its compatibility level it would not take ours"
        return failed(AREA, role, text, "`run` would end with this: is KAFKA_TOPIC somebody else's topic there?")
    return ok(AREA, role, f"{subject} {found}; `run` will register ours")


def _role(topic: Topic) -> str:
    return topic.name.lower().replace("_", "-")


def _hint(error: KafkaFailed) -> str:
    if isinstance(error, NoRegistry):
        return "`run` would wait for it: see REGISTRY_URL, and whether a firewall lets you through"
    if isinstance(error, AccessDenied):
        return "see the REGISTRY_* settings"
    return "`run` would end with this"
