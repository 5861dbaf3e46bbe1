"""Free TCP ports on loopback, kept free for us."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Mapping


class Ports:
    """A free port for each name.

    On Linux each port stays bound (not listening) as long as this lives. The broker can listen on it all the same,
    since Java sets SO_REUSEADDR too, while the kernel gives it to nobody who asks for any free port: no race at the
    start, nor between a kill and the restart on the same port. Elsewhere a port is merely free at this moment.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sockets = {name: _bound() for name in names}
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


def _bound() -> socket.socket:
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    # Only now: set before, the kernel could choose a port that another reservation of this kind holds.
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return one


def _somebody_listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
