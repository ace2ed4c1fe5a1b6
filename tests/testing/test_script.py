from __future__ import annotations

import contextlib
import socket

import pytest

from termsplit import Chat
from termsplit.backends import blocking
from termsplit.testing import NotAsScripted, Script, bytewise, halves, memory_sockets


class Shout(Chat):
    def __init__(self) -> None:
        super().__init__(b"\r\n")
        self.line = b""

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        if self.line == b"QUIT":
            self.push(b"bye\r\n")
            self.close_when_done()
        else:
            self.push(self.line.upper() + b"\r\n")
        self.line = b""


GOOD = (
    Script()
    .send(b"hello\r\nworld\r\n", bytewise)
    .expect(b"HELLO\r\nWOR")
    .expect(b"LD\r\n")
    .send(b"QUIT\r\n", halves)
    .expect(b"bye\r\n")
    .expect_eof()
)


def test_it_plays_in_memory() -> None:
    GOOD.play(Shout())
    GOOD.play(Shout())


def test_it_plays_over_a_real_socket_against_a_server() -> None:
    with blocking.serve(lambda stream: blocking.run(Shout(), stream), "127.0.0.1", 0) as server:
        host, port = server.addresses[0]
        with GOOD.connect(host, port):
            pass


def test_it_serves_a_client_over_a_real_socket() -> None:
    script = Script().expect(b"ping").send(b"pong", bytewise).expect_eof().send(b"bye").send_eof()
    with script.serve() as address, socket.create_connection(address, 10) as client:
        client.sendall(b"ping")
        received = client.makefile("rb").read(4)
        client.shutdown(socket.SHUT_WR)
        rest = client.makefile("rb").read()
    assert (received, rest) == (b"pong", b"bye")


def test_it_plays_on_a_socket_in_memory() -> None:
    here, there = memory_sockets(chunk_size=1)
    here.sendall(b"ping")
    here.shutdown(socket.SHUT_WR)
    Script().expect(b"ping").expect_eof().send(b"pong").send_eof().play_on(there)
    assert [here.recv(9) for _ in range(5)] == [b"p", b"o", b"n", b"g", b""]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            Script().send(b"a\r\n").expect(b"B\r\n"),
            "step 2 of 2, expect b'B\\r\\n':\n\nwant   b'B\\r\\n'\ngot    b'A\\r\\n'",
        ),
        (
            Script().send(b"a").expect(b"A\r\n"),
            "step 2 of 2, expect b'A\\r\\n':\n\nwant   b'A\\r\\n'\ngot    b''  (nothing more came)",
        ),
        (
            Script().send(b"a\r\n").expect(b"A"),
            "behind the last step:\n\nwant   b''\ngot    b'\\r\\n'  (that is too much)",
        ),
        (
            Script().send(b"a\r\n").expect_eof(),
            "step 2 of 2, expect the end:\n\nwant   b''\ngot    b'A\\r\\n'  (it does not close)",
        ),
        (
            Script().send(b"a").expect_eof(),
            "step 2 of 2, expect the end:\n\ngot    b''  (it does not close)",
        ),
    ],
)
def test_what_is_not_as_scripted_is_shown(script: Script, message: str) -> None:
    with pytest.raises(NotAsScripted) as caught:
        script.play(Shout())
    assert str(caught.value) == message


def refused(script: Script, client: bytes, timeout: float = 10) -> str:
    """What the script says of a client that sends this and is gone."""
    with pytest.raises(NotAsScripted) as caught:
        with script.serve(timeout) as address, socket.create_connection(address, 10) as sock:
            sock.sendall(client)
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                sock.recv(1)
    return str(caught.value)


def test_over_a_socket_other_bytes_or_none_are_shown() -> None:
    ping = Script().expect(b"ping")
    assert (
        refused(ping, b"pong") == "step 1 of 1, expect b'ping':\n\nwant   b'ping'\ngot    b'pong'"
    )
    assert refused(ping, b"pi").endswith("got    b'pi'  (then the end)")
    assert refused(Script().expect_eof(), b"x").endswith("want   b''\ngot    b'x'")


def test_a_peer_that_says_nothing_is_not_waited_for_longer_than_told() -> None:
    here, there = memory_sockets()
    there.settimeout(0)
    with pytest.raises(NotAsScripted) as caught:
        Script().expect(b"ping").play_on(there)
    assert str(caught.value).endswith("got    b''  (then TimeoutError('timed out'))")
    here.close()


def test_when_both_sides_fail_both_errors_are_there() -> None:
    with pytest.raises(NotAsScripted) as caught:
        with Script().expect(b"ping").serve() as address:
            with socket.create_connection(address, 10) as sock:
                sock.sendall(b"x")
            raise KeyError("the client's own")
    assert isinstance(caught.value.__context__, KeyError)
