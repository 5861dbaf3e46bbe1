"""Certificates that do not say who signed them: Python 3.13 refuses them by default, Kafka's other clients do not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from producer.errors import Unavailable
from producer.kafka.access.client_credentials import ClientCredentials
from producer.kafka.connection import Connection
from producer.net.trust import lenient
from producer.settings import Kafka
from tests.integration.security.certificates import Authority


def python_313(cafile: Path) -> ssl.SSLContext:
    """A context as Python 3.13 makes it."""
    context = ssl.create_default_context(cafile=cafile)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


async def test_what_python_313_refuses_is_believed(tmp_path: Path) -> None:
    """The same certificate, with its default and with ours."""
    async with served(tmp_path) as (port, cafile):
        with pytest.raises(ssl.SSLCertVerificationError, match="Missing Authority Key Identifier"):
            await greet(port, python_313(cafile))
        await greet(port, lenient(python_313(cafile)))


async def test_a_broker_may_have_such_a_certificate(tmp_path: Path) -> None:
    async with served(tmp_path) as (port, cafile):
        settings = Kafka(security_protocol="SSL", ssl_cafile=cafile)
        await greet(port, Connection(settings, client_id="test").options()["ssl_context"])


async def test_the_token_server_may_have_one_too(tmp_path: Path) -> None:
    """It answers nothing that makes sense, but it is heard."""
    async with served(tmp_path) as (port, cafile):
        url = f"https://127.0.0.1:{port}/token"
        credentials = ClientCredentials(url=url, client_id="a", secret=lambda: "b", scope=None, cafile=cafile)
        with pytest.raises(Unavailable, match="no answer"):
            await credentials.fetch()


async def test_whoever_an_authority_of_ours_did_not_sign_is_refused_all_the_same(tmp_path: Path) -> None:
    async with served(tmp_path) as (port, _):
        foreign = Authority(tmp_path, "foreign")
        with pytest.raises(ssl.SSLCertVerificationError):
            await greet(port, lenient(python_313(foreign.file)))


async def greet(port: int, context: ssl.SSLContext) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.transport.abort()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[int, Path]]:
    """A server with such a certificate, that hangs up on everybody: its port, and the file of who signed it."""
    authority = Authority(folder, "ca")
    leaf = authority.anonymous("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(leaf.chain, leaf.key)
    server = await asyncio.start_server(lambda _, writer: writer.transport.abort(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], authority.file
