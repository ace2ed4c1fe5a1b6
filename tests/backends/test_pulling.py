from __future__ import annotations

import socket

import pytest

pytest.importorskip("trio")

import trio
import trio.testing

from termsplit.backends.trio import ChatStream


def test_what_is_discarded_while_a_part_of_it_is_being_sent_is_not_missed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname(), timeout=60)
        ours, _ = listener.accept()

    def receive_to_end() -> bytes:
        received = b""
        while data := peer.recv(65536):
            received = (received + data)[-65536:]
        peer.close()
        return received

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            stream = ChatStream(trio.SocketStream(trio.socket.from_stdlib_socket(ours)), nursery)
            stream.push(b"x" * 100_000_000)
            await trio.testing.wait_all_tasks_blocked()
            stream.connection.discard_buffers()
            stream.push(b"after")
            nursery.start_soon(stream.aclose)
            received = await trio.to_thread.run_sync(receive_to_end)
            assert received.endswith(b"xafter")

    trio.run(main)
