"""Who gets which shard: evenly, and as few moves as possible.

Our own, because aiokafka's sticky assignor is broken (aiokafka #1175) and its round robin moves nearly everything at
each rebalance. Each member says which shards it holds; the group's leader leaves them there as far as that is even.
Shards with sources and empty ones are dealt separately: twelve shards and one source must not leave the work to chance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

VERSION = 0


def share_out(holders: Mapping[str, Collection[int]], shards: Sequence[int]) -> dict[str, list[int]]:
    """Shards by member, evenly; a member keeps what it holds up to its share. Any order of members, one result."""
    members = sorted(holders, key=lambda member: (-len(set(holders[member]) & set(shards)), member))
    least, larger = divmod(len(shards), len(members))
    shares: dict[str, list[int]] = {}
    free = set(shards)
    for place, member in enumerate(members):
        size = least + (place < larger)
        shares[member] = sorted(set(holders[member]) & free)[:size]
        free -= set(shares[member])
    rest = sorted(free, reverse=True)
    for place, member in enumerate(members):
        while rest and len(shares[member]) < least + (place < larger):
            shares[member].append(rest.pop())
    return shares


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a member tells the leader: the shards it holds, and whether it is a guest."""

    held: Collection[int] = ()
    guest: bool = False

    @classmethod
    def parse(cls, data: bytes | None) -> _Claim:
        try:
            content = orjson.loads(data or b"{}")
            return cls([int(shard) for shard in content.get("held", ())], bool(content.get("guest")))
        except (ValueError, TypeError, AttributeError):
            return cls()


class StickyShards(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka ships no types
    """The assignor of one consumer; `held` tells what this member holds when it joins.

    `loaded` are the shards that have sources. A `guest` (`run --once`) takes only what no regular member is there for.
    """

    name = "wolkvox-hits-sticky"

    def __init__(self, *, loaded: Collection[int], guest: bool = False) -> None:
        self._loaded = loaded
        self._guest = guest
        self.held: Collection[int] = ()

    def metadata(self, topics: Iterable[str]) -> Any:
        """What this member tells the leader when it joins."""
        claim = orjson.dumps({"held": sorted(self.held), "guest": self._guest})
        return ConsumerProtocolMemberMetadata(VERSION, list(topics), claim)

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """The leader's decision for all members."""
        (topic,) = {topic for metadata in members.values() for topic in metadata.subscription}
        shards = sorted(cluster.partitions_for_topic(topic) or ())
        claims = {member: _Claim.parse(metadata.user_data) for member, metadata in members.items()}
        regular = {member: claim.held for member, claim in claims.items() if not claim.guest}
        holders = regular or {member: claim.held for member, claim in claims.items()}
        loaded = share_out(holders, [shard for shard in shards if shard in self._loaded])
        empty = share_out(holders, [shard for shard in shards if shard not in self._loaded])
        return {
            member: ConsumerProtocolMemberAssignment(
                VERSION, [(topic, sorted(loaded.get(member, []) + empty.get(member, [])))], b""
            )
            for member in members
        }

    def on_assignment(self, assignment: Any) -> None:
        """Nothing to keep: `held` is told by the owner."""
