from __future__ import annotations

import pytest
from aiokafka import errors as kafka

from producer.errors import AccessDenied, Discard, Fenced, KafkaFailed, TooLarge, Unavailable, Untrusted
from producer.kafka.aiokafka_errors import failure, named

CANARY = "canary-3321"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (kafka.TopicAuthorizationFailedError, AccessDenied, "grant Describe on it, Write too, and Read if it is"),
        (kafka.GroupAuthorizationFailedError, AccessDenied, "grant Read on it"),
        (kafka.TransactionalIdAuthorizationFailed, AccessDenied, "grant Write on its prefix"),
        (kafka.SaslAuthenticationFailed, AccessDenied, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        (kafka.UnsupportedSaslMechanismError, AccessDenied, "KAFKA_SASL_MECHANISM"),
        (kafka.IllegalSaslStateError, AccessDenied, "KAFKA_SECURITY_PROTOCOL without SASL_"),
        (kafka.UnsupportedCodecError, Untrusted, r"wolkvox-hits\[compression\]"),
        (kafka.ProducerFenced, Fenced, "another producer"),
        (kafka.MessageSizeTooLargeError, TooLarge, "max.message.bytes"),
        (kafka.KafkaConnectionError, Unavailable, "does not answer"),
        (ConnectionRefusedError, Unavailable, "does not answer"),
        (kafka.UnknownError, Discard, "UnknownError"),
        (ValueError, Discard, "ValueError"),
    ],
)
def test_an_error_is_named_by_what_to_do_and_its_words_are_not_repeated(
    error: type[Exception], kind: type[KafkaFailed], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught, named("trying"):
        raise error(CANARY)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("trying: ")
    assert CANARY not in str(caught.value)


def test_a_failure_of_ours_passes_through_the_library_as_it_is() -> None:
    ours, theirs = Unavailable("no token server"), kafka.KafkaConnectionError("closed")
    theirs.__cause__ = ours
    assert failure(theirs, "trying") is ours
