"""The server.properties of one KRaft node that is broker and controller at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

CONTROLLER = "CONTROLLER"
INTERNAL = "INTERNAL"
PLAINTEXT: Mapping[str, str] = MappingProxyType({"PLAINTEXT": "PLAINTEXT"})
"""One listener for the clients, in plain text, and its protocol."""

# A killed broker is missed, and itself let in again, when its session ends: after 9 s by default (measured: a start
# after a kill took 11.7 s, with these 3.7 s).
ALONE: Mapping[str, str] = MappingProxyType(
    {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "250"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """What makes one node: who it is, where it listens, and what the caller wants otherwise.

    `protocols` maps each listener of the clients to its security protocol, the first being the one that is told to
    clients; `ports` has a port for each, for the internal listener and for CONTROLLER. `voters` lists all controllers.
    """

    node_id: int
    cluster_id: str
    ports: Mapping[str, int]
    protocols: Mapping[str, str]
    voters: str
    replicas: int
    overrides: Mapping[str, str]

    @property
    def internal(self) -> str:
        """The listener in plain text, for the brokers among themselves and for the question whether one is ready."""
        return internal_listener(self.protocols)


def internal_listener(protocols: Mapping[str, str]) -> str:
    """The clients' first listener in plain text; where all of theirs are secured, one of our own."""
    return next((name for name, protocol in protocols.items() if protocol == "PLAINTEXT"), INTERNAL)


def listener_names(protocols: Mapping[str, str]) -> list[str]:
    """Every listener that a node needs a port for, the clients' first one first."""
    return list(dict.fromkeys([*protocols, internal_listener(protocols), CONTROLLER]))


def voters(ports: Mapping[int, int]) -> str:
    """The controllers by node id and port, as `controller.quorum.voters` wants them."""
    return ",".join(f"{node_id}@127.0.0.1:{port}" for node_id, port in ports.items())


def server_properties(plan: NodePlan, folder: Path) -> dict[str, str]:
    """All properties of the node, with its data under `folder`; the plan's overrides win."""
    own = {**_roles(plan, folder), **_listeners(plan), **_replication(plan.replicas), **_quick()}
    if "authorizer.class.name" in plan.overrides:
        # Brokers and controllers meet each other unauthenticated on the internal listeners.
        own["super.users"] = "User:ANONYMOUS"
    return own | dict(plan.overrides)


def render(properties: Mapping[str, str]) -> str:
    """Java's properties format."""
    escaped = {name: value.replace("\\", "\\\\").replace("\n", "\\n") for name, value in properties.items()}
    return "".join(f"{name}={value}\n" for name, value in escaped.items())


def _roles(plan: NodePlan, folder: Path) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(plan.node_id),
        "controller.quorum.voters": plan.voters,
        "log.dirs": str(folder / "data"),
    }


def _listeners(plan: NodePlan) -> dict[str, str]:
    protocols = {plan.internal: "PLAINTEXT", **plan.protocols}
    addresses = {name: f"{name}://127.0.0.1:{plan.ports[name]}" for name in [*protocols, CONTROLLER]}
    return {
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": ",".join(addresses[name] for name in protocols),
        "listener.security.protocol.map": ",".join(
            f"{name}:{protocol}" for name, protocol in {**protocols, CONTROLLER: "PLAINTEXT"}.items()
        ),
        "inter.broker.listener.name": plan.internal,
        "controller.listener.names": CONTROLLER,
    }


def _replication(replicas: int) -> dict[str, str]:
    enough = str(max(1, replicas - 1))
    return {
        "default.replication.factor": str(replicas),
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": enough,
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": enough,
    }


def _quick() -> dict[str, str]:
    """No waiting for more members or for 50 partitions that nobody needs, and no topic by a slip of the keyboard."""
    return {
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
    }
