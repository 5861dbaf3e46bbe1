from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from producer.demo.broker import BrokerUnavailable, EmbeddedCluster, EmbeddedKafka
from producer.demo.broker.readiness import alive

pytestmark = pytest.mark.kafka

OWNER = """
import json, sys
from producer.demo.broker import EmbeddedKafka
with EmbeddedKafka() as kafka:
    print(json.dumps([kafka.pid, str(kafka.folder)]), flush=True)
    sys.stdin.read()
"""


def test_the_session_broker_serves(kafka: str) -> None:
    assert alive(_port(kafka))


def test_a_killed_broker_comes_back_on_its_port_and_data(broker: EmbeddedKafka) -> None:
    bootstrap, cluster_id = broker.bootstrap, _cluster_id(broker)
    broker.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", _port(bootstrap)))
    broker.start()
    assert (broker.bootstrap, _cluster_id(broker)) == (bootstrap, cluster_id)
    assert alive(_port(bootstrap))


def test_a_suspended_broker_is_mute_until_it_is_resumed(broker: EmbeddedKafka) -> None:
    broker.suspend()
    assert not alive(_port(broker.bootstrap))
    broker.resume()
    broker.await_ready()


def test_a_stopped_broker_is_gone_and_starts_again(broker: EmbeddedKafka) -> None:
    assert broker.pid
    first = psutil.Process(broker.pid)
    broker.suspend()  # the harder case: SIGTERM alone would not be heard
    broker.stop()
    assert not first.is_running()
    assert not broker.running
    assert (broker.folder / "data" / ".kafka_cleanshutdown").exists()  # Kafka's own word for it
    broker.start()
    assert broker.running


def test_nothing_is_left_when_the_owner_is_killed() -> None:
    with _owner() as owner:
        jvm, guard, folder = _started_by(owner)
        owner.kill()
    guard.wait(timeout=20)
    jvm.wait(timeout=20)
    assert not folder.exists()


def test_nothing_is_left_when_the_guard_is_killed() -> None:
    with _owner() as owner:
        jvm, guard, folder = _started_by(owner)
        guard.kill()
        jvm.wait(timeout=20)
        owner.communicate(timeout=20)
    assert not folder.exists()


def test_nothing_is_left_after_close() -> None:
    with EmbeddedKafka() as kafka:
        assert kafka.pid
        jvm, folder = psutil.Process(kafka.pid), kafka.folder
    assert not jvm.is_running()
    assert not folder.exists()


def test_a_closed_broker_does_not_start_again() -> None:
    kafka = EmbeddedKafka()
    kafka.close()
    with pytest.raises(BrokerUnavailable, match="closed"):
        kafka.start()


def test_a_failed_start_says_what_kafka_said_and_leaves_nothing() -> None:
    kafka = EmbeddedKafka(properties={"log.retention.ms": "a week"})
    with pytest.raises(BrokerUnavailable, match=r"(?s)ended with status 1.*a week"), kafka:
        pass
    assert not kafka.running


def test_a_port_taken_before_the_start_costs_another_port_only() -> None:
    kafka = EmbeddedKafka()
    meant = _port(kafka.bootstrap)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", meant))
        other.listen()
        with kafka:
            assert _port(kafka.bootstrap) != meant
            assert alive(_port(kafka.bootstrap))


async def test_listeners_can_be_secured_and_accounts_formatted_in() -> None:
    secured = EmbeddedKafka(
        listeners={"CLIENTS": "SASL_PLAINTEXT"},
        properties={
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-256",
            "listener.name.clients.scram-sha-256.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        },
        format_arguments=["--add-scram", "SCRAM-SHA-256=[name=reader,password=right]"],
    )
    with secured:
        await _sign_in(secured.bootstrap, password="right")
        with pytest.raises(KafkaError):
            await _sign_in(secured.bootstrap, password="wrong")
        assert alive(_port(secured.address("INTERNAL")))


def test_a_node_of_a_cluster_dies_and_returns_alone(cluster: EmbeddedCluster) -> None:
    everyone = {node.internal_port for node in cluster.nodes}
    victim, *others = cluster.nodes
    victim.kill()
    assert all(alive(node.internal_port) for node in others)
    victim.start()
    for node in cluster.nodes:
        node.await_ready(everyone)


def _owner() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _started_by(owner: subprocess.Popen[str]) -> tuple[psutil.Process, psutil.Process, Path]:
    """The JVM, its guard and their folder."""
    assert owner.stdout
    pid, folder = json.loads(owner.stdout.readline())
    jvm = psutil.Process(pid)
    guard = jvm.parent()
    assert guard
    assert Path(folder).is_dir()
    return jvm, guard, Path(folder)


async def _sign_in(bootstrap: str, *, password: str) -> None:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-256",
        sasl_plain_username="reader",
        sasl_plain_password=password,
    )
    try:
        await admin.start()
    finally:
        await admin.close()


def _cluster_id(broker: EmbeddedKafka) -> str:
    return (broker.folder / "data" / "meta.properties").read_text()


def _port(bootstrap: str) -> int:
    return int(bootstrap.rsplit(":", 1)[1])
