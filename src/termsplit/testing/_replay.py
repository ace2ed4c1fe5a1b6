"""Runs a grammar or a Chat against what was recorded of another run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from termsplit import Chat, Parse, Parser, Splitter

from ._entries import bytes_of, read_recording, terminator_of
from ._recording import Recorder

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._entries import Entry

__all__ = ["ReplayDiffers", "replay"]

_Replayable: TypeAlias = "Callable[[], Parse[Any] | Parser[Any] | Chat]"

# What is compared of a decision. The pieces of a record that was streamed are no decisions.
_DECISIONS = {
    "terminator": ("offset", "terminator"),
    "record": ("offset", "size", "end"),
    "skipped": ("size", "end"),
    "ended": ("offset", "clean"),
    "error": ("error", "offset"),
}
_OF_A_CHAT: dict[str, tuple[str, ...]] = {"recording": ("terminator",), "closes": ()}
# So many bytes are shown of data.
_SHOWN = 40


class ReplayDiffers(AssertionError):
    """A replay did not do what was recorded; the message shows the first difference.

    Attributes:
        line: the number of the line in the recording, from 1, that the replay has no match for; one more than there
            are if the replay went on.
    """

    def __init__(self, line: int, recorded: str, replayed: str) -> None:
        super().__init__(
            f"the replay differs from line {line} of the recording\n"
            f"  recorded  {recorded}\n"
            f"  replayed  {replayed}"
        )
        self.line = line


def replay(parse: _Replayable, recording: Iterable[str | bytes]) -> None:
    r"""Feed a grammar or a `Chat` what a recording says came in, and compare what it does.

    It must cut the same records at the same offsets, set the same terminators, meet the same errors and, if it is a
    `Chat`, send the same bytes. How the bytes were cut into chunks when they were sent, and the pieces of streamed
    records, do not count; nor does what it would do behind the place where the recorded program stopped. What a grammar or
    a callback raises is in no recording: it counts by what it keeps from happening.

    Args:
        parse: a grammar, a `Chat` class, or something that makes a `Parser` or a `Chat`.
        recording: what `record` wrote: a file, open for reading, or its lines.

    Raises:
        ReplayDiffers: it did something else; caused by what it raised there, if it did.
        TypeError: ``parse`` is none of these.
        ValueError: the recording is none.

    >>> import io
    >>> from termsplit.testing import record
    >>> def old():
    ...     return (yield b"\r\n")
    >>> def new():
    ...     return (yield b"\n")
    >>> parser, file = Parser(old), io.StringIO()
    >>> record(parser.splitter, file)
    >>> list(parser.feed(b"HELO example\r\n"))
    [b'HELO example']
    >>> recording = file.getvalue().splitlines()
    >>> replay(old, recording)
    >>> replay(new, recording)
    Traceback (most recent call last):
    ...
    termsplit.testing._replay.ReplayDiffers: the replay differs from line 3 of the recording
      recorded  terminator b'\r\n' at offset 0
      replayed  terminator b'\n' at offset 0
    """
    __tracebackhide__ = True
    run = _Run(parse, list(read_recording(recording)))
    run.go()
    differences = [*run.other_decisions(), *run.other_output()]
    if differences:
        raise min(differences, key=lambda difference: difference.line) from run.raised


class _Run:
    """A replay, and what came of it."""

    def __init__(self, parse: _Replayable, entries: list[Entry]) -> None:
        self.raised: Exception | None = None
        self._entries = entries
        self._output = bytearray()
        self._stream = bytearray()
        self._begin: int = entries[0]["offset"]
        self._chat: Chat | None = None
        made = parse()
        if isinstance(made, Chat):
            self._chat = made
            splitter: Splitter = made.connection
        elif isinstance(made, Parser):
            self._parser = made
            splitter = made.splitter
        elif inspect.isgenerator(made):
            made.close()
            splitter = Splitter(max_size=entries[0]["max_size"])
            self._parser = Parser(cast("Callable[[], Parse[Any]]", parse), splitter)
        else:
            raise TypeError(
                "expected a grammar, a Chat class, or something that makes a Chat or a Parser, "
                f"got a callable that makes {type(made).__name__}"
            )
        self._splitter = splitter
        splitter._base += self._begin
        kinds = dict(_DECISIONS) if self._chat is None else {**_DECISIONS, **_OF_A_CHAT}
        self._kinds: dict[str, tuple[str, ...]] = kinds
        self._expected = [
            (line, entry) for line, entry in enumerate(entries, 1) if entry["what"] in kinds
        ]
        told = (entry["what"] for entry in reversed(entries))
        last = next((what for what in told if what in (*_DECISIONS, "waiting")), "")
        self._stopped_early = last not in ("waiting", "ended")
        self._decisions: list[Entry] = []
        self._pushed: list[int | None] = []
        Recorder(splitter, self._note)

    def _note(self, entry: Entry) -> None:
        if entry["what"] in self._kinds:
            self._decisions.append(entry)
        elif entry["what"] == "pushed":
            self._pushed.append(entry["size"])
        elif entry["what"] == "sent":
            self._output += bytes_of(entry)

    def go(self) -> None:
        """Feed it all that came in."""
        for entry in self._entries:
            if entry["what"] == "received":
                data = bytes_of(entry)
                self._stream += data
                self._splitter.receive_data(data)
            elif entry["what"] == "eof":
                self._splitter.receive_eof()
            else:
                continue
            self._take()

    def _take(self) -> None:
        """Let it take what there is, and go on after errors, as long as the recorded program may have."""
        while len(self._decisions) <= len(self._expected):
            so_far = len(self._decisions)
            try:
                if self._chat is None:
                    for _ in self._parser.messages():
                        pass
                else:
                    self._run_chat(self._chat)
            except Exception as error:  # noqa: BLE001 - it is the cause of the difference it makes
                # One that the connection raised is a decision, and compared as such.
                told = self._decisions[-1:]
                if self.raised is None and not (told and told[0]["what"] == "error"):
                    self.raised = error
                if len(self._decisions) == so_far:
                    return
            else:
                return

    def _run_chat(self, chat: Chat) -> None:
        try:
            chat.dispatch()
        finally:
            while data := chat.connection.data_to_send():
                chat.connection.data_sent(len(data))

    def other_decisions(self) -> Iterator[ReplayDiffers]:
        """The first decision that is not what was recorded."""
        for index, (line, recorded) in enumerate(self._expected):
            if index == len(self._decisions):
                yield ReplayDiffers(line, self._told(recorded), self._nothing())
                return
            replayed = self._decisions[index]
            compared = ("what", *self._kinds[recorded["what"]])
            if any(recorded[key] != replayed.get(key) for key in compared):
                yield ReplayDiffers(line, self._told(recorded), self._told(replayed))
                return
        if len(self._decisions) > len(self._expected) and not self._stopped_early:
            more = self._decisions[len(self._expected)]
            yield ReplayDiffers(len(self._entries) + 1, "nothing more", self._told(more))

    def other_output(self) -> Iterator[ReplayDiffers]:
        """The first output of a Chat that is not what was recorded."""
        if self._chat is None:
            return
        for line, entry in enumerate(self._entries, 1):
            if entry["what"] == "sent":
                data, offset = bytes_of(entry), entry["offset"]
                sent = bytes(self._output[offset : offset + len(data)])
                if sent != data:
                    pairs = enumerate(zip(data, sent, strict=False))
                    index = next((i for i, (a, b) in pairs if a != b), len(sent))
                    yield ReplayDiffers(
                        line, _sent(data, index, offset), _sent(sent, index, offset)
                    )
                    return
        recorded = [entry["size"] for entry in self._entries if entry["what"] == "pushed"]
        # What a producer makes is not known before it is sent.
        if None not in (*recorded, *self._pushed) and not self._stopped_early:
            sizes = sum(recorded), sum(cast("list[int]", self._pushed))
            if sizes[0] != sizes[1]:
                told = (f"{size} bytes pushed in all" for size in sizes)
                yield ReplayDiffers(len(self._entries) + 1, *told)

    def _nothing(self) -> str:
        return "nothing more" if self.raised is None else f"nothing more; it raised {self.raised!r}"

    def _told(self, entry: Entry) -> str:
        """A decision, in words."""
        what = entry["what"]
        if what in ("terminator", "recording"):
            return f"terminator {terminator_of(entry['terminator'])!r} at offset {entry['offset']}"
        if what == "record":
            begin = entry["offset"] - self._begin
            data = bytes(self._stream[begin : begin + min(entry["size"], _SHOWN + 1)])
            return (
                f"a record of {entry['size']} bytes at offset {entry['offset']}, which ends at "
                f"{entry['end']}: {_shortened(data)}"
            )
        if what == "skipped":
            return f"a record of {entry['size']} bytes passed over, up to offset {entry['end']}"
        if what == "ended":
            return f"the end of the stream, {'clean' if entry['clean'] else 'in a record'}"
        if what == "error":
            return f"{entry['error']}: {entry['message']}"
        return "close_when_done()"


def _sent(data: bytes, index: int, offset: int) -> str:
    if index == len(data):
        return f"nothing sent at offset {offset + index}"
    return f"sent {_shortened(data[index:])} at offset {offset + index}"


def _shortened(data: bytes) -> str:
    return repr(data) if len(data) <= _SHOWN else f"{data[:_SHOWN]!r} and more"
