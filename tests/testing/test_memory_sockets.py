from __future__ import annotations

import socket
import threading

import pytest

from termsplit import ConnectionLost
from termsplit.backends import blocking
from termsplit.testing import memory_sockets


def test_bytes_go_both_ways_in_chunks() -> None:
    one, other = memory_sockets(chunk_size=3)
    assert one.send(b"hello") == 3
    one.sendall(b"lo!")
    other.sendall(b"back")
    assert [other.recv(100), other.recv(2), other.recv(100)] == [b"hel", b"lo", b"!"]
    assert [one.recv(100), one.recv(100)] == [b"bac", b"k"]


def test_recv_into_fills_the_beginning() -> None:
    one, other = memory_sockets()
    one.sendall(b"abcd")
    buffer = bytearray(b"......")
    assert other.recv_into(buffer, 3) == 3
    assert other.recv_into(memoryview(buffer)[3:]) == 1
    assert buffer == b"abcd.."


def test_the_end_comes_behind_the_data() -> None:
    one, other = memory_sockets()
    one.sendall(b"last")
    one.shutdown(socket.SHUT_WR)
    assert [other.recv(9), other.recv(9), other.recv(9)] == [b"last", b"", b""]
    other.sendall(b"answer")
    assert one.recv(9) == b"answer"


def test_sending_waits_for_room_and_is_woken_by_it() -> None:
    one, other = memory_sockets(capacity=4)
    thread = threading.Thread(target=one.sendall, args=(b"0123456789",))
    thread.start()
    received = b""
    while len(received) < 10:
        received += other.recv(3)
    thread.join()
    assert received == b"0123456789"


def test_time_outs() -> None:
    one, other = memory_sockets(capacity=2)
    one.settimeout(0)
    assert one.gettimeout() == 0
    with pytest.raises(TimeoutError):
        one.recv(1)
    with pytest.raises(TimeoutError):
        one.sendall(b"abc")
    assert other.recv(9) == b"ab"


def test_a_peer_that_has_closed_takes_nothing() -> None:
    one, other = memory_sockets()
    other.close()
    with pytest.raises(BrokenPipeError):
        one.send(b"x")
    assert one.recv(9) == b""


def test_after_close_every_call_is_refused() -> None:
    with memory_sockets()[0] as one:
        pass
    for call in (lambda: one.recv(1), lambda: one.send(b"x"), lambda: one.shutdown(2)):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()
    one.close()


def test_shutting_down_wakes_who_waits() -> None:
    one, _ = memory_sockets()
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append(one.recv(9)))
    thread.start()
    one.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert received == [b""]


@pytest.mark.parametrize("sizes", [{"chunk_size": 0}, {"capacity": 0}])
def test_sizes_below_one_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        memory_sockets(**sizes)


def test_the_blocking_backend_runs_on_them() -> None:
    one, other = memory_sockets(chunk_size=1)
    with blocking.ChatStream(one) as here, blocking.ChatStream(other) as there:  # type: ignore[arg-type]
        here.send(b"hello\r\n")
        assert there.receive_record(b"\r\n") == b"hello"
        there.abort()
        with pytest.raises(ConnectionLost):
            here.send(b"more")
        here.abort()
