"""Whatever is wrong with a login, a certificate or a protocol ends `run` in one line that names what to mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from producer.demo.simulator import Simulator
from tests.integration.security.certificates import Authority, locked_key
from tests.integration.security.conftest import Secured
from tests.integration.security.ending import WRONG, ends, no_secret
from tests.integration.security.environments import api, mutual_tls, oauth, plain, scram
from tests.integration.security.instance import running
from tests.integration.security.token_server import TokenServer

pytestmark = pytest.mark.kafka
Environment = Callable[[Secured], Mapping[str, str]]


def _listener(secured: Secured, name: str, protocol: str) -> dict[str, str]:
    tls = {"KAFKA_SSL_CAFILE": str(secured.authority.file)} if protocol.endswith("SSL") else {}
    address = secured.kafka.address(name)
    return {"KAFKA_BOOTSTRAP_SERVERS": address, "KAFKA_SECURITY_PROTOCOL": protocol, **tls}


def _without(environment: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(prefixes)}


def _foreign(secured: Secured) -> Authority:
    return Authority(secured.folder, "foreign")


REFUSED: dict[str, tuple[Environment, str]] = {
    "a wrong SCRAM password": (
        lambda it: scram(it, "scram") | {"KAFKA_SASL_PASSWORD": WRONG},
        "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    ),
    "a wrong PLAIN password": (
        lambda it: plain(it, "user-1") | {"KAFKA_SASL_PASSWORD": WRONG},
        "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    ),
    "an unknown user": (lambda it: scram(it, "nobody"), "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
    "a mechanism that the listener lacks": (
        lambda it: scram(it, "scram") | {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"},
        "KAFKA_SASL_MECHANISM",
    ),
    "an expired certificate": (lambda it: _listener(it, "EXPIRED", "SSL"), "has expired"),
    "a certificate for another host": (
        lambda it: _listener(it, "STRANGER", "SSL"),
        "for another host than 127.0.0.1: use a name that it has, in KAFKA_BOOTSTRAP_SERVERS",
    ),
    "an authority that we don't trust": (
        lambda it: scram(it, "scram") | {"KAFKA_SSL_CAFILE": str(_foreign(it).file)},
        "name its authority in KAFKA_SSL_CAFILE",
    ),
    "no certificate of ours": (
        lambda it: _listener(it, "MUTUAL", "SSL"),
        "set KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE",
    ),
    "an expired certificate of ours": (
        lambda it: mutual_tls(it, it.authority.client("late", expired=True)),
        "refuses the certificate in KAFKA_SSL_CERTFILE",
    ),
    "a certificate of ours that the broker does not trust": (
        lambda it: mutual_tls(it, _foreign(it).client("mallory")),
        "refuses the certificate in KAFKA_SSL_CERTFILE",
    ),
    "a key with a passphrase": (
        lambda it: (
            mutual_tls(it, it.authority.client("shy"))
            | {"KAFKA_SSL_KEYFILE": str(locked_key(it.authority.client("shy")))}
        ),
        "KAFKA_SSL_KEYFILE: the key is locked with a passphrase",
    ),
    "a key of another certificate": (
        lambda it: (
            mutual_tls(it, it.authority.client("one")) | {"KAFKA_SSL_KEYFILE": str(it.authority.client("another").key)}
        ),
        "KAFKA_SSL_CERTFILE, KAFKA_SSL_KEYFILE",
    ),
    "plain text to a TLS port": (
        lambda it: _listener(it, "MUTUAL", "PLAINTEXT"),
        "speaks TLS: set KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL (KAFKA_SECURITY_PROTOCOL is PLAINTEXT)",
    ),
    "a login in plain text to a TLS port": (
        lambda it: _without(scram(it, "scram"), "KAFKA_SSL") | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        "speaks TLS: set KAFKA_SECURITY_PROTOCOL=SASL_SSL (",
    ),
    "TLS to a port in plain text": (
        lambda it: _listener(it, "CLEAR", "SSL"),
        "speaks no TLS: set KAFKA_SECURITY_PROTOCOL=PLAINTEXT",
    ),
    "a login with TLS to a port in plain text": (
        lambda it: scram(it, "scram") | {"KAFKA_BOOTSTRAP_SERVERS": it.kafka.address("CLEAR")},
        "speaks no TLS: set KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT",
    ),
    "no login where one is wanted": (
        lambda it: _listener(it, "CLEAR", "PLAINTEXT"),
        "wants a login: set KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT",
    ),
    "no login where one is wanted over TLS": (
        lambda it: _listener(it, "LOGIN", "SSL"),
        "wants a login: set KAFKA_SECURITY_PROTOCOL=SASL_SSL",
    ),
    "a login where there is none": (
        lambda it: scram(it, "scram") | {"KAFKA_BOOTSTRAP_SERVERS": it.kafka.address("BARE")},
        "set KAFKA_SECURITY_PROTOCOL without SASL_",
    ),
}


@pytest.mark.leaves_tasks  # a refused aiokafka connection closes itself a moment later
@pytest.mark.parametrize("case", REFUSED)
async def test_the_service_ends_at_once_and_names_what_to_mend(
    secured: Secured, simulator: Simulator, case: str
) -> None:
    environment, words = REFUSED[case]
    text = await ends(simulator, environment(secured))
    assert words in text


async def test_a_token_server_that_refuses_is_told_as_such(secured: Secured, simulator: Simulator) -> None:
    async with TokenServer() as tokens:
        environment = oauth(secured, tokens.url, client="robot") | {"KAFKA_SASL_OAUTH_CLIENT_SECRET": WRONG}
        text = await ends(simulator, environment)
    assert "KAFKA_SASL_OAUTH_CLIENT_ID or KAFKA_SASL_OAUTH_CLIENT_SECRET is wrong" in text


async def test_a_token_that_the_broker_refuses_is_told_as_such(secured: Secured, simulator: Simulator) -> None:
    async with TokenServer(lifetime=-60) as tokens:
        text = await ends(simulator, oauth(secured, tokens.url, client="robot"))
    assert "KAFKA_SASL_OAUTH" in text


@pytest.mark.parametrize("case", ["a wrong SCRAM password", "an expired certificate"])
async def test_the_process_ends_with_1_and_one_line(secured: Secured, simulator: Simulator, case: str) -> None:
    environment, words = REFUSED[case]
    async with running({**api(simulator), **environment(secured)}) as instance:
        ended = await instance.end()
    assert ended.code == 1
    assert ended.words.startswith("wolkvox-hits: ")
    assert words in ended.words
    assert len(ended.words.splitlines()) == 1
    no_secret(ended.text)


async def test_a_cluster_that_is_not_there_is_waited_for(secured: Secured, simulator: Simulator) -> None:
    environment = scram(secured, "scram") | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    async with running({**api(simulator), **environment}) as instance:
        first = await instance.says("kafka_unavailable")
        await instance.says("kafka_unavailable", after=first + 1)
        assert "127.0.0.1:1: nothing listens there" in instance.lines[first]["error"]
