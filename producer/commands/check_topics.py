"""What `check` says of the five topics: there and fit, or missing and creatable, and permitted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping

from producer import duration
from producer.commands.check_findings import Finding, failed, ok, warning
from producer.errors import AccessDenied, KafkaFailed
from producer.kafka.access.creation import NewTopic, create
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.metadata import Metadata, Operation, TopicFacts
from producer.kafka.access.permissions import lacking, needed, topic_configs
from producer.kafka.census import has_begun
from producer.kafka.judgement import LEDGER_CONFIG, alter, cost, lesser, lost_ledger, new_topic, unfit
from producer.kafka.reader import PartitionReader
from producer.model import Topic
from producer.settings import Kafka

AREA = "kafka"
SAFE_REPLICAS = 3


class TopicsCheck:
    """The topics of one installation, as `found` on the cluster; `heals` with RECOVER_GAPS=history."""

    def __init__(self, cluster: Inquiry, found: Metadata, *, heals: bool) -> None:
        self._cluster = cluster
        self._heals = heals
        self._settings = cluster.connection.settings
        self._found = found
        self._hits = found.topics[self._settings.topic + Topic.HITS]

    async def findings(self) -> AsyncIterator[Finding]:
        """One finding for each topic, and one for how safe they are."""
        there: list[TopicFacts] = []
        for topic in Topic:
            facts = self._found.topics[self._settings.topic + topic]
            there += [facts] * (facts.error is None)
            yield await self._topic(topic, facts)
        if weak := [facts for facts in there if facts.replicas < SAFE_REPLICAS]:
            yield _weak(weak)

    async def _topic(self, topic: Topic, facts: TopicFacts) -> Finding:
        if facts.missing:
            return await self._missing(topic, facts)
        if facts.error is not None:
            return self._not_described(facts, needed(topic, heals=self._heals))
        if missing := lacking(topic, facts, heals=self._heals):
            told = f"not permitted: {', '.join(sorted(one.acl for one in missing))}"
            return _failed(facts.name, told, self._grant(facts.name, missing))
        try:
            config = (await topic_configs(self._cluster, facts.name))[facts.name]
        except KafkaFailed as error:
            return _failed(facts.name, str(error), self._grant(facts.name, needed(topic, heals=self._heals)))
        return await self._fit(topic, facts, config)

    async def _fit(self, topic: Topic, facts: TopicFacts, config: Mapping[str, str]) -> Finding:
        if facts.leaderless:
            text = f"{facts.leaderless} of {facts.partitions} partitions have no leader"
            return _failed(facts.name, text, "the brokers that hold them are down: start them")
        if problem := unfit(topic, facts, config, self._settings):
            return _failed(facts.name, problem.text, problem.remedy)
        if topic is Topic.LEDGER and (lost := await self._lost_ledger(facts)) is not None:
            return lost
        if topic is Topic.CHANGES and self._hits.error is None and facts.partitions != self._hits.partitions:
            text = f"{facts.name}: {facts.partitions} partitions, {self._hits.name} has {self._hits.partitions}"
            return warning(AREA, _role(facts.name), text, "give both the same number: a join by conn_id needs it")
        text = ", ".join(_described(facts, config))
        if topic is Topic.LEDGER and (dear := cost(topic, config)):
            hint = f"where the cluster allows it: {alter(facts.name, LEDGER_CONFIG)}"
            return _warning(facts.name, f"{text}, {_segments(config)}: {dear}", hint)
        return _ok(facts.name, text)

    async def _missing(self, topic: Topic, facts: TopicFacts) -> Finding:
        name, new = facts.name, new_topic(topic, self._settings, self._hits)
        if topic is Topic.LEDGER and (lost := await self._lost_ledger(facts)) is not None:
            return lost
        if not self._settings.create_topics:
            text = "missing, and KAFKA_CREATE_TOPICS=false"
            return _failed(name, text, f"create it, or set KAFKA_CREATE_TOPICS=true: {_create(new)}")
        try:
            plain = await create(self._cluster, self._found, [new], only_ask=True)
        except AccessDenied as error:
            return _failed(name, f"missing; {error}", self._grant(name, {Operation.CREATE}))
        except KafkaFailed as error:
            return _failed(name, f"missing, and it can't be created: {error}", _create(new))
        text = f"missing; `run` will create it with {new.partitions} partitions"
        if name in plain:
            told = lesser(topic, new)
            return _warning(name, f"{text}, {told.text} ({plain[name]})", told.remedy)
        return _ok(name, text)

    async def _lost_ledger(self, ledger: TopicFacts) -> Finding | None:
        """A ledger that is missing or empty while hits were published was deleted, and the service refuses to start."""
        hits, connection = self._hits, self._cluster.connection
        if hits.error is not None or Operation.DESCRIBE not in hits.allowed:
            return None
        try:
            if not await PartitionReader(connection, hits.name).holds_records(hits.partitions):
                return None
            if not ledger.missing and await has_begun(connection, ledger.name, ledger.partitions):
                return None
        except KafkaFailed as error:
            return _failed(ledger.name, f"it can't be told whether it was lost: {error}", "see the other lines")
        lost = lost_ledger(hits.name, state="missing" if ledger.missing else "empty")
        return _failed(ledger.name, lost.text, lost.remedy)

    def _not_described(self, facts: TopicFacts, grants: Collection[Operation]) -> Finding:
        assert facts.error is not None
        if facts.forbidden:
            return _failed(facts.name, "not there, or not for us to see", self._grant(facts.name, grants))
        return _failed(facts.name, f"can't be described now ({facts.error.__name__})", "check again in a minute")

    def _grant(self, name: str, operations: Collection[Operation]) -> str:
        return grant(self._settings, operations, "--topic", name)


def grant(settings: Kafka, operations: Collection[Operation], *resource: str) -> str:
    """`kafka-acls` for some operations on a resource, given as the tool's own options: `--topic`, `wolkvox.hits`."""
    allowed = " ".join(f"--operation {acl}" for acl in sorted(one.acl for one in operations))
    # A certificate's or a token's principal is made by the broker's own rules: only the name of a login is known here.
    principal = f"User:{settings.sasl_username or 'NAME'}"
    return f"kafka-acls --add --allow-principal {principal} {allowed} {' '.join(resource)}"


def _create(new: NewTopic) -> str:
    options = " ".join(f"--config {key}={value}" for key, value in new.config.items())
    return f"kafka-topics --create --topic {new.name} --partitions {new.partitions} {options}"


def _segments(config: Mapping[str, str]) -> str:
    return f"segments of {duration.text(int(config['segment.ms']) / 1000)}"


def _ok(name: str, text: str) -> Finding:
    return ok(AREA, _role(name), f"{name}: {text}")


def _warning(name: str, text: str, hint: str) -> Finding:
    return warning(AREA, _role(name), f"{name}: {text}", hint)


def _failed(name: str, text: str, hint: str) -> Finding:
    return failed(AREA, _role(name), f"{name}: {text}", hint)


def _role(name: str) -> str:
    """What a topic is for: its own name can be long, and the column is narrow."""
    return next((topic.name.lower().replace("_", "-") for topic in reversed(Topic) if name.endswith(topic)), name)


def _described(facts: TopicFacts, config: Mapping[str, str]) -> Iterator[str]:
    yield f"{facts.partitions} partition{'' if facts.partitions == 1 else 's'}"
    yield f"replicas {facts.replicas}"
    yield config["cleanup.policy"]
    retention = int(config.get("retention.ms", -1))
    if config["cleanup.policy"] == "delete":
        yield f"kept {duration.text(retention / 1000)}" if retention > 0 else "kept for ever"


def _weak(topics: list[TopicFacts]) -> Finding:
    fewest = min(facts.replicas for facts in topics)
    text = f"{len(topics)} of the topics have {fewest} replica{'' if fewest == 1 else 's'}: hits are lost with a disk"
    return warning(AREA, "replication", text, "production wants 3 with min.insync.replicas=2; fine for a trial")
