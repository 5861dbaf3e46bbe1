"""TCP ports on loopback, kept free for us."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType

ANY: Mapping[str, int] = MappingProxyType({})
LASTING = range(20_000, 32_768)
"""Below those that Linux and macOS give to whoever asks for any: what is kept for later is not taken by chance."""


class Ports:
    """A free port for each name, or the one of `numbers`; raises OSError if somebody listens on that.

    On Linux each port stays bound (not listening) as long as this lives. The broker can listen on it all the same,
    since Java sets SO_REUSEADDR too, while the kernel gives it to nobody who asks for any free port: no race at the
    start, nor between a kill and the restart on the same port. Elsewhere a port is merely free at this moment.
    """

    def __init__(self, names: Iterable[str], numbers: Mapping[str, int] = ANY) -> None:
        self._sockets: dict[str, socket.socket] = {}
        try:
            for name in names:
                self._sockets[name] = _bound(numbers.get(name, 0))
        except OSError:
            self.close()
            raise
        self.numbers: Mapping[str, int] = {name: one.getsockname()[1] for name, one in self._sockets.items()}
        if sys.platform != "linux":
            self.close()

    def taken(self) -> bool:
        """Whether somebody listens on one of them."""
        return any(_somebody_listens(number) for number in self.numbers.values())

    def close(self) -> None:
        """Lets go of them all."""
        for one in self._sockets.values():
            one.close()


def lasting(names: Iterable[str]) -> dict[str, int]:
    """A number for each name that nobody listens on now, and hardly anybody will later."""
    found: dict[str, int] = {}
    for name in names:
        while (number := secrets.choice(LASTING)) in found.values() or _somebody_listens(number):
            pass
        found[name] = number
    return found


def _bound(number: int) -> socket.socket:
    one = socket.socket()
    try:
        if number:
            # Else what is left of the connections of a broker that ended a moment ago would be in the way.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", number))
        # Only now: set before, the kernel could choose a port that another reservation of this kind holds.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        one.close()
        raise
    return one


def _somebody_listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
