from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("trio")
pytest.importorskip("anyio")
pytest.importorskip("trustme")

import trio
from trio import testing

from termsplit import Chat, Connection, ConnectionLost, LocalProtocolError, Parse
from termsplit.backends.trio import ChatStream, connect, connect_unix, run, serve, serve_unix
from tests.backends.harnesses import contexts


def lines() -> Connection:
    return Connection(b"\n", max_size=100)


def line() -> Parse[bytes]:
    return (yield b"\n")


async def echo(stream: ChatStream) -> None:
    async for line in stream:
        await stream.send(line + b"\n")


def test_every_call_is_a_checkpoint() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ours, theirs = testing.memory_stream_pair()
            stream = ChatStream(ours, nursery, lines())
            await theirs.send_all(b"1\n2\n3\n4\n5\n6\n")
            with testing.assert_checkpoints():
                await stream.receive_record(b"\n")
            with testing.assert_checkpoints():
                await stream.receive_record(b"\n")
            with testing.assert_checkpoints():
                await stream.next_event()
            await stream.next_event()
            items: list[Any] = [stream.records(), stream.messages(line)]
            for item in items:
                with testing.assert_checkpoints():
                    assert await anext_(item) in (b"4", b"5")
            with testing.assert_checkpoints():
                await stream.send(b"x")
            with testing.assert_checkpoints():
                await stream.flush()
            with testing.assert_checkpoints():
                await stream.flush()
            await theirs.aclose()
            with testing.assert_checkpoints():
                await stream.aclose()
            with testing.assert_checkpoints():
                await stream.aclose()
            with testing.assert_checkpoints():
                await stream.abort()
            other, _ = testing.memory_stream_pair()
            detached = ChatStream(other, nursery)
            with testing.assert_checkpoints():
                await detached.detach()
            with testing.assert_checkpoints():
                await detached.abort()

    trio.run(main)


async def anext_(items: Any) -> Any:
    return await items.__anext__()


class CountingStream(trio.abc.Stream):
    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.sent: list[bytes] = []

    async def send_all(self, data: Any) -> None:
        self.sent.append(bytes(data))
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> Any:
        return await self.stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.stream.aclose()


@pytest.mark.parametrize("how", ["push", "send"])
def test_answers_to_one_chunk_leave_in_one_call_of_send_all(how: str) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ours, theirs = testing.memory_stream_pair()
            counting = CountingStream(ours)
            stream = ChatStream(counting, nursery, lines())
            await theirs.send_all(b"one\ntwo\nthree\n")
            for _ in range(3):
                line = await stream.receive_record(b"\n") + b"\n"
                if how == "push":
                    stream.push(line)
                else:
                    await stream.send(line)
            await stream.flush()
            assert counting.sent == [b"one\ntwo\nthree\n"]
            await stream.abort()

    trio.run(main)


def test_what_is_pushed_leaves_while_the_task_is_busy_with_something_else() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ours, theirs = testing.memory_stream_pair()
            stream = ChatStream(ours, nursery, lines())
            await theirs.send_all(b"one\ntwo\n")
            stream.push(await stream.receive_record(b"\n"))
            # "two" was received with it, and is not taken yet.
            assert await theirs.receive_some() == b"one"
            await stream.abort()

    trio.run(main)


def test_a_deadline_works_and_nothing_is_lost() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ours, theirs = testing.memory_stream_pair()
            stream = ChatStream(ours, nursery)
            await theirs.send_all(b"hel")
            with trio.move_on_after(1) as scope:
                await stream.receive_record(b"\n")
            assert scope.cancelled_caught
            await theirs.send_all(b"lo\n")
            assert await stream.receive_record(b"\n") == b"hello"
            await stream.abort()

    trio.run(main, clock=testing.MockClock(autojump_threshold=0))


def test_a_nursery_that_is_cancelled_ends_the_stream_for_those_it_does_not_reach() -> None:
    async def main() -> None:
        async with trio.open_nursery() as outer:
            ours, _ = testing.lockstep_stream_pair()
            ready = trio.Event()
            streams: list[ChatStream] = []

            async def host() -> None:
                async with trio.open_nursery() as nursery:
                    streams.append(ChatStream(ours, nursery))
                    ready.set()
                    await trio.sleep_forever()

            scope = trio.CancelScope()

            async def hosted() -> None:
                with scope:
                    await host()

            outer.start_soon(hosted)
            await ready.wait()
            streams[0].push(b"x" * 1000)
            await testing.wait_all_tasks_blocked()
            scope.cancel()
            with pytest.raises(ConnectionLost, match="sending task was ended"):
                await streams[0].flush()
            with pytest.raises(ConnectionLost):
                await streams[0].aclose()

    trio.run(main)


def serving(
    talk: Callable[[Any], Awaitable[None]],
    handler: Callable[[ChatStream], Awaitable[None]] = echo,
    **options: Any,
) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            serve_it = functools.partial(
                serve, handler, "127.0.0.1", 0, new_connection=lines, **options
            )
            (address,) = await nursery.start(serve_it)
            await talk(address)
            nursery.cancel_scope.cancel()

    trio.run(main)


async def ask(address: Any, context: ssl.SSLContext | None = None) -> None:
    async with trio.open_nursery() as nursery:
        host = "127.0.0.1" if context is None else "localhost"
        async with await connect(host, address[1], nursery=nursery, ssl=context) as stream:
            assert stream.peer == address
            assert (stream.ssl_object is None) == (context is None)
            stream.push(b"hello\n")
            assert await stream.receive_record(b"\n") == b"hello"


def test_a_server_reports_its_addresses_and_serves() -> None:
    serving(ask)


def test_a_server_speaks_tls() -> None:
    server, client = contexts()
    serving(functools.partial(ask, context=client), ssl=server)


def test_a_certificate_that_is_not_trusted_is_a_lost_connection() -> None:
    async def talk(address: Any) -> None:
        async with trio.open_nursery() as nursery:
            untrusting = ssl.create_default_context()
            with pytest.raises(ConnectionLost, match="CERTIFICATE_VERIFY_FAILED"):
                await connect("localhost", address[1], nursery=nursery, ssl=untrusting)

    serving(talk, ssl=contexts()[0])


def test_no_peer_ends_a_server() -> None:
    async def talk(address: Any) -> None:
        for sent in (b"x" * 1000 + b"\n", b"half a line"):
            peer = await trio.open_tcp_stream(*address)
            await peer.send_all(sent)
            await peer.send_eof()
            with pytest.raises(trio.BrokenResourceError):
                # It is reset, or ended in good order.
                while await peer.receive_some():
                    pass
                raise trio.BrokenResourceError
            await peer.aclose()
        rude = await trio.open_tcp_stream(*address)
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await rude.aclose()
        await ask(address)

    serving(talk)


def test_a_fault_of_the_handler_ends_the_server() -> None:
    async def fail(stream: ChatStream) -> None:
        raise ZeroDivisionError

    async def talk(address: Any) -> None:
        async with await trio.open_tcp_stream(*address):
            await trio.sleep_forever()

    with pytest.raises(BaseException) as raised:
        serving(talk, fail)
    error: Any = raised.value
    while hasattr(error, "exceptions"):
        (error,) = error.exceptions
    assert isinstance(error, ZeroDivisionError)


def test_a_server_on_a_unix_socket_removes_its_path(tmp_path: Any) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            addresses = await nursery.start(
                functools.partial(serve_unix, echo, path, new_connection=lines)
            )
            assert addresses == [str(path)]
            async with await connect_unix(path, nursery=nursery) as stream:
                stream.push(b"hello\n")
                assert await stream.receive_record(b"\n") == b"hello"
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert not path.exists()


def test_a_chat_needs_a_stream_that_nothing_was_pushed_on() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ours, _ = testing.memory_stream_pair()
            stream = ChatStream(ours, nursery)
            stream.push(b"x")
            with pytest.raises(LocalProtocolError, match="nothing was pushed on"):
                await run(Chat(), stream)
            await stream.abort()

    trio.run(main)
