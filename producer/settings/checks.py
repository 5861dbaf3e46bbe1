"""What settings must not say together, and what they had better not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from producer.settings.duration import text
from producer.settings.problems import Problems, env_name
from producer.settings.secret import one_line
from producer.settings.sections import Dedup, Kafka
from producer.settings.sources import Source, secret_of
from producer.wolkvox.address import check_url

REPORT = 3_600.0
"""Seconds that the report's title promises ("Hits in the last hour"): as long a hit may be shown again."""

_PASSWORD = ("sasl_username", "sasl_password")
_OAUTH = ("sasl_oauth_token_url", "sasl_oauth_client_id", "sasl_oauth_client_secret")
_SASL = ("sasl_mechanism", *_PASSWORD, *_OAUTH, "sasl_oauth_scope")
_SSL = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")


def kafka_secrets(kafka: Kafka, problems: Problems) -> Kafka:
    """The section with each secret where it belongs, whichever of its two forms was given."""
    resolved = {
        name: secret_of(
            getattr(kafka, name),
            getattr(kafka, f"{name}_file"),
            name=env_name("kafka", name),
            check=one_line,
            problems=problems,
        )
        for name in ("sasl_password", "sasl_oauth_client_secret")
    }
    given = {name: secret for name, secret in resolved.items() if secret is not None}
    return kafka.model_copy(update=given)


def security(kafka: Kafka, problems: Problems) -> None:
    """Refuse a login that is not whole, and credentials or certificates that the protocol would not use."""
    protocol = kafka.security_protocol
    if protocol.startswith("SASL_"):
        _whole_login(kafka, problems)
    else:
        _unused(kafka, _SASL, "SASL_SSL", problems)
    if not protocol.endswith("SSL"):
        _unused(kafka, _SSL, "SSL or SASL_SSL", problems)
    if kafka.ssl_keyfile is not None and kafka.ssl_certfile is None:
        _refuse(problems, "ssl_certfile", "required with KAFKA_SSL_KEYFILE", because=["ssl_keyfile"])
    if kafka.sasl_oauth_token_url is not None:
        try:
            check_url(kafka.sasl_oauth_token_url, allow_http=False)
        except ValueError as error:
            _refuse(problems, "sasl_oauth_token_url", str(error))


def warnings(sources: Sequence[Source], dedup: Dedup) -> Iterator[str]:
    """What works, but may lose or double hits: a line each, starting with a setting's name."""
    for source in sources:
        together = source.interval + source.timeout
        if together >= source.window:
            yield (
                f"POLL_INTERVAL {text(source.interval)} + POLL_TIMEOUT {text(source.timeout)} = {text(together)}, "
                f"not less than WOLKVOX_WINDOW {text(source.window)} (source {source.server}): one slow poll loses hits"
            )
    if dedup.window < REPORT:
        yield (
            f"DEDUP_WINDOW {text(dedup.window)} is less than the hour that the report may show a hit: "
            "after an outage one can be published twice or dropped; 2h is the default"
        )


def _whole_login(kafka: Kafka, problems: Problems) -> None:
    mechanism = kafka.sasl_mechanism
    protocol = f"KAFKA_SECURITY_PROTOCOL={kafka.security_protocol}"
    if mechanism is None:
        _refuse(problems, "sasl_mechanism", f"required with {protocol}", because=["security_protocol"])
        return
    needed = _OAUTH if mechanism == "OAUTHBEARER" else _PASSWORD
    for name in needed:
        if getattr(kafka, name) is None:
            _refuse(problems, name, f"required with KAFKA_SASL_MECHANISM={mechanism}", because=[f"{name}_file"])
    useless = _PASSWORD if mechanism == "OAUTHBEARER" else (*_OAUTH, "sasl_oauth_scope")
    for name in useless:
        if getattr(kafka, name) is not None:
            _refuse(problems, name, f"has no use with KAFKA_SASL_MECHANISM={mechanism}")


def _unused(kafka: Kafka, names: Sequence[str], protocol: str, problems: Problems) -> None:
    # Silence here would be a connection in clear text that somebody believes is protected.
    for name in names:
        if getattr(kafka, name) is not None:
            why = f"has no use with KAFKA_SECURITY_PROTOCOL={kafka.security_protocol}; that needs {protocol}"
            _refuse(problems, name, why, because=["security_protocol"])


def _refuse(problems: Problems, name: str, why: str, *, because: Sequence[str] = ()) -> None:
    problems.follow(env_name("kafka", name), why, because=[env_name("kafka", one) for one in because])
