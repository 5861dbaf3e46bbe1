"""Three brokers, each with a way in for everybody, and one for each instance that leads through its own network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from producer.demo.broker import EmbeddedCluster
from producer.demo.broker.embedded import NONE
from producer.demo.broker.ports import Ports
from tests.integration.service.proxy import Proxy
from tests.matrix import kafkas

DIRECT = "DIRECT"


class Cluster(EmbeddedCluster):
    """Clients that come in by `behind(place)` are told addresses where that place's proxies must listen.

    `protocol` is the security of the places' listeners, `properties` are the brokers'.
    """

    def __init__(self, places: int, *, protocol: str = "PLAINTEXT", properties: Mapping[str, str] = NONE) -> None:
        names = [self._name(place) for place in range(places)]
        listeners = {DIRECT: "PLAINTEXT", **dict.fromkeys(names, protocol)}
        super().__init__(listeners=listeners, properties=properties, heap="384m", install=kafkas.chosen())
        self._reserved = [Ports(names) for _ in self.nodes]
        for node, reserved in zip(self.nodes, self._reserved, strict=True):
            told = [f"{DIRECT}://{node.bootstrap}"]
            told += [f"{name}://127.0.0.1:{reserved.numbers[name]}" for name in names]
            overrides = {**node._plan.overrides, "advertised.listeners": ",".join(told)}
            node._plan = replace(node._plan, overrides=overrides)

    def behind(self, place: int) -> str:
        """The bootstrap servers of one place."""
        return ",".join(f"127.0.0.1:{reserved.numbers[self._name(place)]}" for reserved in self._reserved)

    def ways(self, place: int) -> Sequence[tuple[int, str]]:
        """For each broker the port where the place's proxy belongs, and where it leads."""
        name = self._name(place)
        return [
            (reserved.numbers[name], node.address(name))
            for node, reserved in zip(self.nodes, self._reserved, strict=True)
        ]

    def close(self) -> None:
        super().close()
        for reserved in self._reserved:
            reserved.close()

    @staticmethod
    def _name(place: int) -> str:
        return f"PLACE{place}"


class Network:
    """One place's network to the brokers: it can be cut, late, or refuse."""

    def __init__(self, ways: Sequence[tuple[int, str]]) -> None:
        self._proxies = [Proxy(port=port, target=target) for port, target in ways]
        self._open = AsyncExitStack()

    def cut(self) -> None:
        """Nothing comes through, and nobody is told."""
        for proxy in self._proxies:
            proxy.cut()

    def late(self, seconds: float) -> None:
        """Whatever a broker says takes so long."""
        for proxy in self._proxies:
            proxy.delay = seconds

    async def refuse(self) -> None:
        """Connections break, and new ones are refused."""
        await self._open.aclose()

    async def mend(self) -> None:
        """All is well again."""
        self.late(0.0)
        for proxy in self._proxies:
            proxy.mend()
        await self._open.aclose()
        for proxy in self._proxies:
            await self._open.enter_async_context(proxy)

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()
