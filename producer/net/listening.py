"""Where a server of ours listens: a socket for each address of a host, of IPv4 and of IPv6."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

Make = Callable[[socket.AddressFamily, int], socket.socket]
Address = tuple[socket.AddressFamily, tuple[Any, ...]]
Resolve = Callable[[str], Awaitable[Sequence[Address]]]

_ALL: Final = ("*", "::")
"""`::` is both kinds for most programs, by their kernel's default."""
_BOTH: Final[Sequence[Address]] = ((socket.AF_INET6, ("::", 0)), (socket.AF_INET, ("0.0.0.0", 0)))  # noqa: S104  (the point)
_LACKING: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
PATIENCE: Final = 5.0
"""Seconds for the name servers: they have minutes by their own bounds, and a service that starts has none."""
_TRIES: Final = 5
"""For a port that is free in both kinds, where any free one will do."""


async def addresses(host: str) -> Sequence[Address]:
    """Those that the machine and its name servers know; raises socket.gaierror."""
    if host in _ALL:
        return _BOTH
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


async def listening(
    host: str, port: int, *, make: Make = socket.socket, resolve: Resolve = addresses
) -> list[socket.socket]:
    """A listening socket for each address of `host` that this machine has, all with the same port (0: any free one).

    Raises OSError; `is_no_address` says whether the host is at fault.
    """
    found = await _resolved(host.removeprefix("[").removesuffix("]"), resolve)
    tries = 1 if port else _TRIES
    while True:
        tries -= 1
        try:
            return _listening(found, port, make)
        except OSError as error:
            if not tries or error.errno != errno.EADDRINUSE:
                raise


def is_no_address(error: OSError) -> bool:
    """Whether the host is none of this machine, and not the port taken."""
    return isinstance(error, socket.gaierror) or error.errno in _LACKING


def address_of(opened: socket.socket) -> str:
    """What a browser is given, `http://127.0.0.1:8080`."""
    return url(*opened.getsockname()[:2])


def url(host: str, port: int) -> str:
    """The same of a host that is no wildcard."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _resolved(host: str, resolve: Resolve) -> Sequence[Address]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await resolve(host)
    except UnicodeError:  # by the rules for names that are not ASCII it is none
        raise socket.gaierror(socket.EAI_NONAME, "no name of a machine") from None
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no name server answers within {PATIENCE:.0f} s") from None


def _listening(addresses: Sequence[Address], port: int, make: Make) -> list[socket.socket]:
    opened: list[socket.socket] = []
    lacking: OSError | None = None
    try:
        for family, (host, _, *scope) in addresses:
            try:
                opened.append(_listen(make(family, socket.SOCK_STREAM), (host, port, *scope)))
            except OSError as error:
                # A machine without IPv6, or without IPv4, is reached by what it has.
                if error.errno not in _LACKING:
                    raise
                lacking = error
            port = opened[0].getsockname()[1] if opened else port
    except OSError:
        for one in opened:
            one.close()
        raise
    if lacking is not None and not opened:
        raise lacking
    return opened


def _listen(opened: socket.socket, address: tuple[Any, ...]) -> socket.socket:
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(128)
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened
