"""aiokafka's errors by what the caller must do.

`KafkaError.retriable` is not to be trusted (20 of its 101 subclasses carry it), so the kinds that matter are listed.
Whatever is not listed means: this producer's state is unknown, discard it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import errors as kafka

from producer.errors import AccessDenied, Discard, Fenced, KafkaFailed, TooLarge, Unavailable, Untrusted, place_of

_DENIED = {
    kafka.TopicAuthorizationFailedError: "the topic: grant Describe on it, Write too, and Read if it is the ledger",
    kafka.GroupAuthorizationFailedError: "the consumer group: grant Read on it",
    kafka.TransactionalIdAuthorizationFailed: "the transactional id: grant Write on its prefix",
    kafka.ClusterAuthorizationFailedError: "an operation on the whole cluster; none is needed for topics that exist",
    kafka.SaslAuthenticationFailed: "the login: see KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    kafka.UnsupportedSaslMechanismError: "the mechanism: set KAFKA_SASL_MECHANISM to one that the listener has",
    kafka.IllegalSaslStateError: "any login, this listener has none: set KAFKA_SECURITY_PROTOCOL without SASL_",
}
_KINDS: tuple[tuple[tuple[type[Exception], ...], type[KafkaFailed], str], ...] = (
    ((kafka.ProducerFenced, kafka.InvalidProducerEpoch), Fenced, "another producer took the transactional id"),
    (
        (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError),
        TooLarge,
        "over the broker's max.message.bytes",
    ),
    (
        (kafka.InvalidTimestampError,),
        Discard,
        "the brokers refuse our clock: set it right, or the topic's message.timestamp.type to LogAppendTime",
    ),
    (
        (kafka.InvalidSessionTimeoutError,),
        Untrusted,
        "KAFKA_SESSION_TIMEOUT is outside what the brokers allow",
    ),
    (
        (kafka.InconsistentGroupProtocolError,),
        Untrusted,
        "the group has members that are no wolkvox-hits",
    ),
    (
        (kafka.UnsupportedCodecError,),
        Untrusted,
        "compressed in a way that needs a package more: pip install 'wolkvox-hits[compression]'",
    ),
)
_AWAY = (
    kafka.KafkaConnectionError,
    kafka.KafkaTimeoutError,
    kafka.NodeNotReadyError,
    kafka.RequestTimedOutError,
    kafka.NoBrokersAvailable,
    kafka.GroupCoordinatorNotAvailableError,
    kafka.CoordinatorNotAvailableError,
    kafka.CoordinatorLoadInProgressError,
    kafka.StaleMetadata,
    kafka.UnknownTopicOrPartitionError,
    OSError,
)


@contextmanager
def named(what: str) -> Iterator[None]:
    """Turn a library error into ours; `what` says what was tried."""
    try:
        yield
    except KafkaFailed:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, the producer can't be used any further)
        raise failure(error, what) from None


def failure(error: Exception, what: str) -> KafkaFailed:
    """Our error for a library's: only names of types and of our own topics are told."""
    if isinstance(error.__cause__, KafkaFailed):
        return error.__cause__  # ours, carried through the library
    for denied, cause in _DENIED.items():
        if isinstance(error, denied):
            return AccessDenied(f"{what}: Kafka refuses {cause} ({type(error).__name__})")
    for types, kind, text in _KINDS:
        if isinstance(error, types):
            return kind(f"{what}: {text}")
    if isinstance(error, _AWAY):
        return Unavailable(f"{what}: Kafka does not answer ({type(error).__name__})")
    # A library's own error says enough by its name.
    return Discard(f"{what}: {type(error).__name__}{'' if isinstance(error, kafka.KafkaError) else place_of(error)}")
