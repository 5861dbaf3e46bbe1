"""Where the status server listens: a socket for each address of STATUS_HOST, of IPv4 and of IPv6."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from producer.errors import SettingsError

Make = Callable[[socket.AddressFamily, int], socket.socket]
_Address = tuple[socket.AddressFamily, tuple[Any, ...]]

_ALL: Final = ("*", "::")
"""`::` is both kinds for most programs, by their kernel's default."""
_BOTH: Final[Sequence[_Address]] = ((socket.AF_INET6, ("::", 0)), (socket.AF_INET, ("0.0.0.0", 0)))  # noqa: S104  (the point)
_LACKING: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_TRIES: Final = 5
"""For a port that is free in both kinds, where any free one will do."""


async def bound(host: str, port: int, *, make: Make = socket.socket) -> list[socket.socket]:
    """A listening socket for each address of `host` that this machine has, all with the same port (0: any free one).

    Raises SettingsError, naming STATUS_HOST or STATUS_PORT.
    """
    tries = 1 if port else _TRIES
    while True:
        tries -= 1
        try:
            return _listening(await _addresses(host.removeprefix("[").removesuffix("]")), port, make)
        except OSError as error:
            if not tries or error.errno != errno.EADDRINUSE:
                raise SettingsError([_advice(host, port, error)]) from error


def address_of(opened: socket.socket) -> str:
    """What a browser is given, `http://127.0.0.1:8080`."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _addresses(host: str) -> Sequence[_Address]:
    if host in _ALL:
        return _BOTH
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _listening(addresses: Sequence[_Address], port: int, make: Make) -> list[socket.socket]:
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


def _advice(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno in _LACKING:
        return f"STATUS_HOST: {host!r} is no address of this machine"
    return f"STATUS_PORT: can't listen on {host}:{port} ({error.strerror}); choose another port, or 0 for any free one"
