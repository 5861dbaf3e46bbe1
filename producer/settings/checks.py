"""What settings must not say together, and what they had better not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from producer.duration import text
from producer.model import REPORT_REACH
from producer.settings.fields import Section
from producer.settings.problems import Problems, env_name
from producer.settings.secret import Check, Secret, one_line, stands_in_quotes
from producer.settings.sections import Dedup, Kafka, Privacy, Registry
from producer.settings.sources import SourceSettings, secret_of
from producer.wolkvox.address import check_url

_PASSWORD = ("sasl_username", "sasl_password")
_OAUTH = ("sasl_oauth_token_url", "sasl_oauth_client_id", "sasl_oauth_client_secret")
_SASL = ("sasl_mechanism", *_PASSWORD, *_OAUTH, "sasl_oauth_scope")
_SSL = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")


S = TypeVar("S", bound=Section)


def with_secrets(section: S, name: str, problems: Problems, *, check: Check = one_line) -> S:
    """The section `name` with each secret where it belongs, whichever of its two forms was given."""
    resolved = {
        field: secret_of(
            getattr(section, field),
            getattr(section, f"{field}_file"),
            name=env_name(name, field),
            check=check,
            problems=problems,
        )
        for field in type(section).model_fields
        if f"{field}_file" in type(section).model_fields
    }
    return section.model_copy(update={field: secret for field, secret in resolved.items() if secret is not None})


def privacy_key(privacy: Privacy, problems: Problems) -> None:
    """Refuse `hmac` without a key, and a key that would not be used."""
    fields = ("telephone", "customer_id")
    hashed = [env_name("privacy", name) for name in fields if getattr(privacy, name) == "hmac"]
    if hashed and privacy.key is None:
        why = f"required with {hashed[0]}=hmac: it, or PRIVACY_KEY_FILE"
        problems.follow("PRIVACY_KEY", why, because=["PRIVACY_KEY_FILE"])
    elif privacy.key is not None and not hashed:
        names = [env_name("privacy", name) for name in fields]
        problems.follow("PRIVACY_KEY", f"has no use without {' or '.join(names)}=hmac", because=names)


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
        _safe_address(kafka.sasl_oauth_token_url, problems)


def registry_access(registry: Registry, problems: Problems) -> None:
    """Refuse an address of no use, half a login, and what would not be used."""
    given = [name for name in ("username", "password", "cafile") if getattr(registry, name) is not None]
    if registry.url is None:
        for name in given:
            problems.follow(env_name("registry", name), "has no use without REGISTRY_URL", because=["REGISTRY_URL"])
        return
    try:
        check_url(registry.url, allow_http=True)
    except ValueError as error:
        problems.add("REGISTRY_URL", str(error))
    for name, other in (("username", "password"), ("password", "username")):
        if name not in given and other in given:
            beside = env_name("registry", other)
            because = [beside, f"{env_name('registry', name)}_FILE"]
            problems.follow(env_name("registry", name), f"required with {beside}", because=because)
    if "cafile" in given and registry.url.startswith("http:"):
        problems.add("REGISTRY_CAFILE", "has no use with http; REGISTRY_URL must begin with https")


def warnings(
    sources: Sequence[SourceSettings], dedup: Dedup, privacy: Privacy, kafka: Kafka, registry: Registry
) -> Iterator[str]:
    """What works, but may lose, double or show something: a line each, starting with a setting's name."""
    for source in sources:
        yield from _of_source(source)
    if dedup.window < REPORT_REACH:
        yield (
            f"DEDUP_WINDOW {text(dedup.window)} is less than the hour that the report may show a hit: "
            "after an outage one can be published twice or dropped; 2h is the default"
        )
    if privacy.extra == "keep" and not privacy.keeps_all:
        yield (
            "PRIVACY_EXTRA keep lets through whatever the API sends beyond the six fields, a telephone by another name "
            "too; drop does not"
        )
    if kafka.security_protocol == "SASL_PLAINTEXT" and kafka.sasl_mechanism in {"PLAIN", "OAUTHBEARER"}:
        yield (
            f"KAFKA_SECURITY_PROTOCOL SASL_PLAINTEXT with {kafka.sasl_mechanism} shows the credentials on the way; "
            "SASL_SSL does not"
        )
    if registry.password is not None and _is_readable_on_the_way(registry.url or ""):
        yield "REGISTRY_URL with http shows REGISTRY_PASSWORD on the way; https does not"
    for section, given in (("kafka", kafka), ("registry", registry)):
        for field, secret in given:
            # A password may well be so; what an env file's quotes did is found by nobody else.
            if isinstance(secret, Secret) and stands_in_quotes(secret.read()):
                yield (
                    f"{env_name(section, field)} stands in quotes, and they are sent as part of it: "
                    "if they are none of it, take them off; docker's --env-file keeps them"
                )


def _of_source(source: SourceSettings) -> Iterator[str]:
    together = source.interval + source.timeout
    if together >= source.window:
        room = source.window - source.timeout
        advice = f"an interval below {text(room)}" if room > 0 else f"a timeout well below {text(source.window)}"
        yield (
            f"POLL_INTERVAL {text(source.interval)} + POLL_TIMEOUT {text(source.timeout)} = {text(together)}, "
            f"not less than WOLKVOX_WINDOW {text(source.window)} (source {source.server}): one slow poll loses hits; "
            f"{advice} leaves it room"
        )
    if source.window > REPORT_REACH:
        yield (
            f"WOLKVOX_WINDOW {text(source.window)} is more than the hour that the report has "
            f"(source {source.server}): a loss would not be told; 1h is the most"
        )
    if _is_readable_on_the_way(source.url):
        yield f"WOLKVOX_ALLOW_HTTP lets the token of source {source.server} travel unprotected; https does not"


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


def _safe_address(url: str, problems: Problems) -> None:
    try:
        check_url(url, allow_http=True)
    except ValueError as error:
        _refuse(problems, "sasl_oauth_token_url", str(error))
        return
    if _is_readable_on_the_way(url):
        _refuse(problems, "sasl_oauth_token_url", "plain http would show the client secret on the way: use https")


def _is_readable_on_the_way(url: str) -> bool:
    """Whether an address that is one has plain http to a host that is not near."""
    try:
        check_url(url, allow_http=False)
    except ValueError:
        return True
    return False


def _unused(kafka: Kafka, names: Sequence[str], protocol: str, problems: Problems) -> None:
    # Silence here would be a connection in clear text that somebody believes is protected.
    for name in names:
        if getattr(kafka, name) is not None:
            why = f"has no use with KAFKA_SECURITY_PROTOCOL={kafka.security_protocol}; that needs {protocol}"
            _refuse(problems, name, why, because=["security_protocol"])


def _refuse(problems: Problems, name: str, why: str, *, because: Sequence[str] = ()) -> None:
    problems.follow(env_name("kafka", name), why, because=[env_name("kafka", one) for one in because])
