"""Receiving: which chunks need no face to look at them.

When all that came was searched, `receive_data` knows how much ``_room`` there is: so many bytes may come in before
there is anything to look at, as long as the terminator's last byte is not among them. Such a chunk only waits, in
``_buffer`` if that is empty and else in ``_incoming``. One with that byte in it, which fits into the window together with
the rest, is split at once. Like every window it is cut ahead, and can be put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._bytes import as_bytes
from ._engine import _LONG_REST, _NO_LIMIT, _NOTHING, _SHORT_REST, DEFAULT_MAX_SIZE, Engine
from ._errors import LocalProtocolError
from ._terminators import _SHORT

if TYPE_CHECKING:
    from ._terminators import Terminator

# The split of bytes is the fastest, on any number of them, where a record and its terminator have less on the average.
_DENSE = 36
# So much may come in, with what Python keeps for each chunk, before it is joined or put aside.
_MOST_KEPT = 64 * 1024
_CHUNK_OBJECT = 33
# As single bytes, so few are not more.
_FEW = _MOST_KEPT // _CHUNK_OBJECT


class ReceivingEngine(Engine):
    """An engine that looks at a chunk as it comes in, so that a face need not."""

    __slots__ = ()

    def __init__(
        self, terminator: Terminator = None, *, max_size: int | None = DEFAULT_MAX_SIZE
    ) -> None:
        Engine.__init__(self, terminator, max_size=max_size)
        if terminator is not None:
            # So that the first chunk need no face either.
            self._rest_searched()

    def receive_data(self, data: bytes | bytearray | memoryview) -> bool:
        """Take the next bytes from the peer; what they mean waits until an event or record is asked for.

        Args:
            data: the bytes, in chunks of any size; ``b""`` is nothing at all, not the end.

        Returns:
            whether a record may be complete now, or too long. False is sure under the terminator in force. Who
            asked for records, or messages, until nothing was given or raised need not ask again yet; who reads
            events should, and so should everybody after `receive_eof`.

        Raises:
            TypeError: ``data`` is not bytes-like.
            LocalProtocolError: after `receive_eof` or `detach`.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        room = self._room - self._chunk_cost - len(data)
        if room <= 0:
            return self._receive_otherwise(data, room)
        if self._count >= 0 or self._last_byte not in data:
            # It completes no record.
            if data:
                self._room = room
                if self._buffer:
                    self._incoming.append(data)
                else:
                    self._buffer = data
            return False
        # It may complete some.
        if self._at_once > 0 and self._ready is _NOTHING:
            if self._incoming:
                self._buffer = b"".join((self._buffer, *self._incoming))
                self._incoming.clear()
            buffer = self._buffer + data
            size = len(buffer)
            if size <= self._at_once - self._streamed:
                if size < _SHORT:
                    records = buffer.split(self._pattern_literal)
                else:
                    records = self._split(buffer)
                self._buffer = rest = records.pop()
                self._room = room
                if records:
                    self._base += size - len(rest)
                    self._ready = iter(records)
                    if room < size:
                        # There is more of it than was counted, now that records are gone.
                        self._make_room(self._record_limit - len(rest) + 1)
                    return True
                if size > _SHORT_REST:
                    # Too long to be searched once more.
                    self._at_once = 0
                return False
        return self._receive_otherwise(data, room)

    def _receive_otherwise(self, data: bytes, room: int) -> bool:
        """Take what may need a face to look at it; ``room`` is what it would leave."""
        if self._room <= 0 or not data or self._ready is not _NOTHING:
            return self._receive_behind(data)
        if room > 0:
            if self._at_once <= 0 and self._ends_nothing(data):
                return self._keep(data, room)
        elif (
            self._incoming
            and room + self._chunk_cost * len(self._incoming) > 0
            and (self._count >= 0 or self._last_byte not in data)
        ):
            # There would be room for it, if not for what Python keeps for each chunk.
            self._join_searched(_SHORT_REST)
            self._rest_searched()
            return self._keep(data, self._room - self._chunk_cost - len(data))
        if self._at_once > 0 and len(data) < self._window and self._split_several(data):
            return True
        self._add_for_a_face(data)
        return True

    def _receive_behind(self, data: bytes) -> bool:
        """Take what comes in behind records that are ready, or behind what was not searched yet."""
        if self._input_ended_by:
            raise LocalProtocolError(f"receive_data() after {self._input_ended_by}()")
        if not data:
            return False
        self._room = 0
        self._incoming.append(data)
        return True

    def _keep(self, data: bytes, room: int) -> bool:
        """Let it wait, since it completes no record."""
        self._room = room
        if self._buffer:
            self._incoming.append(data)
        else:
            self._buffer = data
        return False

    def _add_for_a_face(self, data: bytes) -> None:
        """Join it with what was searched, to be searched by a face."""
        self._room = 0
        # Of a count, it is known that no more than the record's end need be joined with what there is.
        most = 0 if self._count >= 0 and len(data) > _LONG_REST else _LONG_REST
        if self._incoming or len(self._buffer) > most:
            self._join_searched(most)
        self._buffer = self._buffer + data

    def _ends_nothing(self, data: bytes) -> bool:
        """Whether a byte string that is the pattern does not end in it, though its last byte is there.

        False also if it is too long for what is before ``data`` to be looked at with each chunk.
        """
        literal, most = self._pattern_literal, self._pattern.longest - 1
        if literal is None or not 0 < most < _SHORT:
            return False
        if len(data) > _SHORT_REST and not self._pieces and self._streamed <= _SHORT:
            # It is a record that is not long, and likely to end.
            return False
        end = self._join_last(most) + data
        if len(end) < _SHORT:
            return literal not in end
        return self._pattern.search(end, 0, len(end), False) is None

    def _join_last(self, most: int) -> bytes:
        """The last ``most`` bytes of what was searched. Short chunks in which they came are joined, and stay so."""
        incoming = self._incoming
        last = incoming[-1] if incoming else self._buffer
        if len(last) < most and incoming:
            joined = b""
            while incoming and len(joined) + len(incoming[-1]) <= most:
                # Since they stay joined, there are never many.
                joined = incoming.pop() + joined
            last = incoming[-1] if incoming else self._buffer
            incoming.append(joined)
            last = last[-most:] + joined
        return last[-most:]

    def _split(self, buffer: bytes) -> list[bytes]:
        """Split at the byte string that is the pattern, in the way that would have been the faster one the last time."""
        if self._dense:
            records = buffer.split(self._pattern_literal)
        else:
            pattern: Any = self._pattern
            records = pattern.split(buffer)
        self._dense = len(buffer) < _DENSE * len(records)
        return records

    def _split_several(self, data: bytes) -> bool:
        """Split at once what is longer than a record may be; unless one in it is too long, or none is complete."""
        if self._incoming:
            data = b"".join((*self._incoming, data))
        buffer = self._buffer + data
        if len(buffer) > self._window:
            return False
        records = self._split(buffer)
        rest, limit = records.pop(), self._record_limit
        if not records or len(rest) > limit or self._streamed + max(map(len, records)) > limit:
            return False
        self._incoming.clear()
        self._buffer = rest
        self._base += len(buffer) - len(rest)
        self._ready = iter(records)
        self._make_room(limit - len(rest) + 1)
        return True

    def _join_searched(self, most: int) -> None:
        """Join what came in of the unfinished record and was searched, or put it aside if these are more bytes.

        All but what may be the beginning of the terminator; and not as chunks so short that Python keeps more for
        them than their bytes.
        """
        # The first of them is in the buffer.
        searched, self._incoming = [self._buffer, *self._incoming], []
        self._buffer = b""
        self._data_end = 0
        size = sum(map(len, searched))
        if size <= most:
            self._buffer = b"".join(searched)
            return
        self._single_next = None
        pattern = self._pattern
        if size < _SHORT * len(searched) or len(searched[-1]) < pattern.longest:
            searched = [b"".join(searched)]
        last = searched[-1]
        if self._count < 0 and last[-1] in pattern.inner_bytes:
            known = len(last) - pattern.held_back(last, 0)
            searched[-1], self._buffer = last[:known], last[known:]
            size -= len(self._buffer)
        self._pieces += searched
        self._pieces_size += size
        self._base += size

    def _rest_searched(self) -> None:
        """Note that there is no more to cut before more comes in, when _cut has found nothing."""
        size = self._data_end - self._position
        if size > _SHORT_REST and (not self._position or size > _LONG_REST):
            self._set_aside()
        elif self._position:
            self._base += self._position
            self._buffer = self._buffer[self._position :]
            self._position = 0
        if self._passing_over:
            return
        count, most, kept = self._count, self._record_limit, len(self._buffer) + self._pieces_size
        self._at_once = 0
        if 0 <= count < _NO_LIMIT:
            if count > most and not self._streamed:
                # The records face refuses it at once.
                return
            room = count - self._streamed - kept
        else:
            if self._event_limit < _NO_LIMIT:
                most -= self._streamed
            room = most - kept + 1
            if count < 0:
                if self._last_byte < 0:
                    return
                if self._window > 0 and not self._pieces and self._pattern_literal is not None:
                    self._at_once = min(self._window, most)
        self._make_room(room)

    def _make_room(self, room: int) -> None:
        """Let so many bytes come in before there is anything to look at; or fewer, lest too much is kept."""
        if room < _FEW:
            self._chunk_cost = 0
            self._room = room
        else:
            self._chunk_cost = _CHUNK_OBJECT
            self._room = min(room, _MOST_KEPT)

    def _look_behind(self, record: bytes) -> None:
        """Behind a long ``record``, note at once if none can end in the rest of the buffer."""
        buffer, start = self._buffer, self._position
        size = len(buffer) - start
        if (
            size >= len(record)
            or (size > _LONG_REST and start > size)
            or self._last_byte < 0
            or self._incoming
            or self._input_ended_by
            or (size and buffer[-1] in self._pattern.inner_bytes)
            or buffer.find(self._last_byte, start) >= 0
        ):
            return
        if size > _LONG_REST:
            self._pieces.append(memoryview(buffer)[start:])
            self._pieces_size = size
            self._base += len(buffer)
            self._buffer = b""
        else:
            self._base += start
            self._buffer = buffer[start:]
        self._position = self._at_once = 0
        # A record that is too long already leaves none.
        self._make_room(self._record_limit - size + 1)
