"""Where the status server listens: STATUS_HOST and STATUS_PORT."""

from __future__ import annotations

import socket

from producer.errors import SettingsError
from producer.net.listening import Make, Resolve, addresses, is_no_address, listening


async def bound(
    host: str, port: int, *, make: Make = socket.socket, resolve: Resolve = addresses
) -> list[socket.socket]:
    """The listening sockets (port 0: any free one); raises SettingsError, naming STATUS_HOST or STATUS_PORT."""
    try:
        return await listening(host, port, make=make, resolve=resolve)
    except OSError as error:
        raise SettingsError([_advice(host, port, error)]) from error


def _advice(host: str, port: int, error: OSError) -> str:
    if error.errno == socket.EAI_AGAIN:
        return f"STATUS_HOST: no name server says what {host!r} is; write an address"
    if is_no_address(error):
        return f"STATUS_HOST: {host!r} is no address of this machine"
    return f"STATUS_PORT: can't listen on {host}:{port} ({error.strerror}); choose another port, or 0 for any free one"
