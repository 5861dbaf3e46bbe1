"""Rows that two answers share at their ends are the same rows, and as many as there are."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from producer.wolkvox.common_rows import BETWEEN, Region, at_the_beginning, at_the_end

Texts = list[bytes]

pieces = st.sampled_from([b"a", b"b", b"}", b"{", b",", b"},", b",{", b"},,{"])
texts = st.lists(pieces, max_size=4).map(b"".join).filter(lambda text: BETWEEN not in text)
reports = st.lists(texts, min_size=1, max_size=6)


def region(rows: Texts) -> Region:
    """The rows as they stand between two halves of an envelope."""
    return Region(b"[{" + BETWEEN.join(rows) + b"}]", 2, 2 + len(BETWEEN.join(rows)))


def rows_at(number: int, *, wide: int = 100) -> bytes:
    return b'"conn_id":"%d"' % number + b"x" * wide


@given(reports, reports)
@example([b"a", b"ab"], [b"a", b"a"])
@example([b"a", b"ba"], [b"a", b"a"])
@example([b"a"], [b"a,"])
@example([b"a", b""], [b"a", b""])
def test_what_is_shared_is_the_same_and_ends_where_a_row_ends(old: Texts, new: Texts) -> None:
    assert region(old).body[2:-2].split(BETWEEN) == old, "no text is cut otherwise"
    head, tail = (find(region(old), old, region(new)) for find in (at_the_beginning, at_the_end))
    assert old[head.first : head.first + head.count] == new[: head.count]
    assert old[tail.first : tail.first + tail.count] == new[len(new) - tail.count :]
    assert (head.size, tail.size) == (
        len(BETWEEN.join(new[: head.count])),
        len(BETWEEN.join(new[len(new) - tail.count :])),
    )
    assert (head.count > 0, tail.count > 0) == (new[0] in old, new[-1] in old)


@given(st.integers(1, 3000), st.integers(0, 2999), st.integers(0, 50), st.integers(0, 50))
def test_a_report_that_moved_on_shares_all_that_stayed(count: int, gone: int, before: int, behind: int) -> None:
    """Of many stretches of 64 kB, with what is new before and behind."""
    old = [rows_at(number) for number in range(count)]
    stayed = old[gone % count :]
    fresh = [rows_at(number) for number in range(count, count + before + behind)]
    appended, prepended = region(stayed + fresh[:behind]), region(fresh[behind:] + stayed)
    head, tail = at_the_beginning(region(old), old, appended), at_the_end(region(old), old, prepended)
    assert (head.first, head.count) == (tail.first, tail.count) == (gone % count, len(stayed))


@given(st.integers(0, 1999))
def test_one_row_that_changed_divides_what_is_shared(changed: int) -> None:
    old = [rows_at(number) for number in range(2000)]
    new = [*old[:changed], rows_at(changed, wide=99), *old[changed + 1 :]]
    head, tail = at_the_beginning(region(old), old, region(new)), at_the_end(region(old), old, region(new))
    assert (head.count, tail.count) == (changed, 1999 - changed)
