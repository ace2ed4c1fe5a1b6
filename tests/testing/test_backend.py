"""The suite for adapters fails where it should, and says which promise was broken."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from typing import Any

import pytest

from termsplit import Chat, Connection
from termsplit.backends import blocking
from termsplit.testing import (
    BackendFailed,
    BackendHarness,
    backend_scenarios,
    check_backend,
)


class Harness(BackendHarness):
    transports: tuple[str, ...] = ("tcp",)
    lacks = frozenset({"tasks", "interrupt"})
    stream_class: type[blocking.ChatStream] = blocking.ChatStream

    async def connect(
        self,
        address: tuple[str, int] | str,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        assert isinstance(address, tuple)
        return self.stream_class(socket.create_connection(address), connection)

    async def chat(self, chat: Chat, stream: Any) -> None:
        blocking.run(chat, stream)


def test_a_sound_adapter_passes() -> None:
    check_backend(Harness(), *backend_scenarios(Harness())[:5])


class Forgetful(blocking.ChatStream):
    """It loses the end of a record."""

    def receive_record(self, terminator: Any) -> bytes:
        return super().receive_record(terminator)[:4]


class Hasty(blocking.ChatStream):
    """It sends what is pushed at once."""

    def push(self, data: Any) -> None:
        super().push(data)
        self.flush()


class Curt(blocking.ChatStream):
    """It closes without sending."""

    def close(self) -> None:
        self.abort()


class Silent(blocking.ChatStream):
    """It has another exception for a lost peer."""

    def _fill(self) -> None:
        try:
            super()._fill()
        except Exception as error:
            raise OSError("gone") from error


class Hoarder(blocking.ChatStream):
    """It keeps its socket."""

    def __init__(self, transport: Any, connection: Connection) -> None:
        super().__init__(transport, connection)
        self.kept = transport.dup()


@pytest.mark.parametrize(
    ("stream_class", "broken", "how"),
    [
        (Forgetful, "the terminator changes in the middle", "expected b'hello', got b'hell'"),
        (Hasty, "answers to one chunk leave in one send", r"expected \(1, 'sends'\), got \(64"),
        (Curt, "closing delivers all of it first", "expected all, got 0 bytes"),
        (Silent, "a reset while receiving is a lost connection", "gone"),
        (Hoarder, "closing twice is harmless", r"expected nothing to be left, got .*sockets \{"),
    ],
)
def test_a_broken_adapter_fails_by_name(
    stream_class: type[blocking.ChatStream], broken: str, how: str
) -> None:
    harness = Harness()
    harness.stream_class = stream_class
    opened: list[Any] = []
    if stream_class is Hoarder:

        class Noted(Hoarder):
            def __init__(self, transport: Any, connection: Connection) -> None:
                super().__init__(transport, connection)
                opened.append(self.kept)

        harness.stream_class = Noted
    with pytest.raises(BackendFailed, match=f"^{broken}, over tcp: .*{how}"):
        check_backend(harness, f"{broken}, over tcp")
    for kept in opened:
        kept.close()


def test_what_an_adapter_lacks_is_left_out() -> None:
    class Less(Harness):
        lacks = frozenset({"faces", "tasks", "interrupt", "reset", "half-close"})

    assert set(backend_scenarios(Less())) < set(backend_scenarios(Harness()))
    assert not [name for name in backend_scenarios(Less()) if "reset" in name]


def test_tls_is_left_out_without_settings_for_it() -> None:
    class All(Harness):
        transports = ("tcp", "unix", "tls")

    assert {name.rpartition(" ")[2] for name in backend_scenarios(All())} == {"tcp", "unix"}


def test_a_name_that_no_scenario_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected one of backend_scenarios"):
        check_backend(Harness(), "closing twice")


def test_a_harness_says_what_it_does_not_implement() -> None:
    class Boasts(Harness):
        lacks = frozenset({"tasks"})

    name = "a chat that is interrupted is told once, over tcp"
    with pytest.raises(BackendFailed, match="expected a harness that interrupts"):
        check_backend(Boasts(), name)


def test_the_suite_needs_no_pytest_and_no_loop() -> None:
    code = (
        "import sys, termsplit.testing\n"
        "termsplit.testing.check_backend\n"
        "print(*sorted({'hypothesis', 'pytest', 'asyncio', 'trio', 'anyio'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
