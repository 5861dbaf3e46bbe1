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
    """What a member tells the leader.

    The shards it holds, the assignment that says so, the shards that have sources, and whether it is a guest.
    """

    held: Collection[int] = ()
    epoch: int = 0
    loaded: Collection[int] = ()
    guest: bool = False

    @classmethod
    def parse(cls, data: bytes | None) -> _Claim:
        try:
            content = orjson.loads(data or b"{}")
            held = [int(shard) for shard in content.get("held", ())]
            loaded = {int(shard) for shard in content.get("loaded", ())}
            return cls(held, int(content.get("epoch", 0)), loaded, bool(content.get("guest")))
        except (ValueError, TypeError, AttributeError):
            return cls()


def _undisputed(claims: Mapping[str, _Claim]) -> dict[str, Collection[int]]:
    """Shards held by member. Of two who claim one, the later assignment is right.

    A member that was away (SIGSTOP, a cut network) still claims what another got meanwhile; without this it took the
    shard back at its return in about half of the cases, a move for nothing.
    """
    latest: dict[int, int] = {}
    for claim in claims.values():
        for shard in claim.held:
            latest[shard] = max(claim.epoch, latest.get(shard, 0))
    return {member: [shard for shard in claim.held if latest[shard] == claim.epoch] for member, claim in claims.items()}


def _dealt(claims: Mapping[str, _Claim], shards: Sequence[int]) -> dict[str, list[int]]:
    """The shards of one ledger by member, those with sources and empty ones each evenly.

    Those with sources go to members that know these: while one is added, to the others its shard may be an empty one,
    which nobody polls.
    """
    regular = frozenset(member for member, claim in claims.items() if not claim.guest) or frozenset(claims)
    holders = _undisputed(claims)
    kinds: dict[tuple[frozenset[str], bool], list[int]] = {}
    for shard in shards:
        know = frozenset(member for member, claim in claims.items() if shard in claim.loaded)
        kinds.setdefault((know & regular or know or regular, bool(know)), []).append(shard)
    dealt: dict[str, list[int]] = {member: [] for member in claims}
    for (members, _), alike in kinds.items():
        for member, share in share_out({member: holders[member] for member in members}, alike).items():
            dealt[member] += share
    return {member: sorted(share) for member, share in dealt.items()}


class StickyShards(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka ships no types
    """The assignor of one consumer; `held` tells what this member holds when it joins.

    `loaded` are the shards that have sources. A `guest` (`run --once`) takes only what no regular member is there for.
    """

    name = "wolkvox-hits-sticky"

    def __init__(self, *, loaded: Collection[int], guest: bool = False) -> None:
        self._loaded = loaded
        self._guest = guest
        self.held: Collection[int] = ()
        self._epoch = 0

    def metadata(self, topics: Iterable[str]) -> Any:
        """What this member tells the leader when it joins."""
        claim = {"held": sorted(self.held), "epoch": self._epoch, "loaded": sorted(self._loaded), "guest": self._guest}
        return ConsumerProtocolMemberMetadata(VERSION, list(topics), orjson.dumps(claim))

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """The leader's decision for all members; those on another ledger are as a group of their own."""
        claims = {member: _Claim.parse(metadata.user_data) for member, metadata in members.items()}
        epoch = b"%d" % (1 + max(claim.epoch for claim in claims.values()))
        decision = {}
        for topic in {topic for metadata in members.values() for topic in metadata.subscription}:
            theirs = {member: claims[member] for member, metadata in members.items() if topic in metadata.subscription}
            for member, shards in _dealt(theirs, sorted(cluster.partitions_for_topic(topic) or ())).items():
                decision[member] = ConsumerProtocolMemberAssignment(VERSION, [(topic, shards)], epoch)
        return decision

    def on_assignment(self, assignment: Any) -> None:
        """Note which assignment this is; what it holds is told by the owner, as `held`."""
        self._epoch = int(assignment.user_data or 0)
