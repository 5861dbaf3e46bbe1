"""A broker with two ways in: a direct one, and one that leads through a port of the test's own."""

from __future__ import annotations

from dataclasses import replace

from producer.demo.broker import EmbeddedKafka
from producer.demo.broker.ports import Ports
from producer.demo.broker.properties import NodePlan
from tests.matrix import kafkas

DIRECT, BEHIND_PROXY = "DIRECT", "BEHIND_PROXY"


class FrailKafka(EmbeddedKafka):
    """Clients of `proxied` are told that the broker is at `proxy_port`, where a Proxy must listen."""

    def __init__(self) -> None:
        self._reserved = Ports(["proxy"])
        # Tests of many freezes can't wait for sessions of 6 s, Kafka's least by default.
        short = {"group.min.session.timeout.ms": "100"}
        listeners = {DIRECT: "PLAINTEXT", BEHIND_PROXY: "PLAINTEXT"}
        super().__init__(listeners=listeners, properties=short, install=kafkas.chosen())

    @property
    def proxy_port(self) -> int:
        """Where the proxy belongs."""
        return self._reserved.numbers["proxy"]

    @property
    def proxied(self) -> str:
        """The bootstrap server for clients whose network can be cut."""
        return f"127.0.0.1:{self.proxy_port}"

    def close(self) -> None:
        """Ends it for good, and lets the proxy's port go."""
        super().close()
        self._reserved.close()

    def _planned(self, ports: Ports) -> NodePlan:
        plan = super()._planned(ports)
        advertised = f"{DIRECT}://127.0.0.1:{ports.numbers[DIRECT]},{BEHIND_PROXY}://{self.proxied}"
        return replace(plan, overrides={**plan.overrides, "advertised.listeners": advertised})
