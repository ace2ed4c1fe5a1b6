"""The output machine: a queue of what was pushed, handed to the transport in chunks.

The front of the queue is ``_chunk``, the bytes on offer, of which the transport has taken ``_sent``. Behind it
stand byte strings and producers, and behind these ``_run``, to which small pushes are added as they come. A
producer is asked for more only when there is nothing before it.

A push is fast when it can change nothing but ``_run``: it is small (that is, below ``_fast_below``), and what was
pushed before it is not all sent, so that the adapter knows that there is something to do. ``_fast_below`` is 0 when
a push has more to look at: the queue is idle, closed or broken.

The queue is two lists, one filled at its end and one, turned round, emptied at its end: an idle queue
then takes a seventh of what a deque does.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

from ._bytes import as_bytes
from ._errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

__all__ = ["Producer", "ProducerQueue"]

DEFAULT_HIGH_WATER = 64 * 1024
"""As asyncio's transports have it."""

# Below this a push is joined with its neighbours, since a copy costs less than a send.
_SMALL = 4096
_CHUNK_SIZE = 64 * 1024

# Iterable, or with a read(), but not of bytes; bytes themselves are pushed.
_NO_PRODUCERS = (str, bytes, bytearray, memoryview, io.TextIOBase)


class _HasMore(Protocol):
    def more(self) -> bytes: ...


class _BinaryFile(Protocol):
    def read(self, size: int, /) -> bytes: ...


Producer: TypeAlias = "_HasMore | _BinaryFile | Iterable[bytes]"
"""What makes bytes when they can be sent; an object with ``more()``, a binary file or an iterable of bytes."""


class ProducerQueue:
    r"""Keeps what was pushed, in order, and emits it in chunks as the transport takes it.

    Args:
        high_water: more than so many buffered bytes make the queue `congested`.
        low_water: so few end that again; a quarter of ``high_water`` if left out.

    Raises:
        ValueError: unless 0 <= low_water <= high_water.

    >>> queue = ProducerQueue()
    >>> queue.push(b"HTTP/1.1 200 OK\r\n\r\n")
    >>> queue.push_producer([b"first, ", b"second"])
    >>> queue.close_when_done()
    >>> while data := queue.data_to_send():
    ...     print(bytes(data))
    ...     queue.data_sent(len(data))
    b'HTTP/1.1 200 OK\r\n\r\n'
    b'first, '
    b'second'
    >>> queue.must_close
    True
    """

    def __init__(
        self, *, high_water: int = DEFAULT_HIGH_WATER, low_water: int | None = None
    ) -> None:
        if low_water is None:
            low_water = high_water // 4
        if not 0 <= low_water <= high_water:
            raise ValueError(
                f"expected 0 <= low_water <= high_water, got {low_water} and {high_water}"
            )
        self.on_output: Callable[[], object] | None = None
        """Called when something is pushed onto an idle queue, so that an adapter can wake its sender."""
        self._high_water = high_water
        self._low_water = low_water
        self._fifo: list[bytes | bytearray | _Source] = []  # the next one is the last
        self._pushed: list[bytes | bytearray | _Source] = []  # what comes after those of _fifo
        self._run = bytearray()  # the small pushes after these
        self._fast_below = 0
        self._chunk: bytes | bytearray = b""
        self._sent = 0
        self._offered = 0
        self._before_run = 0  # the buffered bytes but those of _run
        self._was_congested = False
        self._closing = False
        self._failure: BaseException | None = None

    # The application's side.

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """Queue bytes to be sent.

        Args:
            data: bytes-like; one that can change is copied now.

        Raises:
            TypeError: ``data`` is not bytes-like.
            LocalProtocolError: after `close_when_done`, or after a producer failed.
        """
        if type(data) is bytes and len(data) < self._fast_below:
            self._run += data
        else:
            self._push(data)

    def push_producer(self, producer: Producer) -> None:
        """Queue an object that makes the bytes to be sent when their turn comes.

        The queue owns it from now on: one that has a ``close()`` is closed when it is exhausted, has
        failed, or is discarded.

        Args:
            producer: an object whose ``more()`` returns the next bytes, and ``b""`` when exhausted; or a
                binary file; or an iterable of bytes.

        Raises:
            TypeError: it is none of these; bytes, str and text files among others.
            LocalProtocolError: after `close_when_done`, or after a producer failed.
        """
        source = _Source(producer)
        self._refuse_after_close("push_producer")
        self._enqueue(source)
        if self.on_output is not None:
            self.on_output()

    def close_when_done(self) -> None:
        """Nothing more will be pushed; `must_close` tells when all of it was sent. Idempotent."""
        if not self._closing:
            self._closing = True
            self._fast_below = 0
            if self.on_output is not None:
                self.on_output()

    def discard_buffers(self) -> None:
        """Drop all that is queued, the mark of `close_when_done` and a failure with it.

        Producers that have a ``close()`` are closed. Bytes that the transport took are gone, so the
        peer may see a torn message.
        """
        queue = self._fifo[::-1] + self._pushed
        self._fifo.clear()
        self._pushed.clear()
        self._run.clear()
        self._fast_below = 0
        self._chunk, self._sent, self._offered, self._before_run = b"", 0, 0, 0
        self._was_congested = self._closing = False
        self._failure = None
        with contextlib.ExitStack() as stack:
            # All are closed, even if closing one of them fails.
            for item in reversed(queue):
                if isinstance(item, _Source):
                    stack.callback(item.close)

    # The transport's side.

    def data_to_send(self, max_bytes: int = 64 * 1024) -> bytes | memoryview:
        """Show the next bytes to send, without taking them: the same until `data_sent` is called.

        Small pushes come joined, large ones in slices without copying. A producer is asked for
        more only if all before it was sent.

        Args:
            max_bytes: at most so many bytes, 1 or more.

        Returns:
            the bytes; ``b""`` if there is nothing to send.

        Raises:
            ValueError: ``max_bytes`` is below 1.
            LocalProtocolError: after a producer failed.
            TypeError: a producer made something else than bytes; it counts as failed.
            Exception: whatever a producer raised. All before it was sent; nothing behind it
                will be, and the queue is `broken` until `discard_buffers`.
        """
        if self._failure is not None:
            self._refuse_after_failure("data_to_send")
        if max_bytes < 1:
            raise ValueError(f"expected max_bytes to be 1 or more, got {max_bytes}")
        chunk, sent = self._chunk, self._sent
        if sent == len(chunk):
            self._chunk, self._sent, self._offered = b"", 0, 0
            self._chunk = chunk = self._next_chunk()
            sent = 0
        end = sent + max_bytes
        if end >= len(chunk):
            end = len(chunk)
            if not sent and type(chunk) is bytes:
                self._offered = end
                return chunk
        self._offered = end - sent
        return memoryview(chunk)[sent:end]

    def data_sent(self, count: int) -> None:
        """Take note that the transport took the first bytes of what `data_to_send` showed.

        Args:
            count: so many bytes, 0 or more.

        Raises:
            ValueError: it is negative, or more than was shown; nothing has changed.
        """
        if not 0 <= count <= self._offered:
            raise ValueError(f"expected 0 to {self._offered} bytes sent, got {count}")
        buffered = self._before_run + len(self._run)
        if buffered > self._high_water:
            self._was_congested = True
        self._offered -= count
        self._sent += count
        self._before_run -= count
        if buffered - count <= self._low_water:
            self._was_congested = False
        if buffered == count:
            self._fast_below = 0

    @property
    def buffered(self) -> int:
        """How many bytes were pushed, or made by a producer, and not yet sent."""
        return self._before_run + len(self._run)

    @property
    def congested(self) -> bool:
        """Whether the application should stop pushing, from above high water until down to low water."""
        return self._was_congested or self._before_run + len(self._run) > self._high_water

    @property
    def closing(self) -> bool:
        """Whether `close_when_done` was called."""
        return self._closing

    @property
    def output_pending(self) -> bool:
        """Whether `data_to_send` may have something to show."""
        return bool(self._before_run or self._run or self._fifo or self._pushed)

    @property
    def must_close(self) -> bool:
        """Whether everything before `close_when_done` was sent, so that the transport should be closed."""
        return self._closing and not self.output_pending and self._failure is None

    @property
    def broken(self) -> BaseException | None:
        """What a producer raised, so that nothing behind it can be sent; None if all is well."""
        return self._failure

    def _push(self, data: bytes | bytearray | memoryview) -> None:
        if type(data) is not bytes:
            data = as_bytes(data)
        if self._closing or self._failure is not None:
            self._refuse_after_close("push")
        if not data:
            return
        idle = not (self._before_run or self._run)
        if len(data) < _SMALL:
            self._run += data
        else:
            self._enqueue(data)
            self._before_run += len(data)
        self._fast_below = _SMALL
        if idle and self.on_output is not None:
            self.on_output()

    def _enqueue(self, item: bytes | bytearray | _Source) -> None:
        if self._run:
            self._pushed.append(self._take_run())
        self._pushed.append(item)

    def _take_run(self) -> bytes | bytearray:
        run, self._run = self._run, bytearray()
        self._before_run += len(run)
        # A long one will go in slices, which need no copy of it.
        return run if len(run) > _CHUNK_SIZE else bytes(run)

    def _next_chunk(self) -> bytes | bytearray:
        while self._fifo or self._pushed:
            if not self._fifo:
                self._fifo, self._pushed = self._pushed[::-1], self._fifo
            item = self._fifo[-1]
            if isinstance(item, _Source):
                try:
                    data = item.more()
                except BaseException as error:
                    if self._is_next(item):
                        self._failure = error
                        self._fast_below = 0
                        self._fifo.pop()
                        item.close()
                    raise
                if not self._is_next(item):
                    # It has discarded the buffers, and itself with them.
                    continue
                if data:
                    self._before_run += len(data)
                    return data
            self._fifo.pop()
            if isinstance(item, (bytes, bytearray)):
                return item
            item.close()
        return self._take_run()

    def _is_next(self, item: object) -> bool:
        return bool(self._fifo) and self._fifo[-1] is item

    def _refuse_after_failure(self, call: str) -> None:
        if self._failure is not None:
            raise LocalProtocolError(f"{call}() after a producer failed") from self._failure

    def _refuse_after_close(self, call: str) -> None:
        self._refuse_after_failure(call)
        if self._closing:
            raise LocalProtocolError(f"{call}() after close_when_done()")


class _Source:
    """A producer of any kind, with one way to ask it for more."""

    __slots__ = ("_ask", "_close", "_producer")

    def __init__(self, producer: Producer) -> None:
        known = hasattr(producer, "more") or hasattr(producer, "read")
        if not (known or isinstance(producer, Iterable)) or isinstance(producer, _NO_PRODUCERS):
            raise TypeError(
                "expected a producer: an object with more(), a binary file or an iterable of bytes, "
                f"got {type(producer).__name__}"
            )
        self._producer = producer
        self._ask: Callable[[], bytes]
        if hasattr(producer, "more"):
            self._ask = cast("_HasMore", producer).more
        elif hasattr(producer, "read"):
            self._ask = functools.partial(cast("_BinaryFile", producer).read, _CHUNK_SIZE)
        else:
            # An empty item is not the end: only more() has no other way to say so.
            items = (item for item in cast("Any", producer) if item != b"")
            self._ask = lambda: next(items, b"")
        self._close: Callable[[], object] | None = getattr(producer, "close", None)

    def more(self) -> bytes:
        data = self._ask()
        if type(data) is bytes:
            return data
        return as_bytes(data, f"bytes from {self._producer!r}")

    def close(self) -> None:
        if self._close is not None:
            self._close()
