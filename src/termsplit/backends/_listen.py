"""The sockets that servers listen on, where the loop has no way of its own to make them."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator


def tcp_listener(host: str | None, port: int) -> socket.socket:
    """A socket that listens on ``host``, an address or None for all."""
    family = socket.AF_INET6 if host is not None and ":" in host else socket.AF_INET
    return socket.create_server((host or "", port), family=family)


@contextlib.contextmanager
def unix_listener(path: str | os.PathLike[str]) -> Generator[socket.socket]:
    """A socket that listens on ``path``, which is removed at the end."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        with removed_at_end(path):
            listener.listen()
            yield listener


@contextlib.contextmanager
def removed_at_end(path: str | os.PathLike[str]) -> Generator[None]:
    """Remove the Unix socket's ``path`` at the end, if it is still there."""
    try:
        yield
    finally:
        # asyncio removes it too, from Python 3.13 on.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
