"""What others use: one broker, or a cluster of three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from producer.demo.broker import storage
from producer.demo.broker.distribution import Install, install
from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.jars import OnProgress
from producer.demo.broker.node import Node
from producer.demo.broker.ports import Ports
from producer.demo.broker.properties import ALONE, CONTROLLER, PLAINTEXT, NodePlan, listener_names, voters

NONE: Mapping[str, str] = MappingProxyType({})

# As ALONE; three JVMs share the cores, so a cluster's may be silent a bit longer.
TOGETHER = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}


class EmbeddedKafka(Node):
    """One Apache Kafka broker on loopback; `with EmbeddedKafka() as kafka: connect(kafka.bootstrap)`.

    `properties` go into server.properties and win over ours. `listeners` maps the names of the clients' listeners to
    security protocols, each on a port of its own: {"CLIENTS": "SASL_SSL", "ADMIN": "PLAINTEXT"}; the first is the
    bootstrap. `format_arguments` go to Kafka's format tool, for instance ["--add-scram", "SCRAM-SHA-256=[name=...]"].
    `classpath` is where classes of one's own are that the properties name; `install` brings another Kafka than ours.
    """

    def __init__(
        self,
        *,
        properties: Mapping[str, str] = NONE,
        listeners: Mapping[str, str] = PLAINTEXT,
        format_arguments: Sequence[str] = (),
        classpath: Sequence[Path] = (),
        heap: str = "512m",
        install: Install = install,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._properties, self._listeners = dict(properties), dict(listeners)
        ports = Ports(listener_names(listeners))
        super().__init__(
            self._planned(ports),
            ports,
            heap=heap,
            format_arguments=format_arguments,
            classpath=classpath,
            install=install,
            on_progress=on_progress,
        )

    def start(self) -> None:
        """As `Node.start`; if somebody else took a port before the first start, once more on others."""
        first = self._guarded is None
        try:
            super().start()
        except BrokerUnavailable:
            if not first or self.pid is not None or not self._ports.taken():
                raise
            self._discard()
            self._ports = Ports(listener_names(self._listeners))
            self._plan = self._planned(self._ports)
            super().start()

    def _planned(self, ports: Ports) -> NodePlan:
        return NodePlan(
            node_id=1,
            cluster_id=storage.new_id(),
            ports=ports.numbers,
            protocols=self._listeners,
            voters=voters({1: ports.numbers[CONTROLLER]}),
            replicas=1,
            overrides={**ALONE, **self._properties},
        )


class EmbeddedCluster:
    """Several brokers as one cluster: everything replicated to all, `min.insync.replicas` one less.

    Each of `nodes` can be killed, suspended and restarted alone; while more than half of them live, the rest serves.
    Parameters as for EmbeddedKafka, the same for each node.
    """

    def __init__(
        self,
        nodes: int = 3,
        *,
        properties: Mapping[str, str] = NONE,
        listeners: Mapping[str, str] = PLAINTEXT,
        format_arguments: Sequence[str] = (),
        heap: str = "512m",
        install: Install = install,
        on_progress: OnProgress | None = None,
    ) -> None:
        ports = {node_id: Ports(listener_names(listeners)) for node_id in range(1, nodes + 1)}
        everyone = voters({node_id: own.numbers[CONTROLLER] for node_id, own in ports.items()})
        cluster_id = storage.new_id()
        self.nodes = tuple(
            Node(
                NodePlan(
                    node_id=node_id,
                    cluster_id=cluster_id,
                    ports=own.numbers,
                    protocols=dict(listeners),
                    voters=everyone,
                    replicas=nodes,
                    overrides=TOGETHER | dict(properties),
                ),
                own,
                heap=heap,
                format_arguments=format_arguments,
                install=install,
                on_progress=on_progress,
            )
            for node_id, own in ports.items()
        )

    @property
    def bootstrap(self) -> str:
        """The bootstraps of all nodes, with commas."""
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Starts the nodes that do not run, and waits until each knows all."""
        for node in self.nodes:
            node.launch()
        everyone = [node.internal_port for node in self.nodes]
        for node in self.nodes:
            node.await_ready(everyone)

    def close(self) -> None:
        """Ends all nodes for good."""
        for node in self.nodes:
            node.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C too: `__exit__` is not called for what did not enter
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
