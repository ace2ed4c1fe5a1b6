"""The other end of the loopback: a process of its own, which is told on its standard input what to do.

It says first on which port it listens. Each order is for the next connection: ``pour LINES``, send that many
lines and close; ``ask LINES DEPTH``, send ``DEPTH`` of them at a time and wait for their echo; or ``drain``,
read to the end. It answers with a line: how many lines it sent, or got back as they should be, or how many
bytes it read; and the seconds from before the first byte until the connection was closed.
"""

from __future__ import annotations

import socket
import sys
import time

LINE = b"the quick brown fox." + b"\r\n"


def pour(connection: socket.socket, count: int) -> int:
    step = 4096
    block = LINE * step
    for _ in range(count // step):
        connection.sendall(block)
    connection.sendall(LINE * (count % step))
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    return count


def ask(connection: socket.socket, count: int, depth: int) -> int:
    question, right = LINE * depth, 0
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(count // depth):
        connection.sendall(question)
        answer = b""
        while len(answer) < len(question):
            data = connection.recv(1 << 16)
            if not data:
                return right
            answer += data
        right += depth * (answer == question)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    return right


def drain(connection: socket.socket) -> int:
    buffer, size = bytearray(1 << 18), 0
    while count := connection.recv_into(buffer):
        size += count
    return size


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        for order in sys.stdin:
            verb, *numbers = order.split()
            count, *depth = map(int, numbers or "0")
            connection, _ = listener.accept()
            started = time.perf_counter()
            with connection:
                if verb == "pour":
                    answer = pour(connection, count)
                elif verb == "ask":
                    answer = ask(connection, count, *depth)
                else:
                    answer = drain(connection)
            print(answer, time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
