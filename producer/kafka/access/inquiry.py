"""Questions to a cluster that change nothing: who answers, who coordinates, who is in the group, what is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import errors as kafka
from aiokafka.conn import collect_hosts
from aiokafka.protocol.coordination import FindCoordinatorRequest

from producer.errors import AccessDenied, KafkaFailed, Unavailable, Untrusted
from producer.kafka.access.metadata import Metadata, metadata
from producer.kafka.access.wire import Address, Wire, connect
from producer.kafka.aiokafka_errors import failure
from producer.kafka.connection import Connection

GROUP, TRANSACTION = 0, 1
"""Kinds of coordinator."""
NO_COORDINATOR = {
    GROUP: "this cluster has no consumer groups",
    TRANSACTION: "this cluster has no transactions, without which no hit is published exactly once: use one that has "
    "them (Azure Event Hubs has them in its Premium and Dedicated tiers alone)",
}
"""What a cluster lacks that will not hear of a kind of coordinator."""
_NEVER = (kafka.InvalidRequestError, kafka.UnsupportedVersionError)
PATIENCE = 6.0
"""Seconds to go on asking a coordinator that is moving, loading or being made."""
_PAUSE = 0.25
_AGAIN = (
    kafka.GroupCoordinatorNotAvailableError,
    kafka.GroupLoadInProgressError,
    kafka.NotCoordinatorForGroupError,
    kafka.ConcurrentTransactions,
)


class Inquiry:
    """Connections for questions, one for each broker asked: `async with Inquiry(connection) as cluster`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._wires: dict[Address, Wire] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for wire in self._wires.values():
            wire.close()

    @property
    def bootstrap(self) -> list[Address]:
        """The addresses of KAFKA_BOOTSTRAP_SERVERS in the order given."""
        hosts = collect_hosts(self.connection.settings.bootstrap_servers, randomize=False)
        return list(dict.fromkeys(Address(host, port) for host, port, _ in hosts))

    async def wire(self, address: Address) -> Wire:
        """A connection to a broker; raises Unavailable or AccessDenied."""
        if address not in self._wires:
            self._wires[address] = await connect(self.connection, address)
        return self._wires[address]

    async def answers(self, addresses: Sequence[Address]) -> dict[Address, KafkaFailed | None]:
        """Each address with what is wrong there, None if it answers; all are tried at once."""
        apart = list(dict.fromkeys(addresses))  # brokers may share one, behind a balancer
        return dict(zip(apart, await asyncio.gather(*map(self._trouble, apart)), strict=True))

    async def any_wire(self) -> Wire:
        """A connection to the bootstrap server that answers first; raises AccessDenied or Unavailable with each reason.

        Nobody waits for one that is frozen beside it: asked anew for each question, it cost a start a minute.
        """
        if (held := self._held()) is not None:
            return held
        asked = [asyncio.create_task(self._trouble(address)) for address in self.bootstrap]
        try:
            for answer in asyncio.as_completed(asked):
                await answer
                if (first := self._held()) is not None:
                    return first
        finally:
            for one in asked:
                one.cancel()
            await asyncio.wait(asked)
        troubles = [one.result() for one in asked]
        denied = any(isinstance(trouble, AccessDenied) for trouble in troubles)
        raise (AccessDenied if denied else Unavailable)("; ".join(map(str, troubles)))

    async def metadata(self, names: Sequence[str] = ()) -> Metadata:
        """The cluster and some topics, none of which is created by asking; raises KafkaFailed."""
        return await metadata(await self.any_wire(), names)

    async def coordinator(self, kind: int, key: str, *, what: str) -> Wire:
        """A connection to the broker that coordinates a group or a transactional id; raises KafkaFailed.

        Untrusted if the cluster has no coordinators of that kind.
        """

        async def ask() -> Any:
            return await (await self.any_wire()).ask(FindCoordinatorRequest(key, kind), what=what)

        found = await settled(ask, what=what, fine=_NEVER)
        if kafka.for_code(found.error_code) in _NEVER:
            raise Untrusted(f"{what}: {NO_COORDINATOR[kind]}")
        return await self.wire(Address(found.host, found.port))

    def _held(self) -> Wire | None:
        return next((self._wires[address] for address in self.bootstrap if address in self._wires), None)

    async def _trouble(self, address: Address) -> KafkaFailed | None:
        try:
            await self.wire(address)
        except KafkaFailed as error:
            return error
        return None


async def settled(
    ask: Callable[[], Awaitable[Any]], *, what: str, fine: Collection[type[kafka.KafkaError]] = ()
) -> Any:
    """An answer without error, or with a `fine` one; asked for again while it is "not yet". Raises KafkaFailed."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        answer = await ask()
        error = kafka.for_code(answer.error_code)
        if error is kafka.NoError or error in fine:
            return answer
        if not issubclass(error, _AGAIN):
            raise failure(error(), what)
        if loop.time() > until:
            raise Unavailable(f"{what}: its coordinator is not ready ({error.__name__})")
        await asyncio.sleep(_PAUSE)
