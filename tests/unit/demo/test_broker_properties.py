from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from producer.demo.broker.properties import NodePlan, listener_names, render, server_properties, voters


def test_one_broker_needs_nobody_else() -> None:
    made = server_properties(_plan(), Path("/data"))
    assert made["listeners"] == "PLAINTEXT://127.0.0.1:5000,CONTROLLER://127.0.0.1:5001"
    assert made["advertised.listeners"] == "PLAINTEXT://127.0.0.1:5000"
    assert made["offsets.topic.replication.factor"] == made["min.insync.replicas"] == "1"
    assert made["auto.create.topics.enable"] == "false"
    assert "transaction.max.timeout.ms" not in made


def test_three_brokers_tolerate_the_loss_of_one() -> None:
    made = server_properties(_plan(replicas=3), Path("/data"))
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert made[f"{topic}.replication.factor"] == "3"
    assert made["min.insync.replicas"] == made["transaction.state.log.min.isr"] == "2"


def test_secured_listeners_get_one_in_plain_text_beside_them() -> None:
    protocols = {"CLIENTS": "SASL_SSL"}
    assert listener_names(protocols) == ["CLIENTS", "INTERNAL", "CONTROLLER"]
    made = server_properties(_plan(protocols=protocols), Path("/data"))
    assert made["inter.broker.listener.name"] == "INTERNAL"
    assert "CLIENTS:SASL_SSL" in made["listener.security.protocol.map"]
    assert "CLIENTS://127.0.0.1:5000" in made["advertised.listeners"]


def test_a_plain_listener_of_the_clients_serves_the_brokers_too() -> None:
    protocols = {"CLIENTS": "SASL_SSL", "ADMIN": "PLAINTEXT"}
    assert listener_names(protocols) == ["CLIENTS", "ADMIN", "CONTROLLER"]
    assert server_properties(_plan(protocols=protocols), Path("/data"))["inter.broker.listener.name"] == "ADMIN"


@pytest.mark.parametrize(("given", "expected"), [({}, "User:ANONYMOUS"), ({"super.users": "User:root"}, "User:root")])
def test_with_an_authorizer_the_brokers_may_still_meet(given: Mapping[str, str], expected: str) -> None:
    overrides = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", **given}
    assert server_properties(_plan(overrides=overrides), Path("/data"))["super.users"] == expected


def test_overrides_win() -> None:
    made = server_properties(_plan(overrides={"auto.create.topics.enable": "true"}), Path("/data"))
    assert made["auto.create.topics.enable"] == "true"


def test_backslashes_and_line_ends_survive_the_file_format() -> None:
    assert render({"password": "a\\b", "key": "x\ny"}) == "password=a\\\\b\nkey=x\\ny\n"


def test_voters_are_listed_as_kafka_reads_them() -> None:
    assert voters({1: 5001, 2: 6001}) == "1@127.0.0.1:5001,2@127.0.0.1:6001"


def _plan(
    *,
    protocols: Mapping[str, str] = {"PLAINTEXT": "PLAINTEXT"},
    replicas: int = 1,
    overrides: Mapping[str, str] = {},
) -> NodePlan:
    ports = {name: 5000 + number for number, name in enumerate(listener_names(protocols))}
    return NodePlan(
        node_id=1,
        cluster_id="cluster",
        ports=ports,
        protocols=protocols,
        voters=voters({1: ports["CONTROLLER"]}),
        replicas=replicas,
        overrides=overrides,
    )
