"""A state machine for hypothesis: whole dialogues with a chat, in any order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from termsplit import Chat, RemoteProtocolError

from ._outcome import Raised, same
from ._picture import draw_difference
from ._push_parser import Sent

if TYPE_CHECKING:
    import hypothesis.strategies

__all__ = ["Dialogue"]


class Dialogue(RuleBasedStateMachine):
    r"""Whole dialogues with a `Chat`: the peer sends, in chunks, the application pushes, the transport takes a part, ...

    Subclass it, say how the chat is made and what the peer may send, and add what must always hold as rules
    and invariants of your own (`hypothesis.stateful`). Its ``TestCase`` is what pytest or unittest runs.

    At the end of a dialogue the same one is held again with another chat, whose input is cut as little as can be, and
    whose output is taken only at the end. It must send the same bytes, raise the same errors, and look the same
    to `observe`. (So a chat that heeds whether its output is congested is not for this.)

    >>> from hypothesis import strategies as st
    >>> class Echo(Chat):
    ...     def __init__(self):
    ...         super().__init__(b"\n")
    ...         self.line = b""
    ...
    ...     def collect_incoming_data(self, data):
    ...         self.line += data
    ...
    ...     def found_terminator(self):
    ...         self.push(self.line + b"\n")
    ...         self.line = b""
    >>> class EchoDialogue(Dialogue):
    ...     peer_sends = st.sampled_from([b"a", b"bc\n", b"\n\n"])
    ...
    ...     def make(self):
    ...         return Echo()
    >>> TestEcho = EchoDialogue.TestCase
    """

    peer_sends: hypothesis.strategies.SearchStrategy[bytes] = st.binary(max_size=20)
    """The chunks that the peer may send."""

    application_pushes: hypothesis.strategies.SearchStrategy[bytes] | None = None
    """What the application may push of its own accord; None for nothing."""

    errors: type[Exception] | tuple[type[Exception], ...] = (RemoteProtocolError, ValueError)
    """What the chat may raise to say that the data is at fault."""

    def __init__(self) -> None:
        super().__init__()
        self.chat = self.make()
        """The chat of this dialogue."""
        self.sent = b""
        """What the transport has taken of its output."""
        self._errors: list[object] = []
        self._history: list[tuple[str, bytes]] = []
        self._ended = False
        self._sound = True

    def make(self) -> Chat:
        """Make a new chat; called twice in each dialogue."""
        raise NotImplementedError("a Dialogue must implement make()")

    def observe(self, chat: Chat) -> object:
        """What else about a chat must not depend on how it was fed; None, unless overridden."""
        return None

    # What can happen.

    @precondition(lambda self: not self._ended and not self.chat.connection.closing)
    @rule(data=st.data())
    def peer_sends_a_chunk(self, data: hypothesis.strategies.DataObject) -> None:
        """Feed the chat a chunk."""
        self._happen("feed", data.draw(self.peer_sends, label="chunk"))

    @precondition(lambda self: not self._ended)
    @rule()
    def peer_ends(self) -> None:
        """Feed the chat the end of the stream."""
        self._ended = True
        self._happen("feed_eof")

    @precondition(
        lambda self: self.application_pushes is not None and not self.chat.connection.closing
    )
    @rule(data=st.data())
    def application_pushes_data(self, data: hypothesis.strategies.DataObject) -> None:
        """Push data onto the chat."""
        assert self.application_pushes is not None
        self._happen("push", data.draw(self.application_pushes, label="pushed"))

    @rule()
    def application_closes(self) -> None:
        """Call `Chat.close_when_done`."""
        self._happen("close_when_done")

    @rule(data=st.data())
    def transport_takes_a_part(self, data: hypothesis.strategies.DataObject) -> None:
        """Take the first bytes of the output, or none."""
        connection = self.chat.connection
        shown = bytes(connection.data_to_send(data.draw(st.integers(1, 64), label="max_bytes")))
        count = data.draw(st.integers(0, len(shown)), label="taken")
        connection.data_sent(count)
        self.sent += shown[:count]

    def teardown(self) -> None:
        """Compare with the same dialogue, cut as little as can be."""
        if not self._sound:
            return
        chat = self.make()
        errors: list[object] = []
        for call, happened in groupby(self._history, lambda item: item[0]):
            _happen(chat, call, b"".join(data for _, data in happened), self.errors, errors)
        expected = [Sent(_drain(chat)), *errors, self.observe(chat)]
        got = [Sent(self.sent + _drain(self.chat)), *self._errors, self.observe(self.chat)]
        if not same(expected, got):
            raise AssertionError(
                "the dialogue depends on how the bytes are cut\n\n"
                + draw_difference(expected, got, same)
            )

    def _happen(self, call: str, data: bytes = b"") -> None:
        self._sound = False
        self._history.append((call, data))
        _happen(self.chat, call, data, self.errors, self._errors)
        self._sound = True


def _happen(
    chat: Chat,
    call: str,
    data: bytes,
    verdicts: type[Exception] | tuple[type[Exception], ...],
    errors: list[object],
) -> None:
    """Let one thing happen to a chat, and let it go on after errors."""
    step: Callable[[], None]
    if call in ("feed", "push"):
        step = partial(getattr(chat, call), data)
    else:
        step = getattr(chat, call)
    while True:
        left = chat.connection.trailing_data
        try:
            step()
            return
        except verdicts as error:
            raised = Raised(error)
        if (
            step == chat.dispatch
            and chat.connection.trailing_data == left
            and same(raised, errors[-1])
        ):
            return
        errors.append(raised)
        step = chat.dispatch


def _drain(chat: Chat) -> bytes:
    sent = b""
    while data := chat.connection.data_to_send():
        sent += data
        chat.connection.data_sent(len(data))
    return sent
