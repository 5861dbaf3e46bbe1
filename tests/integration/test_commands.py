"""`check` against a real Kafka and the simulated API: each thing that is wrong leads to what mends it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from producer.clock import Moment, SystemClock
from producer.commands.check import check, look
from producer.commands.check_findings import Finding, Verdict
from producer.demo.simulator import Simulator
from producer.kafka.connection import Connection
from producer.kafka.judgement import LEDGER_CONFIG
from producer.kafka.topics import TopicSetup
from producer.model import Topic
from producer.settings import Settings, load
from tests.unit.commands.screens import pipe, printed

pytestmark = pytest.mark.kafka


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(rate=1, window=20) as one:
        yield one


def settings(kafka: str, topic: str, simulator: Simulator | None, **environ: str) -> Settings:
    source = {"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN": "simulated-token"}
    url = {"WOLKVOX_URL": simulator.url} if simulator else {"WOLKVOX_URL": f"http://127.0.0.1:{_free_port()}"}
    where = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic}
    return load(config=None, environ=source | url | where | environ)


async def finding(settings: Settings, area: str, subject: str) -> Finding:
    """The one finding about a subject."""
    (one,) = [one for one in await look(settings) if (one.area, one.subject) == (area, subject)]
    return one


async def create(kafka: str, name: str, *, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(config or {}))])
        while name not in await admin.list_topics():
            pass  # the controller knows it before the broker does
    finally:
        await admin.close()


async def topics_of(kafka: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_what_is_not_there_yet_is_well_and_checking_creates_nothing(
    kafka: str, topic: str, simulator: Simulator
) -> None:
    findings = await look(settings(kafka, topic, simulator))
    assert {one.verdict for one in findings} == {Verdict.OK}
    (ledger,) = [one for one in findings if one.subject == "ledger"]
    assert ledger.text == f"{topic}.ledger: missing; `run` will create it with 12 partitions"
    assert not [name for name in await topics_of(kafka) if name.startswith(topic)]


async def test_topics_that_fit_are_described(kafka: str, topic: str, simulator: Simulator) -> None:
    here = settings(kafka, topic, simulator)
    await TopicSetup(Connection(here.kafka, client_id="test")).ready()
    findings = {one.subject: one for one in await look(here) if one.area == "kafka"}
    assert findings["hits"].text == f"{topic}: 12 partitions, replicas 1, delete, kept 7d"
    assert findings["ledger"].text == f"{topic}.ledger: 12 partitions, replicas 1, compact"
    assert findings["replication"].verdict is Verdict.WARNING
    assert {one.verdict for one in findings.values()} == {Verdict.OK, Verdict.WARNING}


async def test_missing_topics_that_nobody_will_create_come_with_the_command_that_does(
    kafka: str, topic: str, simulator: Simulator
) -> None:
    here = settings(kafka, topic, simulator, KAFKA_CREATE_TOPICS="false")
    ledger = await finding(here, "kafka", "ledger")
    assert ledger.verdict is Verdict.FAILED
    assert f"kafka-topics --create --topic {topic}.ledger --partitions 12" in ledger.hint
    assert "cleanup.policy=compact" in ledger.hint


async def test_a_replication_factor_that_the_cluster_cannot_give_is_named(
    kafka: str, topic: str, simulator: Simulator
) -> None:
    here = settings(kafka, topic, simulator, KAFKA_REPLICATION_FACTOR="9")
    hits = await finding(here, "kafka", "hits")
    assert hits.verdict is Verdict.FAILED
    assert "too few brokers for KAFKA_REPLICATION_FACTOR" in hits.text


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_a_ledger_that_forgets_is_refused_with_the_command_that_mends_it(
    kafka: str, topic: str, simulator: Simulator, policy: str
) -> None:
    await create(kafka, f"{topic}.ledger", config={"cleanup.policy": policy})
    ledger = await finding(settings(kafka, topic, simulator), "kafka", "ledger")
    assert ledger.verdict is Verdict.FAILED
    assert f"--entity-name {topic}.ledger --add-config cleanup.policy=compact" in ledger.hint


async def test_a_hits_topic_that_is_compacted_is_refused(kafka: str, topic: str, simulator: Simulator) -> None:
    await create(kafka, topic, config={"cleanup.policy": "compact"})
    hits = await finding(settings(kafka, topic, simulator), "kafka", "hits")
    assert hits.verdict is Verdict.FAILED
    assert "cleanup.policy=delete" in hits.hint


async def test_another_number_of_partitions_than_set_names_the_setting(
    kafka: str, topic: str, simulator: Simulator
) -> None:
    await create(kafka, topic, partitions=3)
    assert (await finding(settings(kafka, topic, simulator), "kafka", "hits")).verdict is Verdict.OK
    hits = await finding(settings(kafka, topic, simulator, KAFKA_PARTITIONS="6"), "kafka", "hits")
    assert hits.verdict is Verdict.FAILED
    assert hits.hint == "set KAFKA_PARTITIONS=3, or leave it out"


async def test_changes_have_as_many_partitions_as_the_hits(kafka: str, topic: str, simulator: Simulator) -> None:
    """Missing, they are made so; another number makes a join by conn_id impossible, and nothing else."""
    await create(kafka, topic, partitions=3)
    here = settings(kafka, topic, simulator)
    missing = await finding(here, "kafka", "changes")
    assert missing.text.endswith("missing; `run` will create it with 3 partitions")
    await create(kafka, f"{topic}.changes", partitions=4)
    other = await finding(here, "kafka", "changes")
    assert other.verdict is Verdict.WARNING
    assert other.text == f"{topic}.changes: 4 partitions, {topic} has 3"


async def test_a_deleted_ledger_is_told_from_one_that_never_was(kafka: str, topic: str, simulator: Simulator) -> None:
    await create(kafka, topic)
    here = settings(kafka, topic, simulator)
    assert (await finding(here, "kafka", "ledger")).verdict is Verdict.OK
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(topic, b"a hit")
    ledger = await finding(here, "kafka", "ledger")
    assert ledger.verdict is Verdict.FAILED
    assert "wolkvox-hits ledger init" in ledger.hint


async def test_checking_fences_nobody_and_moves_nobody(kafka: str, topic: str, simulator: Simulator) -> None:
    await create(kafka, f"{topic}.ledger", partitions=12, config=LEDGER_CONFIG)
    await create(kafka, f"{topic}.coverage")
    owner = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{topic}{Topic.LEDGER}-0")
    async with owner, owner.transaction():
        await owner.send_and_wait(f"{topic}.coverage", b"before")
        findings = await look(settings(kafka, topic, simulator))
        assert Verdict.FAILED not in {one.verdict for one in findings}
        await owner.send_and_wait(f"{topic}.coverage", b"after")  # a fenced producer fails here, or at the commit


@dataclass(frozen=True)
class Mood:
    """A fault of the simulated API, and what `check` must make of it."""

    fault: str
    subject: str
    verdict: Verdict
    hint: str


@pytest.mark.parametrize(
    "mood",
    [
        Mood("bad-token", "token", Verdict.FAILED, "WOLKVOX_TOKEN: copy the token again"),
        Mood("unauthorized", "token", Verdict.FAILED, "WOLKVOX_TOKEN"),
        Mood("quota", "quota", Verdict.FAILED, "midnight in America/Bogota"),
        Mood("simultaneous", "token", Verdict.WARNING, "a running instance"),
        Mood("maintenance", "api", Verdict.FAILED, "WOLKVOX_URL"),
        Mood("refused", "api", Verdict.FAILED, "ask Wolkvox"),
        Mood("html", "report", Verdict.FAILED, "login page"),
        Mood("404-empty", "report", Verdict.WARNING, "ask Wolkvox"),
        Mood("reset", "api", Verdict.FAILED, "WOLKVOX_URL"),
    ],
    ids=lambda mood: mood.fault,
)
async def test_each_mood_of_the_api_leads_to_what_mends_it(
    kafka: str, topic: str, simulator: Simulator, mood: Mood
) -> None:
    simulator.fault = mood.fault
    found = await finding(settings(kafka, topic, simulator), "source 0042", mood.subject)
    assert found.verdict is mood.verdict
    assert mood.hint in found.hint


async def test_a_clock_that_differs_from_the_apis_is_seen_by_its_date(kafka: str, topic: str) -> None:
    async with Simulator(clock=_Ahead()) as simulator:
        clock = await finding(settings(kafka, topic, simulator), "source 0042", "clock")
    assert clock.verdict is Verdict.WARNING
    assert clock.text == "this machine's is 2h behind the API's"
    assert "NTP" in clock.hint


async def test_a_source_that_is_not_there_costs_the_rest_nothing(kafka: str, topic: str) -> None:
    findings = await look(settings(kafka, topic, None))
    (source,) = [one for one in findings if one.area == "source 0042"]
    assert source.verdict is Verdict.FAILED
    assert "WOLKVOX_URL" in source.hint
    assert {one.verdict for one in findings if one.area == "kafka"} == {Verdict.OK}


async def test_sources_that_share_a_token_are_asked_one_after_the_other(kafka: str, topic: str, tmp_path: Path) -> None:
    servers = ("0042", "0043", "0044")
    async with Simulator(servers=servers, token="any", fault="slow:0.1") as simulator:
        tables = "".join(
            f'[[source]]\nserver = "{server}"\nurl = "{simulator.url_of(server)}"\ntoken = "shared"\n'
            for server in servers
        )
        file = tmp_path / "settings.toml"
        await asyncio.to_thread(file.write_text, tables)
        environ = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic}
        findings = await look(load(config=file, environ=environ))
    assert [one.verdict for one in findings if one.subject == "report"] == [Verdict.OK] * 3


async def test_kafka_away_is_told_at_once_with_each_address(topic: str, simulator: Simulator) -> None:
    dead = f"127.0.0.1:{_free_port()}"
    findings = await look(settings(f"{dead},no-such-host.invalid:9092", topic, simulator))
    kafka = [one for one in findings if one.area == "kafka"]
    assert [one.verdict for one in kafka] == [Verdict.FAILED, Verdict.FAILED]
    assert f"{dead}: nothing listens there" in kafka[0].text
    assert "no such host" in kafka[1].text
    assert "KAFKA_BOOTSTRAP_SERVERS" in kafka[0].hint


async def test_one_bootstrap_server_of_two_is_enough_and_the_other_is_told(
    kafka: str, topic: str, simulator: Simulator
) -> None:
    findings = await look(settings(f"127.0.0.1:{_free_port()},{kafka}", topic, simulator))
    assert [one.verdict for one in findings if one.subject == "bootstrap"] == [Verdict.WARNING, Verdict.OK]
    assert Verdict.FAILED not in {one.verdict for one in findings}


async def test_what_swallows_every_packet_is_given_up_and_told(topic: str) -> None:
    with _silence() as port:
        here = settings(f"127.0.0.1:{port}", topic, None, WOLKVOX_URL=f"http://127.0.0.1:{port}")
        began = time.monotonic()
        findings = await look(here, deadline=0.5)
        assert time.monotonic() - began < 5
    told = {(one.area, one.subject): one for one in findings if one.verdict is Verdict.FAILED}
    assert set(told) == {("source 0042", "time"), ("kafka", "time")}
    assert "no end within 0.5 s" in told["kafka", "time"].text


def test_the_command_fails_if_anything_does_and_prints_one_json_object_without_secrets(topic: str) -> None:
    console = pipe()
    here = settings(f"127.0.0.1:{_free_port()}", topic, None, WOLKVOX_TOKEN="canary-token")
    assert check(here, as_json=True, console=console) == 1
    text = "\n".join(printed(console))
    assert json.loads(text)["verdict"] == "failed"
    assert "canary-token" not in text


@contextmanager
def _silence() -> Iterator[int]:
    """A port where connections are made and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


class _Ahead:
    """A clock two hours before us."""

    def now(self) -> Moment:
        here = SystemClock().now()
        return Moment(here.wall + 7200, here.boot)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
