"""What brokers say of our permissions."""

from __future__ import annotations

import pytest

from producer.kafka.access.metadata import Operation, operations


@pytest.mark.parametrize(
    ("bits", "allowed"),
    [
        (0, set()),
        (1 << Operation.WRITE | 1 << Operation.DESCRIBE | 1 << 12, {Operation.WRITE, Operation.DESCRIBE}),
        (-(1 << 31), set(Operation)),
    ],
)
def test_a_broker_that_does_not_tell_forbids_nothing(bits: int, allowed: set[Operation]) -> None:
    """Refused at the start, and told to grant what is granted, was who ran it on one that does not."""
    assert operations(bits) == allowed
