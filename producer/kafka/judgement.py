"""What a topic must be, for `run` and `check` alike: how it is made, and what makes one that is there unfit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from producer.kafka.access.creation import NewTopic
from producer.kafka.access.metadata import TopicFacts
from producer.model import Topic
from producer.settings.sections import Kafka

LEDGER_SHARDS = 12
LEDGER_CONFIG = {
    "cleanup.policy": "compact",
    # With Kafka's defaults (1 GiB, a week) the active segment is never compacted, and a takeover reads all of it.
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(60 * 60 * 1000),
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": str(24 * 60 * 60 * 1000),
}
_LONG_SEGMENT = 24 * 60 * 60 * 1000
"""Milliseconds; Kafka's default is a week."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a topic can't carry the promise: what it has, and what to do."""

    text: str
    remedy: str


def unfit(topic: Topic, facts: TopicFacts, config: Mapping[str, str], settings: Kafka) -> Unfit | None:
    """The judgement of a topic that is there, for `run` and `check` alike; None if it will do."""
    policy = config["cleanup.policy"]
    if topic is Topic.LEDGER and policy != "compact":
        why = "otherwise Kafka deletes what was already published and it is published again"
        return Unfit(
            f"cleanup.policy={policy}, it must be exactly compact: {why}",
            alter(facts.name, {"cleanup.policy": "compact"}),
        )
    if topic is not Topic.LEDGER and "compact" in policy:
        why = "compaction would remove events"
        return Unfit(
            f"cleanup.policy={policy}, it must be delete: {why}", alter(facts.name, {"cleanup.policy": "delete"})
        )
    wanted = settings.partitions if settings.partitions_given and topic is not Topic.LEDGER else facts.partitions
    if facts.partitions != wanted:
        text = f"{facts.partitions} partitions, KAFKA_PARTITIONS says {wanted}"
        return Unfit(text, f"set KAFKA_PARTITIONS={facts.partitions}, or leave it out")
    return None


def retention(config: Mapping[str, str]) -> float:
    """Seconds that a record surely stays on a topic: none if it is deleted by size."""
    kept = int(config.get("retention.ms", 0))
    if int(config.get("retention.bytes", -1)) >= 0:
        return 0.0
    return inf if kept < 0 else kept / 1000


def lost_ledger(base: str, *, state: str) -> Unfit:
    """What to say of a ledger that is missing, or empty, although hits were published under it."""
    return Unfit(
        f"{state} while {base} holds records: it was deleted. Starting without it publishes again what the API still "
        "shows, up to an hour of hits",
        "`wolkvox-hits ledger init` accepts that and begins it anew",
    )


def new_topic(topic: Topic, settings: Kafka, hits: TopicFacts | None = None) -> NewTopic:
    """How a missing topic is made; `hits` is the hits topic as it is."""
    ledger = topic is Topic.LEDGER
    partitions = LEDGER_SHARDS if ledger else settings.partitions
    if topic is Topic.CHANGES and hits is not None and hits.error is None:
        # A reader that joins the two by conn_id needs the same number in both, and Kafka Streams refuses another.
        partitions = hits.partitions
    # By the broker's clock: one of ours that is an hour ahead would fail every commit, and one that is days behind
    # would make events deletable at once.
    kept = {"retention.ms": str(int(settings.retention * 1000)), "message.timestamp.type": "LogAppendTime"}
    config = LEDGER_CONFIG if ledger else {"cleanup.policy": "delete", **kept}
    essential = {"cleanup.policy", *(["retention.ms"] if settings.retention_given else [])}
    return NewTopic(
        name=settings.topic + topic,
        partitions=partitions,
        replicas=settings.replication_factor,
        config=config,
        essential={name: value for name, value in config.items() if name in essential},
    )


def lesser(topic: Topic, new: NewTopic) -> Unfit:
    """What to say of a topic that the cluster makes with its essential settings alone, and what that costs."""
    alone = " and ".join(f"{name}={value}" for name, value in new.essential.items())
    return Unfit(f"with {alone} alone, since the cluster refuses its other settings", cost(topic, new.essential))


def cost(topic: Topic, config: Mapping[str, str]) -> str:
    """What it costs that a topic lacks settings that it should have; nothing if it has them."""
    if topic is Topic.LEDGER:
        dear = "segment.ms" not in config or int(config["segment.ms"]) > _LONG_SEGMENT
        return "nothing in it is compacted before a segment is full, and a takeover reads all of that" if dear else ""
    if config.get("message.timestamp.type") == "LogAppendTime":
        return ""
    return "its records are dated by our clock: one that is wrong fails commits, or has events deleted at once"


def alter(name: str, settings: Mapping[str, str]) -> str:
    """The command that gives an existing topic some settings."""
    options = ",".join(f"{key}={value}" for key, value in settings.items())
    return f"kafka-configs --alter --entity-type topics --entity-name {name} --add-config {options}"
