"""Where the status server listens: on real sockets of both kinds, and on machines that lack one of them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from itertools import pairwise

import pytest

from producer.errors import SettingsError
from producer.net.listening import Address
from producer.observe.listening import bound
from producer.observe.metrics import Metrics
from producer.observe.server import StatusServer
from tests.twins.virtual_time import virtual_time
from tests.unit.net.loopback import IPV6, has_ipv6
from tests.unit.observe.statuses import healthy

IPV4 = "127.0.0.1"
with_ipv6 = pytest.mark.skipif(bool(has_ipv6()), reason=has_ipv6() or "-")


def lacking(family: socket.AddressFamily, number: int) -> Callable[[socket.AddressFamily, int], socket.socket]:
    """Sockets as on a machine whose kernel has not got one of the families."""

    def make(asked: socket.AddressFamily, kind: int) -> socket.socket:
        if asked == family:
            raise OSError(number, "no such family here")
        return socket.socket(asked, kind)

    return make


@asynccontextmanager
async def listening(host: str) -> AsyncIterator[tuple[int, str]]:
    """A status server's port and address."""
    server = StatusServer(host=host, port=0, status=healthy, metrics=Metrics())
    url = await server.start()
    try:
        yield int(url.rpartition(":")[2]), url
    finally:
        await server.stop()


async def answers(address: str, port: int, *, host: str = "localhost") -> str:
    """The status line that is heard there, nothing if nobody listens."""
    try:
        reader, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return ""
    with closing(writer):
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read()).decode().partition("\r\n")[0]


@with_ipv6
@pytest.mark.parametrize("host", ["*", "::", "[::]"])
async def test_a_star_is_all_addresses_of_both_kinds_by_any_name(host: str) -> None:
    async with listening(host) as (port, url):
        for address in (IPV4, IPV6):
            assert await answers(address, port, host="status.example.com") == "HTTP/1.1 200 OK"
    assert url == f"http://[::]:{port}"


@with_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]"])
async def test_the_loopback_of_ipv6_is_loopback(host: str) -> None:
    async with listening(host) as (port, url):
        assert await answers(IPV6, port, host=f"[::1]:{port}") == "HTTP/1.1 200 OK"
        assert await answers(IPV6, port, host="evil.example") == "HTTP/1.1 403 Forbidden"
        assert await answers(IPV4, port) == ""
    assert url == f"http://[::1]:{port}"


@with_ipv6
async def test_all_of_ipv4_is_all_of_ipv4() -> None:
    async with listening("0.0.0.0") as (port, _):
        assert (await answers(IPV4, port), await answers(IPV6, port)) == ("HTTP/1.1 200 OK", "")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["no IPv4", "no IPv6"])
@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
async def test_a_star_goes_without_the_kind_that_the_machine_lacks(family: socket.AddressFamily, number: int) -> None:
    if family == socket.AF_INET and has_ipv6():
        pytest.skip(has_ipv6())
    sockets = await bound("*", 0, make=lacking(family, number))
    with closing(sockets[0]):
        assert [one.family for one in sockets] == [{socket.AF_INET, socket.AF_INET6}.difference([family]).pop()]


@pytest.mark.parametrize("host", ["192.0.2.99", "2001:db8::99", "[2001:db8::99]", "x" * 64])
async def test_an_address_of_another_machine_is_a_matter_of_the_host_and_not_of_the_port(host: str) -> None:
    with pytest.raises(SettingsError, match=r"^STATUS_HOST: '.*' is no address of this machine"):
        await bound(host, 0)


@virtual_time
async def test_name_servers_that_are_silent_do_not_keep_the_service_from_starting() -> None:
    async def never(_: str) -> Sequence[Address]:
        await asyncio.get_running_loop().create_future()
        return ()

    with pytest.raises(SettingsError, match=r"^STATUS_HOST: no name server says what 'status\.example' is"):
        await asyncio.wait_for(bound("status.example", 0, resolve=never), 3600)


async def test_a_port_that_is_taken_in_one_of_the_kinds_is_taken() -> None:
    with closing(socket.create_server(("0.0.0.0", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^STATUS_PORT: can't listen on \*:{port} "):
            await bound("*", port)


@with_ipv6
async def test_any_free_port_is_one_that_is_free_in_both_kinds() -> None:
    """What the first kind was given may be taken in the second."""
    taken: list[socket.socket] = []

    def make(family: socket.AddressFamily, kind: int) -> socket.socket:
        if family == socket.AF_INET and not taken:
            (first,) = [one for one in made if one.family == socket.AF_INET6]
            taken.append(socket.create_server(("0.0.0.0", first.getsockname()[1])))
        made.append(socket.socket(family, kind))
        return made[-1]

    made: list[socket.socket] = []
    sockets = await bound("*", 0, make=make)
    assert all(one.getsockname()[1] == other.getsockname()[1] for one, other in pairwise(sockets))
    assert len(sockets) == 2
    for one in (*made, *taken):
        one.close()
