r"""A drop-in replacement for the standard library's asynchat, which Python 3.12 removed.

``from termsplit import asynchat`` in place of ``import asynchat`` is the whole migration of a program. What is
here does what the original did, its quirks included; where it differs on purpose, the page "Leave asynchat behind"
says so and why. `async_chat` is an ``asyncore.dispatcher``: asyncore comes with Python up to 3.11, and from 3.12
on with the extra ``termsplit[asyncore]``.

For new programs there is `termsplit.Chat`: the same callbacks, without the quirks, on any event loop.

>>> from termsplit import asynchat
>>> class Shout(asynchat.async_chat):
...     def __init__(self, sock=None, map=None):
...         super().__init__(sock, map)
...         self.set_terminator(b"\r\n")
...
...     def collect_incoming_data(self, data):
...         self._collect_incoming_data(data)
...
...     def found_terminator(self):
...         self.push(self._get_data().upper() + b"\r\n")
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from ._terminators import literal_pattern
from .backends._asyncore import asyncore

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator

    from ._terminators import LiteralPattern

__all__ = ["async_chat", "fifo", "find_prefix_at_end", "simple_producer"]

# So few bytes cost no more to copy than a position in them costs to keep.
_FEW = 128
# So few bytes are searched and split faster by bytes themselves than by what has to be set up.
_SHORT = 512
# A window of this size stays in the processor's cache while it is split and handed out.
_WIDEST_WINDOW = 16 * 1024
_NOTHING: Iterator[bytes] = iter(())


class _Unread:
    """What `async_chat.ac_in_buffer` shows: ``buffer`` from ``start`` on.

    While a window of records is delivered, ``start`` stands behind all of them already; those not delivered are in
    ``ready``, and the one a callback is about to get is ``in_hand``. `settle` brings ``start`` back to where the
    callbacks are, and leaves nothing ready.
    """

    __slots__ = (
        "buffer",
        "first",
        "in_hand",
        "inner",
        "pattern",
        "ready",
        "split",
        "start",
        "terminator",
        "window",
    )

    def __init__(self, buffer: Any) -> None:
        # What a program puts in is its choice: bytes, nearly always.
        self.buffer = buffer
        self.start = 0
        self.ready = _NOTHING
        self.in_hand: bytes | None = None
        # What ends the records; of a terminator that is no bytes, and so may change by itself, nothing is kept.
        self.terminator: Any = self
        self.first: Any = 0  # the byte it begins with
        self.inner: Any = b""  # the bytes that a beginning of it may end in
        self.pattern: LiteralPattern | None = None
        self.split: Callable[[bytes], list[Any]] | None = None  # made when first needed
        # How many bytes to cut at once: in proportion to what was delivered since the terminator was set.
        self.window = 0

    def expect(self, terminator: Any) -> None:
        if type(terminator) is bytes:
            self.terminator = terminator
            self.pattern = literal_pattern(terminator)
        else:
            self.terminator = self
            self.pattern = None
        self.first = terminator[0]
        self.inner = terminator[:-1]
        self.split = None
        self.window = 0

    def find_far(self, buffer: Any, first: int, terminator: Any) -> int:
        """Where the terminator is, or -1; looking for it from where the first of its first bytes is."""
        if self.pattern is None:
            index: int = buffer.find(terminator, first)
            return index
        match = self.pattern.search(buffer, first, len(buffer), False)
        return -1 if match is None else match[0]

    def cut(self, buffer: Any, start: int) -> list[Any]:
        """The records in the next window, and what comes after them; ``start`` then stands before that."""
        end = start + self.window
        if end < len(buffer):
            self.window = min(4 * self.window, _WIDEST_WINDOW)
            window = buffer[start:end]
        else:
            end = len(buffer)
            window = buffer[start:] if start else buffer
        parts: list[Any]
        if len(window) < _SHORT:
            parts = window.split(self.terminator)
        else:
            if self.split is None:
                self.split = re.compile(re.escape(self.terminator)).split
            parts = self.split(window)
        self.start = end - len(parts[-1])
        return parts

    def held_back(self, tail: Any, terminator: Any) -> int:
        """How many bytes at the end of ``tail`` may be the beginning of the terminator."""
        if tail.endswith(self.inner):
            return len(self.inner)
        if self.pattern is None:
            return find_prefix_at_end(tail, terminator)
        return self.pattern.held_back(tail, 0)

    def settle(self) -> None:
        undelivered = list(self.ready)
        if self.in_hand is not None:
            undelivered.append(self.in_hand)
            self.in_hand = None
        if undelivered:
            self.start -= sum(map(len, undelivered)) + len(undelivered) * len(self.terminator)
            self.window = 0
        self.ready = _NOTHING

    def trim(self) -> None:
        """Let the buffer begin with what is unread."""
        self.settle()
        if self.start:
            self.buffer = self.buffer[self.start :]
            self.start = 0


class _ProgramsOwn(_Unread):
    """In place of `_Unread`, where a subclass has an ``ac_in_buffer`` of its own that hides ours."""

    __slots__ = ("_chat",)

    def __init__(self, chat: async_chat) -> None:
        self._chat = chat
        super().__init__(chat.ac_in_buffer)

    @property
    def buffer(self) -> Any:
        return self._chat.ac_in_buffer

    @buffer.setter
    def buffer(self, value: Any) -> None:
        self._chat.ac_in_buffer = value

    @property
    def start(self) -> int:
        return 0

    @start.setter
    def start(self, value: int) -> None:
        if value:
            self._chat.ac_in_buffer = self._chat.ac_in_buffer[value:]

    # No window is cut, so that start is never ahead of the callbacks.
    @property
    def window(self) -> int:
        return 0

    @window.setter
    def window(self, value: int) -> None:
        pass


class async_chat(asyncore.dispatcher):
    """A dispatcher that cuts what it receives at terminators, and sends what is pushed through a FIFO.

    Subclass it, and implement `collect_incoming_data` and `found_terminator`.

    Args:
        sock: a connected socket; None if the program connects later.
        map: the socket map to join; asyncore's own if left out.
    """

    ac_in_buffer_size = 65536
    """How many bytes `handle_read` asks ``recv`` for."""

    ac_out_buffer_size = 65536
    """How many bytes go into one ``send`` at most."""

    ac_corked = False
    """Whether what is pushed in the callbacks of one `handle_read` leaves together after them, instead of each
    at once. Then a ``close`` in a callback drops it; `close_when_done` does not."""

    use_encoding = 0
    """Whether a `str` that is received, queued or set as terminator is encoded."""

    encoding = "latin-1"
    """The encoding, if so."""

    terminator: Any
    """What ends the record in progress. There is no value before the program has set one."""

    _ac_unread: _Unread
    _ac_holding = False  # what is pushed waits for the end of handle_read
    # So many bytes of small pushes are joined for a send. A send that is not taken whole halves it: so what is
    # joined in vain stays in proportion to what is sent.
    _ac_join_size = 65536

    def __init__(self, sock: socket.socket | None = None, map: Any = None) -> None:
        self.ac_in_buffer = b""
        self.incoming: list[bytes] = []
        """What `_collect_incoming_data` has put aside."""
        self.producer_fifo: deque[Any] = deque()
        """The bytes and producers that are not sent yet, and the None of `close_when_done`."""
        asyncore.dispatcher.__init__(self, sock, map)

    @property
    def ac_in_buffer(self) -> bytes:
        """What was received and not delivered; a program may assign something else."""
        unread = self._ac_unread
        if unread.ready is not _NOTHING:
            unread.settle()
        return cast("bytes", unread.buffer[unread.start :])

    @ac_in_buffer.setter
    def ac_in_buffer(self, value: bytes) -> None:
        try:
            unread = self._ac_unread
        except AttributeError:
            self._ac_unread = _Unread(value)
            return
        unread.settle()
        unread.buffer = value
        unread.start = 0

    def collect_incoming_data(self, data: bytes) -> None:
        """To be implemented: called with the next bytes of a record, never empty, in any number of pieces."""
        raise NotImplementedError("must be implemented in subclass")

    def found_terminator(self) -> None:
        """To be implemented: called when a record is complete."""
        raise NotImplementedError("must be implemented in subclass")

    def _collect_incoming_data(self, data: bytes) -> None:
        """A ready `collect_incoming_data`: puts the data aside for `_get_data`."""
        self.incoming.append(data)

    def _get_data(self) -> bytes:
        """Take what was put aside, joined."""
        data = b"".join(self.incoming)
        del self.incoming[:]
        return data

    def set_terminator(self, term: Any) -> None:
        """Choose what ends the record that begins at the next byte.

        Args:
            term: `bytes`: this byte string; `int`: so many bytes; None, 0 or ``b""``: nothing, all is collected.

        Raises:
            ValueError: a negative count.
        """
        if isinstance(term, int):
            if term < 0:
                raise ValueError(f"expected a count of 0 or more bytes, got {term}")
        elif type(term) is not bytes and isinstance(term, str) and self.use_encoding:
            term = term.encode(self.encoding)
        self.terminator = term

    def get_terminator(self) -> Any:
        """What ends the record in progress; of a count, what is left of it, down to 0."""
        return self.terminator

    def handle_read(self) -> None:
        """Receive once, and make the callbacks for what came.

        When a callback raises, what it was to get, or what comes after the terminator it was told of, is still in
        `ac_in_buffer`, for the next call.
        """
        if self.ac_corked and not self._ac_holding:
            self._read_corked()
            return
        data: Any  # bytes, unless an override of recv gives text
        try:
            data = self.recv(self.ac_in_buffer_size)
        except BlockingIOError:
            return
        except OSError:
            self.handle_error()
            return
        try:
            unread = self._ac_unread
        except AttributeError:
            unread = _ProgramsOwn(self)
        if unread.buffer or type(data) is not bytes:
            if self.use_encoding and isinstance(data, str):
                data = data.encode(self.encoding)
            data = self.ac_in_buffer + data
        buffer = unread.buffer = data
        start = unread.start = 0
        size = len(buffer)

        # A callback may do anything. So what is unread is right whenever one is called, and is looked at afresh
        # after it.
        try:
            while start < size:
                terminator = self.get_terminator()
                if terminator is not unread.terminator:
                    if isinstance(terminator, int) and terminator > 0:
                        unread.window = 0
                        end = start + terminator
                        if end > size:
                            self.collect_incoming_data(buffer[start:] if start else buffer)
                            unread.buffer = b""
                            unread.start = 0
                            self.terminator = self.terminator - (size - start)
                            return
                        self.collect_incoming_data(buffer[start:end])
                        unread.start += terminator
                        self.terminator = 0
                        self.found_terminator()
                        start = unread.start
                        if unread.buffer is not buffer:
                            buffer = unread.buffer
                            size = len(buffer)
                        continue
                    if not terminator:
                        self.collect_incoming_data(buffer[start:])
                        break
                    if isinstance(terminator, int):
                        self._deliver_all_but(-terminator, unread)
                        buffer, start = unread.buffer, unread.start
                        size = len(buffer)
                        continue
                    unread.expect(terminator)

                tail = None  # what comes after the last record, once no terminator is in it
                if size <= _FEW and not start:
                    # One record after the other, with a copy of what comes after it, as the original does it. If the
                    # buffer is the same object after a callback, nothing of it was read or replaced.
                    record, found, rest = buffer.partition(terminator)
                    while found:
                        if record:
                            self.collect_incoming_data(record)
                            if unread.buffer is not buffer:
                                unread.start += len(record) + len(terminator)
                                self.found_terminator()
                                break
                        unread.buffer = buffer = rest
                        self.found_terminator()
                        if not rest or unread.buffer is not rest:
                            break
                        if self.get_terminator() is not terminator:
                            break
                        record, found, rest = buffer.partition(terminator)
                    else:
                        if unread.first not in buffer:
                            self.collect_incoming_data(buffer)
                            break
                        tail = buffer
                elif not start and unread.first not in buffer:
                    # Without its first byte there is no terminator, and no beginning of one to be held back.
                    self.collect_incoming_data(buffer)
                    break
                elif unread.window:
                    tail = self._deliver_window(unread, buffer, start)
                else:
                    # One byte is found a hundred times as fast as two.
                    first = buffer.find(unread.first, start)
                    index = buffer.find(terminator, first, first + _SHORT) if first >= 0 else -1
                    if index < 0 and 0 <= first < size - _SHORT:
                        index = unread.find_far(buffer, first, terminator)
                    if index < 0:
                        tail = buffer[start:]
                    else:
                        if index > start:
                            self.collect_incoming_data(buffer[start:index])
                        width = index - start + len(terminator)
                        unread.start += width
                        # The first in the buffer may have begun in an earlier one: nothing is known of its length.
                        if start and width < _SHORT:
                            unread.window = 4 * width
                        self.found_terminator()
                if not tail:
                    buffer, start = unread.buffer, unread.start
                    size = len(buffer)
                    continue

                if tail[-1] in unread.inner:
                    held = unread.held_back(tail, terminator)
                    if held:
                        if held < len(tail):
                            self.collect_incoming_data(tail[:-held])
                        unread.buffer = unread.buffer[unread.start :][-held:]
                        unread.start = 0
                        return
                self.collect_incoming_data(tail)
                break
        except BaseException:
            unread.trim()
            raise
        unread.buffer = b""
        unread.start = 0

    def _deliver_all_but(self, count: int, unread: _Unread) -> None:
        """What the original makes of a count below 0, which collect_incoming_data may leave behind."""
        self.collect_incoming_data(unread.buffer[unread.start :][:-count])
        unread.buffer = unread.buffer[unread.start :][-count:]
        unread.start = 0
        self.terminator = 0
        self.found_terminator()

    def _deliver_window(self, unread: _Unread, buffer: Any, start: int) -> Any:
        """The fast way, when the terminator has stood for a record and more: cut all records in a window at once.

        It is so wide that what is cut in vain, because a callback changes something, stays in proportion to what was
        delivered.

        Args:
            unread: what to cut.
            buffer: its buffer.
            start: its start.

        Returns:
            what comes after the last record, if no terminator is in that; None if there is more to do.
        """
        terminator = unread.terminator
        records = unread.cut(buffer, start)
        tail = records.pop()
        at_end = unread.start + len(tail) == len(buffer)
        if not records:
            # A long record: the next one is better searched for.
            unread.window = 0
            return tail if at_end else None
        unread.ready = ready = iter(records)
        for record in ready:
            if record:
                unread.in_hand = record
                self.collect_incoming_data(record)
                if unread.ready is not ready:
                    unread.start += len(record) + len(terminator)
                    self.found_terminator()
                    return None
                unread.in_hand = None
            self.found_terminator()
            if self.get_terminator() is not terminator:
                unread.settle()
                return None
        if unread.ready is not ready:
            # A callback had the rest settled.
            return None
        unread.ready = _NOTHING
        return tail if at_end else None

    def _read_corked(self) -> None:
        self._ac_holding = True
        try:
            self.handle_read()
        finally:
            self._ac_holding = False
            if self.producer_fifo and self.producer_fifo[0] is not None:
                self.initiate_send()

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """Queue bytes, and try to send.

        Args:
            data: bytes-like; it is not copied, and must not change before it is sent.

        Raises:
            TypeError: ``data`` is not bytes-like.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"expected bytes-like data, got {type(data).__name__}")
        size = self.ac_out_buffer_size
        if len(data) > size:
            self.producer_fifo.extend(_pieces(data, size))
        else:
            self.producer_fifo.append(data)
        if not self._ac_holding:
            self.initiate_send()

    def push_with_producer(self, producer: Any) -> None:
        """Queue a producer, and try to send.

        Args:
            producer: an object whose ``more()`` gives the next bytes, and ``b""`` when exhausted.
        """
        self.producer_fifo.append(producer)
        if not self._ac_holding:
            self.initiate_send()

    def close_when_done(self) -> None:
        """Have the loop call `handle_close` when all that is queued was sent."""
        self.producer_fifo.append(None)

    def initiate_send(self) -> None:
        """Send once, if connected and there is something to send."""
        while self.producer_fifo and self.connected:
            queue = self.producer_fifo
            first = queue[0]
            if first is None:
                del queue[0]
                self.handle_close()
                return
            size = self.ac_out_buffer_size
            if isinstance(first, (bytes, bytearray)):
                if len(first) > size:
                    del queue[0]
                    queue.extendleft(reversed(_pieces(first, size)))
                data = queue[0] if len(queue) == 1 else self._joined(size)
            elif isinstance(first, str) and self.use_encoding:
                queue[0] = first.encode(self.encoding)
                continue
            else:
                try:
                    data = queue[0][:size]
                except TypeError:
                    data = queue[0].more()
                    if data:
                        self.producer_fifo.appendleft(data)
                    else:
                        del self.producer_fifo[0]
                    continue
            if not data:
                del queue[0]
                continue
            try:
                sent = self.send(data)
            except OSError:
                self.handle_error()
                return
            if sent:
                self._drop(data, sent)
            if sent == len(data):
                if self._ac_join_size < 8 * sent:
                    self._ac_join_size = 8 * sent
            else:
                self._ac_join_size //= 2
            return

    def _joined(self, size: int) -> bytes:
        """The first in the queue, with the small ones behind it that are to leave with it."""
        room = min(size, self._ac_join_size)
        parts: list[bytes | bytearray] = []
        for item in self.producer_fifo:
            if not isinstance(item, (bytes, bytearray)):
                break
            room -= len(item)
            if room < 0:
                break
            parts.append(item)
        return b"".join(parts) if len(parts) > 1 else self.producer_fifo[0]

    def _drop(self, data: Any, sent: int) -> None:
        """Take out of the queue what was sent of ``data``, which is its beginning."""
        queue = self.producer_fifo
        if not isinstance(data, (bytes, bytearray)):
            # The items of another sequence may be no bytes: so this is about the first in the queue only.
            if sent < len(data) or len(data) < len(queue[0]):
                queue[0] = queue[0][sent:]
            else:
                del queue[0]
            return
        sent = min(sent, len(data))
        while sent:
            first = queue[0]
            if sent < len(first):
                queue[0] = first[sent:]
                return
            sent -= len(first)
            del queue[0]

    def handle_write(self) -> None:
        """Called by the loop when the socket takes more."""
        self.initiate_send()

    def readable(self) -> bool:
        """Whether the loop should look out for data: always."""
        return True

    def writable(self) -> bool:
        """Whether the loop should look out for a chance to send, or for the connection to be made."""
        return bool(self.producer_fifo) or not self.connected

    def handle_close(self) -> None:
        """Called when the peer has closed, or `close_when_done` is done; closes."""
        self.close()

    def discard_buffers(self) -> None:
        """Forget all that is received and not delivered, put aside, or queued."""
        self.ac_in_buffer = b""
        del self.incoming[:]
        self.producer_fifo.clear()


def _pieces(data: Any, size: int) -> list[Any]:
    return [data[i : i + size] for i in range(0, len(data), size)]


class simple_producer:
    """A producer that gives ``data`` in pieces.

    Args:
        data: `bytes`, or `str` where the chat encodes text.
        buffer_size: the length of a piece.
    """

    def __init__(self, data: Any, buffer_size: int = 512) -> None:
        self.data = data
        self.buffer_size = buffer_size

    @property
    def data(self) -> Any:
        """What was not given yet."""
        return self._data[self._given :]

    @data.setter
    def data(self, data: Any) -> None:
        self._data = data
        self._given = 0

    def more(self) -> Any:
        """The next piece; an empty one when there is none."""
        piece = self._data[self._given : self._given + self.buffer_size]
        self._given += len(piece)
        return piece


class fifo:
    """The queue that Python 2 had, and the documentation after that.

    Args:
        list: what it holds at first, in order.
    """

    def __init__(self, list: Iterable[Any] | None = None) -> None:
        self.list = deque(list or ())

    def __len__(self) -> int:
        return len(self.list)

    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.list

    def first(self) -> Any:
        """The oldest item, which stays.

        Raises:
            IndexError: there is none.
        """
        return self.list[0]

    def push(self, data: Any) -> None:
        """Put an item in."""
        self.list.append(data)

    def pop(self) -> tuple[int, Any]:
        """Take the oldest item out: ``(1, item)``, or ``(0, None)`` if there is none."""
        if self.list:
            return 1, self.list.popleft()
        return 0, None


def find_prefix_at_end(haystack: Any, needle: Any) -> int:
    r"""The length of the longest beginning of ``needle``, not the whole, that ``haystack`` ends with.

    >>> find_prefix_at_end(b"qwerty\r", b"\r\n")
    1
    """
    length = len(needle) - 1
    while length > 0 and not haystack.endswith(needle[:length]):
        length -= 1
    return length
