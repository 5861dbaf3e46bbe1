"""WOLKVOX_SSL_CAFILE: whose certificates are believed on the way to the API, beside the system's and the bundle's."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from producer.errors import PollFailed, Refused, Retry, SettingsError
from producer.wolkvox.http_client import authorities
from tests.integration.security.certificates import Authority, Leaf
from tests.unit.wolkvox.calls import ROW, calling, check_tells_nothing, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http


def of(leaf: Leaf) -> ssl.SSLContext:
    """A server's side with this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(leaf.chain, leaf.key)
    return context


async def test_an_authority_that_nobody_knows_is_named_with_the_setting_that_makes_it_known(tmp_path: Path) -> None:
    async with answering(http(envelope()), tls=of(Authority(tmp_path, "own").server("a"))) as server:
        error = await failing(server.url)
    assert type(error) is Retry
    assert "its certificate is not trusted" in str(error)
    assert "WOLKVOX_SSL_CAFILE can name its authority" in str(error)


@pytest.mark.parametrize("is_anonymous", [False, True])
async def test_a_further_authority_is_believed(tmp_path: Path, *, is_anonymous: bool) -> None:
    own = Authority(tmp_path, "own")
    leaf = own.anonymous("a") if is_anonymous else own.server("a")
    async with answering(http(envelope()), tls=of(leaf)) as server:
        assert (await fetched(server.url, cafile=own.file)).rows == [ROW]


def test_the_bundle_and_the_system_are_believed_beside_it(tmp_path: Path) -> None:
    own = Authority(tmp_path, "own").file
    known = {cert["serialNumber"] for cert in authorities(own, 1).get_ca_certs()}
    of_the_file = {cert["serialNumber"] for cert in ssl.create_default_context(cafile=own).get_ca_certs()}
    of_the_bundle = {cert["serialNumber"] for cert in httpx.create_ssl_context().get_ca_certs()}
    of_the_system = {cert["serialNumber"] for cert in ssl.create_default_context().get_ca_certs()}
    assert len(of_the_bundle) > 100
    assert known == of_the_file | of_the_bundle | of_the_system


async def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    known = tmp_path / "known.pem"
    known.write_bytes(first.file.read_bytes())
    async with (
        answering(http(envelope()), tls=of(second.server("a"))) as server,
        calling(server.url, cafile=known) as api,
    ):
        with pytest.raises(Retry, match="not trusted"):
            await api.fetch()
        known.write_bytes(first.file.read_bytes() + second.file.read_bytes())
        assert (await api.fetch()).rows == [ROW]
        assert (await api.fetch()).rows == [ROW]
        assert server.connections == 1, "the file did not change in between"
        known.write_bytes(first.file.read_bytes())
        with pytest.raises(Retry, match="not trusted"):
            await api.fetch()


@pytest.mark.parametrize("broken", [b"", b"no certificate", None])
async def test_a_file_that_becomes_of_no_use_fails_the_poll_by_its_name_until_it_is_mended(
    tmp_path: Path, broken: bytes | None
) -> None:
    own = Authority(tmp_path, "own")
    known = tmp_path / "known.pem"
    known.write_bytes(own.file.read_bytes())
    async with answering(http(envelope()), tls=of(own.server("a"))) as server, calling(server.url, cafile=known) as api:
        assert (await api.fetch()).rows == [ROW]
        known.unlink()
        if broken is not None:
            known.write_bytes(broken)
        for _ in range(2):
            with pytest.raises(PollFailed) as caught:
                await api.fetch()
            assert type(caught.value) is Refused
            assert str(caught.value).startswith(f"WOLKVOX_SSL_CAFILE: {known}: ")
            check_tells_nothing(caught.value)
        known.write_bytes(own.file.read_bytes())
        assert (await api.fetch()).rows == [ROW]


async def test_a_file_of_no_use_is_a_settings_error_at_the_start(tmp_path: Path) -> None:
    known = tmp_path / "known.pem"
    known.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"^WOLKVOX_SSL_CAFILE: .*known\.pem: no certificate"):
        async with calling("https://wv0042.wolkvox.com", cafile=known):
            pass
