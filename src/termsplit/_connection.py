"""The two machines of one peer together: what comes in and what goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._engine import DEFAULT_MAX_SIZE
from ._producers import DEFAULT_HIGH_WATER, ProducerQueue
from ._splitter import Splitter

if TYPE_CHECKING:
    from ._terminators import Terminator

__all__ = ["Connection"]


class Connection(Splitter, ProducerQueue):
    r"""One peer's byte stream, both ways, without the socket: a `Splitter` and a `ProducerQueue`.

    Args:
        terminator: what ends the first record, as for `set_terminator`.
        max_size: the longest record that accumulates, in bytes; None for no limit.
        high_water: more than so many buffered bytes make the output `congested`.
        low_water: so few end that again; a quarter of ``high_water`` if left out.

    Raises:
        TypeError, ValueError: a bad argument.

    >>> connection = Connection(b"\n")
    >>> connection.receive_data(b"ping\nping\n")
    True
    >>> for record in connection.records():
    ...     connection.push(record.replace(b"i", b"o") + b"\n")
    >>> connection.data_to_send()
    b'pong\npong\n'
    """

    def __init__(
        self,
        terminator: Terminator = None,
        *,
        max_size: int | None = DEFAULT_MAX_SIZE,
        high_water: int = DEFAULT_HIGH_WATER,
        low_water: int | None = None,
    ) -> None:
        Splitter.__init__(self, terminator, max_size=max_size)
        ProducerQueue.__init__(self, high_water=high_water, low_water=low_water)
        self._aborted = False

    def abort(self) -> None:
        """Drop what is queued and what is not taken, and have the transport closed at once. Idempotent."""
        self._aborted = True
        self.detach()
        self.discard_buffers()
        self.close_when_done()

    @property
    def aborted(self) -> bool:
        """Whether `abort` was called, so that the transport should be closed at once."""
        return self._aborted
