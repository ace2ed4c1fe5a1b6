"""Who begins TLS on a Unix socket has to say whose certificate it expects."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

context = ssl.create_default_context()


def with_asyncio(path: Path) -> None:
    from termsplit.backends.asyncio import connect_unix

    asyncio.run(connect_unix(path, ssl=context))


def with_trio(path: Path) -> None:
    trio = pytest.importorskip("trio")
    from termsplit.backends.trio import connect_unix

    raised: list[ValueError] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            try:
                await connect_unix(path, nursery=nursery, ssl=context)
            except ValueError as error:
                raised.append(error)

    trio.run(main)
    raise raised[0]


def with_anyio(path: Path) -> None:
    anyio = pytest.importorskip("anyio")
    from termsplit.backends.anyio import connect_unix

    raised: list[ValueError] = []

    async def main() -> None:
        async with anyio.create_task_group() as group:
            try:
                await connect_unix(path, task_group=group, ssl=context)
            except ValueError as error:
                raised.append(error)

    anyio.run(main)
    raise raised[0]


def with_blocking(path: Path) -> None:
    from termsplit.backends.blocking import connect_unix

    connect_unix(path, ssl=context)


def with_asyncore(path: Path) -> None:
    pytest.importorskip("termsplit.backends.asyncore", exc_type=ImportError)
    from termsplit.backends.asyncore import connect_unix

    connect_unix(path, map={}, ssl=context)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        yield listener


@pytest.mark.parametrize(
    "connecting", [with_asyncio, with_trio, with_anyio, with_blocking, with_asyncore]
)
def test_tls_without_a_name_is_refused_before_anything_is_said(
    connecting: Callable[[Path], None], listener: socket.socket
) -> None:
    with pytest.raises(ValueError, match=r"^expected server_hostname"):
        connecting(Path(listener.getsockname()))
    listener.setblocking(False)
    try:
        accepted, _ = listener.accept()
    except BlockingIOError:
        # Not even connected to.
        return
    with accepted:
        assert accepted.recv(1) == b""
