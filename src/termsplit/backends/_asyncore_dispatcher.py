"""What asyncore's streams and servers have in common: exceptions come out of the loop, and are not printed by it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ._asyncore import asyncore

if TYPE_CHECKING:
    from types import TracebackType


class Dispatcher(asyncore.dispatcher):
    """A dispatcher whose callbacks' exceptions come out of the loop."""

    # As asyncore has them, but typed.
    socket: Any
    addr: Any
    _map: dict[int, Any]

    _escaping: OSError | None = None

    def handle_error(self) -> None:
        """Called in an except clause: close, and let the exception out of the loop."""
        error = sys.exc_info()[1]
        assert isinstance(error, Exception)
        self._escape(error)

    def handle_close(self) -> None:
        """Called in an except clause, and for a hang-up."""
        if self._escaping is not None:
            self._escape(self._escaping)

    def _escape(self, error: Exception) -> None:
        self.close()
        raise error


class Callbacks:
    """Where callbacks are made: asyncore would take their OSErrors for the socket's own.

    It may call handle_close for one, instead of handle_error.
    """

    __slots__ = ("_dispatcher",)

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            self._dispatcher._escaping = error
