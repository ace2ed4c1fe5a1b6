"""What the scenarios are written with."""

from __future__ import annotations

import concurrent.futures
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from termsplit import Chat, EOFReceived, RecordSkipped

if TYPE_CHECKING:
    import socket
    from types import ModuleType

    from termsplit import Terminator
    from termsplit.testing._backend import Scenario

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

_needs: dict[Scenario, frozenset[str]] = {}


def needs(*features: str) -> Callable[[Scenario], Scenario]:
    """Declare a scenario, for adapters that lack none of ``features``."""

    def declare(scenario: Scenario) -> Scenario:
        _needs[scenario] = frozenset(features)
        return scenario

    return declare


def scenarios_of(*modules: ModuleType) -> dict[Scenario, frozenset[str]]:
    """The scenarios of some modules, in order, and what each needs."""
    names = [module.__name__ for module in modules]
    return {
        scenario: _needs[scenario]
        for name in names
        for scenario in _needs
        if scenario.__module__ == name
    }


def expect(got: T, expected: T | object) -> None:
    if got != expected:
        raise AssertionError(f"expected {_shown(expected)}, got {_shown(got)}")


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 400 else f"{shown[:400]}... ({len(shown)} characters)"


async def raises(kind: type[E], call: Coroutine[Any, Any, object]) -> E:
    try:
        result = await call
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got the result {_shown(result)}")


async def listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


class Lazy:
    """A producer of 1 GiB, made as it is asked for."""

    size = 1024 * 1024 * 1024
    chunk = bytes(range(256)) * 64

    def __init__(self) -> None:
        self.asked = 0
        self.closed = False

    def more(self) -> bytes:
        if self.asked == self.size:
            return b""
        self.asked += len(self.chunk)
        return self.chunk

    def close(self) -> None:
        self.closed = True


class Recorder(Chat):
    """A chat that keeps what it is told."""

    def __init__(self, terminator: Terminator = b"\n") -> None:
        super().__init__(terminator)
        self.told: list[object] = []
        self.record = b""

    def collect_incoming_data(self, data: bytes) -> None:
        self.record += data

    def found_terminator(self) -> None:
        self.told.append(self.record)
        self.record = b""

    def record_skipped(self, size: int) -> None:
        self.told.append(RecordSkipped(size))
        self.record = b""

    def eof_received(self, clean: bool) -> None:
        self.told.append(EOFReceived(clean))
        super().eof_received(clean)

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(error)


class Echo(Recorder):
    """It answers each record with the same."""

    def found_terminator(self) -> None:
        record = self.record
        super().found_terminator()
        self.push(record + b"\n")


def flood(sock: socket.socket) -> None:
    try:
        while True:
            sock.sendall((b"x" * 1023 + b"\n") * 64)
    except OSError:
        # We have left it.
        pass


def read_to_whatever_end(sock: socket.socket) -> None:
    try:
        while sock.recv(1024 * 1024):
            pass
    except TimeoutError:
        raise
    except OSError:
        # A reset is an end too.
        pass


def done() -> concurrent.futures.Future[None]:
    done = concurrent.futures.Future[None]()
    done.set_result(None)
    return done
