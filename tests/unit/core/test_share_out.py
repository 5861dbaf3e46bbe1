"""Who gets which shard."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable

from hypothesis import given
from hypothesis import strategies as st

from producer.core.ledger import shard_of
from producer.kafka.assignor import StickyShards, share_out

SHARDS = st.lists(st.integers(0, 30), unique=True)
HOLDERS = st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.integers(0, 35)), min_size=1)


def disjoint(holders: dict[str, set[int]]) -> dict[str, set[int]]:
    taken: set[int] = set()
    result = {}
    for member, held in sorted(holders.items()):
        result[member] = held - taken
        taken |= held
    return result


@given(HOLDERS, SHARDS)
def test_each_shard_goes_to_exactly_one_member(holders: dict[str, set[int]], shards: list[int]) -> None:
    shares = share_out(holders, shards)
    assert shares.keys() == holders.keys()
    assert Counter(shard for share in shares.values() for shard in share) == Counter(shards)


@given(HOLDERS, SHARDS)
def test_the_shares_are_even(holders: dict[str, set[int]], shards: list[int]) -> None:
    sizes = [len(share) for share in share_out(holders, shards).values()]
    assert max(sizes) - min(sizes) <= 1


@given(HOLDERS, SHARDS)
def test_as_few_shards_move_as_evenness_allows(claims: dict[str, set[int]], shards: list[int]) -> None:
    holders = disjoint(claims)
    shares = share_out(holders, shards)
    kept = sum(len(holders[member] & set(share)) for member, share in shares.items())
    held = sorted((len(one & set(shards)) for one in holders.values()), reverse=True)
    least, larger = divmod(len(shards), len(holders))
    assert kept == sum(min(count, least + (place < larger)) for place, count in enumerate(held))


@given(HOLDERS, SHARDS, st.randoms(use_true_random=False))
def test_the_result_does_not_depend_on_any_order(
    holders: dict[str, set[int]], shards: list[int], rng: random.Random
) -> None:
    members, mixed = list(holders.items()), list(shards)
    rng.shuffle(members)
    rng.shuffle(mixed)
    one, other = share_out(holders, shards), share_out(dict(members), mixed)
    assert {member: set(share) for member, share in one.items()} == {
        member: set(share) for member, share in other.items()
    }


@given(HOLDERS, SHARDS)
def test_a_rebalance_without_a_change_moves_nothing(holders: dict[str, set[int]], shards: list[int]) -> None:
    shares = share_out(holders, shards)
    again = share_out(shares, shards)
    assert {member: set(share) for member, share in again.items()} == {
        member: set(share) for member, share in shares.items()
    }


def test_two_that_claim_one_shard_do_not_both_get_it() -> None:
    assert share_out({"a": [0], "b": [0]}, [0]) == {"a": [0], "b": []}


def test_a_member_that_holds_nothing_gets_what_the_others_have_too_much() -> None:
    shares = share_out({"a": range(6), "b": range(6, 12), "c": []}, range(12))
    assert (shares["a"], shares["b"]) == ([0, 1, 2, 3], [6, 7, 8, 9])
    assert set(shares["c"]) == {4, 5, 10, 11}


def test_claims_of_shards_that_are_gone_count_for_nothing() -> None:
    assert share_out({"a": [40, 41, 42], "b": [0]}, [0]) == {"a": [], "b": [0]}


def test_ten_thousand_sources_are_spread_over_twenty_instances_and_few_move() -> None:
    sources = Counter(shard_of(f"{number:04}", 60) for number in range(10_000))
    members = [f"{number:02}" for number in range(20)]
    shares = share_out(dict.fromkeys(members, ()), range(60))
    assert max(sum(map(sources.__getitem__, share)) for share in shares.values()) < 1.1 * 10_000 / 20
    without = share_out({member: shares[member] for member in members[1:]}, range(60))
    assert sum(len(set(share).difference(shares[member])) for member, share in without.items()) == 3
    again = share_out({members[0]: (), **without}, range(60))
    assert sum(len(set(share).difference(without.get(member, ()))) for member, share in again.items()) == 3


class Ledger:
    """The cluster, as far as an assignor asks it."""

    def partitions_for_topic(self, topic: str) -> set[int]:
        assert topic == "ledger"
        return set(range(12))


def dealt(*members: StickyShards) -> list[set[int]]:
    """What each member gets."""
    names = {f"m{number}": member for number, member in enumerate(members)}
    said = {name: member.metadata(["ledger"]) for name, member in names.items()}
    decided = members[0].assign(Ledger(), said)
    return [{shard for _, shards in decided[name].assignment for shard in shards} for name in names]


def holding(shards: Iterable[int], *, loaded: Collection[int], guest: bool = False) -> StickyShards:
    member = StickyShards(loaded=loaded, guest=guest)
    member.held = frozenset(shards)
    return member


def test_a_shard_goes_to_a_member_whose_settings_have_its_sources() -> None:
    """Else nobody polls them: to the member that gets it, it is empty. So it is while a source is added."""
    new, old = holding([3], loaded=[3, 7]), holding([7], loaded=[3])
    first, second = dealt(new, old)
    assert {3, 7} <= first | second
    assert 7 in first
    assert abs(len(first) - len(second)) <= 2


@given(st.lists(st.tuples(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.booleans()), min_size=1))
def test_no_shard_is_dealt_to_who_takes_it_for_empty_while_somebody_knows_better(
    members: list[tuple[set[int], set[int], bool]],
) -> None:
    shares = dealt(*(holding(held, loaded=loaded, guest=guest) for held, loaded, guest in members))
    assert Counter(shard for share in shares for shard in share) == Counter(range(12))
    known = set().union(*(loaded for _, loaded, _ in members))
    for share, (_, loaded, _) in zip(shares, members, strict=True):
        assert not (share - loaded) & known


def test_a_guest_takes_what_no_regular_member_knows_sources_of() -> None:
    """`run --once` for a source that the running service lacks."""
    regular, guest = dealt(holding(range(12), loaded=[3]), holding([], loaded=[3, 7], guest=True))
    assert (guest, 7 in regular) == ({7}, False)
