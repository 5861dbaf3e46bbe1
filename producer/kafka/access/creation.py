"""Making topics: whether the cluster lets us, and in its own words why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import errors as kafka
from aiokafka.protocol.admin import CreateTopicsRequest

from producer.errors import AccessDenied, KafkaFailed, Untrusted
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.metadata import Metadata
from producer.kafka.access.wire import Wire
from producer.kafka.aiokafka_errors import failure

_TIMEOUT = 4_000
"""Milliseconds that the broker waits until the others know of a new topic; an answer takes PATIENCE at most."""
_FINE = (kafka.NoError, kafka.TopicAlreadyExistsError)
_OF_SETTINGS = (kafka.PolicyViolationError, kafka.InvalidConfigurationError, kafka.InvalidRequestError)
"""What is said to a setting that a cluster does not take: managed ones take a handful (MSK Serverless: seven)."""
_FOR_GOOD = (
    *_OF_SETTINGS,
    kafka.InvalidPartitionsError,
    kafka.InvalidReplicationAssignmentError,
    kafka.InvalidTopicError,
)
"""What does not go away by trying again."""
_WORDS = 200
"""Characters of the cluster's own words that are shown."""


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to be made; `replicas` None is the broker's own default, `essential` what of `config` it must have."""

    name: str
    partitions: int
    replicas: int | None
    config: Mapping[str, str]
    essential: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: type[kafka.KafkaError]
    words: str


async def create(
    cluster: Inquiry, found: Metadata, topics: Sequence[NewTopic], *, only_ask: bool = False
) -> dict[str, str]:
    """Make topics; one that another instance made first is fine. `only_ask` has the cluster say whether it would.

    Gives those that it takes with their essential settings alone, each with its words to the rest. Raises KafkaFailed.
    """
    wire = await cluster.wire(found.brokers[found.controller])
    refused = await _refused(wire, topics, only_ask=only_ask)
    lesser = [one for one in topics if one.name in refused and _may_be_lesser(one, refused[one.name])]
    plain = {one.name: refused.pop(one.name).words for one in lesser}
    refused |= await _refused(wire, [replace(one, config=one.essential) for one in lesser], only_ask=only_ask)
    if refused:
        raise _not_created(refused)
    return plain


async def _refused(wire: Wire, topics: Sequence[NewTopic], *, only_ask: bool) -> dict[str, _Refusal]:
    if not topics:
        return {}
    wanted: list[tuple[Any, ...]] = [
        (one.name, one.partitions, -1 if one.replicas is None else one.replicas, [], list(one.config.items()))
        for one in topics
    ]
    names = ", ".join(one.name for one in topics)
    what = f"asking whether {names} could be created" if only_ask else f"creating {names}"
    answer = await wire.ask(CreateTopicsRequest(wanted, _TIMEOUT, only_ask), what=what)
    refusals = {name: _Refusal(kafka.for_code(code), _trimmed(*said)) for name, code, *said in answer.topic_errors}
    return {name: refusal for name, refusal in refusals.items() if refusal.error not in _FINE}


def _may_be_lesser(topic: NewTopic, refusal: _Refusal) -> bool:
    return issubclass(refusal.error, _OF_SETTINGS) and topic.config != topic.essential


def _not_created(refused: Mapping[str, _Refusal]) -> KafkaFailed:
    first = refused[min(refused)]
    names = ", ".join(sorted(name for name, refusal in refused.items() if refusal.error is first.error))
    what, said = f"creating {names}", f" ({first.words})" if first.words else ""
    if issubclass(first.error, kafka.TopicAuthorizationFailedError | kafka.ClusterAuthorizationFailedError):
        return AccessDenied(
            f"creating topics: grant Create on topic {names}, or create them and set KAFKA_CREATE_TOPICS=false"
        )
    if issubclass(first.error, kafka.InvalidReplicationFactorError):
        return Untrusted(f"{what}: the cluster has too few brokers for KAFKA_REPLICATION_FACTOR{said}")
    if issubclass(first.error, _FOR_GOOD):
        return Untrusted(
            f"{what}: the cluster refuses it{said}: create it as the cluster allows, then it is used as it is"
        )
    return failure(first.error(), what)


def _trimmed(words: str | None = None) -> str:
    told = " ".join((words or "").split())
    return told if len(told) <= _WORDS else f"{told[: _WORDS - 3]}..."
