"""A thousand connections at a time on asyncore's poll loop, every one with its commands in order."""

from __future__ import annotations

import socket
from typing import Any

import pytest

asyncore = pytest.importorskip("asyncore")
resource = pytest.importorskip("resource")

from termsplit import asynchat  # noqa: E402 - only with asyncore

CONNECTIONS = 1_000
COMMANDS = 20


class Session(asynchat.async_chat):
    """Answers each command with its text and its number in the session."""

    def __init__(self, sock: socket.socket, channels: dict[int, Any]) -> None:
        super().__init__(sock, channels)
        self.set_terminator(b"\r\n")
        self.commands = 0

    def collect_incoming_data(self, data: bytes) -> None:
        self._collect_incoming_data(data)

    def found_terminator(self) -> None:
        command = self._get_data()
        self.push(b"%s is %d\r\n" % (command, self.commands))
        self.commands += 1
        if command == b"quit":
            self.close_when_done()


class Server(asyncore.dispatcher):  # type: ignore[name-defined,misc]
    def __init__(self, channels: dict[int, Any]) -> None:
        super().__init__(map=channels)
        self.create_socket()
        self.bind(("127.0.0.1", 0))
        self.listen(CONNECTIONS)
        self.sessions: list[Session] = []

    def handle_accepted(self, sock: socket.socket, addr: Any) -> None:
        self.sessions.append(Session(sock, self._map))


class Client(asynchat.async_chat):
    """Pipelines all its commands at once, and keeps the answers."""

    def __init__(self, address: Any, channels: dict[int, Any]) -> None:
        super().__init__(map=channels)
        self.create_socket()
        self.connect(address)
        self.set_terminator(b"\r\n")
        self.answers: list[bytes] = []

    def handle_connect(self) -> None:
        pass

    def collect_incoming_data(self, data: bytes) -> None:
        self._collect_incoming_data(data)

    def found_terminator(self) -> None:
        self.answers.append(self._get_data())


@pytest.fixture(autouse=True)
def enough_files() -> Any:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * CONNECTIONS + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"only {hard} files may be open, not {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("corked", [False, True])
def test_a_thousand_connections_lose_and_reorder_nothing(
    monkeypatch: pytest.MonkeyPatch, corked: bool
) -> None:
    monkeypatch.setattr(Session, "ac_corked", corked)
    channels: dict[int, Any] = {}

    def loop_until(done: Any) -> None:
        for _ in range(10_000):
            if done():
                return
            asyncore.loop(timeout=1, use_poll=True, map=channels, count=1)
        pytest.fail("it goes on for ever")

    server = Server(channels)
    clients = [Client(server.socket.getsockname(), channels) for _ in range(CONNECTIONS)]
    loop_until(lambda: len(server.sessions) == CONNECTIONS)
    assert all(session.connected for session in server.sessions)

    for number, client in enumerate(clients):
        for command in range(COMMANDS - 1):
            client.push(b"client %d, command %d\r\n" % (number, command))
        client.push(b"quit\r\n")
    server.close()
    loop_until(lambda: not channels)

    for number, client in enumerate(clients):
        assert client.answers == [
            *(b"client %d, command %d is %d" % (number, n, n) for n in range(COMMANDS - 1)),
            b"quit is %d" % (COMMANDS - 1),
        ]
