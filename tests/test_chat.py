from __future__ import annotations

from typing import Any

import pytest

from termsplit import (
    AnyOf,
    Chat,
    Connection,
    Limited,
    LocalProtocolError,
    RecordTooLong,
    Terminator,
)


class Refused(Exception):
    """What the callbacks below raise."""


class Recorder(Chat):
    """Notes every callback, and does what was asked of it at some of them."""

    def __init__(self, terminator: Terminator = b"\n", **arguments: Any) -> None:
        super().__init__(terminator, **arguments)
        self.calls: list[Any] = []
        self.refuse: list[Any] = []

    def note(self, call: object) -> None:
        self.calls.append(call)
        if call in self.refuse:
            self.refuse.remove(call)
            raise Refused(call)

    def collect_incoming_data(self, data: bytes) -> None:
        self.note(data)

    def found_terminator(self) -> None:
        self.note("found")

    def record_skipped(self, size: int) -> None:
        self.note(("skipped", size))

    def eof_received(self, clean: bool) -> None:
        self.note(("eof", clean))
        super().eof_received(clean)


class TestCallbacks:
    def test_they_come_in_order(self) -> None:
        chat = Recorder()
        for data in (b"a\n", b"b", b"c\n\nd"):
            chat.feed(data)
        assert chat.calls == [b"a", "found", b"b", b"c", "found", "found", b"d"]

    @pytest.mark.parametrize("call", ["collect_incoming_data", "found_terminator"])
    def test_those_that_must_be_implemented_say_so(self, call: str) -> None:
        chat = Chat(b"\n")
        with pytest.raises(NotImplementedError, match=call):
            chat.feed(b"a" if call == "collect_incoming_data" else b"\n")

    @pytest.mark.parametrize(("data", "clean"), [(b"a\n", True), (b"a", False), (b"", True)])
    def test_the_end_of_the_stream_is_delivered_once_and_closes(
        self, data: bytes, clean: bool
    ) -> None:
        chat = Recorder()
        chat.feed(data)
        chat.push(b"answer")
        for _ in range(2):
            chat.feed_eof()
        assert chat.calls.count(("eof", clean)) == 1
        assert chat.connection.closing
        assert chat.connection.data_to_send() == b"answer"

    def test_a_chat_that_does_not_close_hears_of_the_end_once(self) -> None:
        class Open(Recorder):
            def eof_received(self, clean: bool) -> None:
                self.note("eof")

        chat = Open()
        for _ in range(3):
            chat.feed_eof()
        assert chat.calls == ["eof"]
        chat.push(b"still open")

    def test_the_terminator_may_change_at_any_call(self) -> None:
        class Counted(Recorder):
            def found_terminator(self) -> None:
                size = self.calls.pop()
                self.set_terminator(int(size) if size.isdigit() else b":")
                self.calls.append(size + b"!")

        chat = Counted(b":")
        chat.feed(b"5:hello3:a:b1:")
        chat.feed(b"x")
        assert chat.calls == [b"5!", b"hello!", b"3!", b"a:b!", b"1!", b"x!"]
        assert chat.get_terminator() == b":"

    def test_what_does_nothing_unless_overridden(self) -> None:
        chat = Chat(b"\n")
        chat.connection_lost(None)
        chat.record_skipped(3)
        assert not chat.connection.output_pending


class TestRaising:
    """Contract 5: a callback that raises has had its data, and what is behind it is still there."""

    @pytest.mark.parametrize("terminator", [b"\n", AnyOf(b"\n", b"\r\n"), Limited(b"\n", 3)])
    @pytest.mark.parametrize("call", [b"2", b"5", b"17", "found"])
    def test_in_the_middle_of_a_chunk(self, terminator: Terminator, call: object) -> None:
        data = b"".join(b"%d\n" % i for i in range(20))
        chat = Recorder(terminator)
        chat.refuse = [call]
        with pytest.raises(Refused):
            chat.feed(data)
        assert chat.calls[-1] == call
        chat.feed(b"")
        assert chat.calls == [call for i in range(20) for call in (b"%d" % i, "found")]

    def test_at_the_end_of_the_stream(self) -> None:
        chat = Recorder()
        chat.refuse = [("eof", True)]
        with pytest.raises(Refused):
            chat.feed_eof()
        chat.dispatch()
        assert chat.calls == [("eof", True)]

    def test_a_callback_may_feed_its_own_chat(self) -> None:
        class Nested(Recorder):
            def found_terminator(self) -> None:
                self.note("found")
                if self.calls.count("found") == 1:
                    self.feed(b"c\n")

        chat = Nested()
        chat.feed(b"a\nb\n")
        assert chat.calls == [b"a", "found", b"b", "found", b"c", "found"]


class TestTooLong:
    def test_it_is_raised_out_of_dispatch(self) -> None:
        chat = Recorder(Limited(b"\n", 3))
        with pytest.raises(RecordTooLong) as raised:
            chat.feed(b"abcdef\ngh\n")
        assert (raised.value.limit, raised.value.offset) == (3, 3)
        chat.dispatch()
        assert chat.calls == [b"abc", b"gh", "found"]

    def test_it_may_be_heard_of_instead(self) -> None:
        class Hearing(Recorder):
            def record_too_long(self, error: RecordTooLong) -> None:
                self.note(error.args)

        chat = Hearing(Limited(b"\n", 3))
        chat.feed(b"abcdef\ngh\n")
        assert chat.calls == [b"abc", (3, 3), b"gh", "found"]

    def test_it_may_be_skipped(self) -> None:
        chat = Recorder(Limited(b"\n", 3))
        chat.too_long = "skip"
        chat.feed(b"abcdef\ngh\n")
        assert chat.calls == [b"abc", ("skipped", 6), b"gh", "found"]

    def test_one_that_is_not_about_this_connection_is_not_heard_of(self) -> None:
        class Relay(Recorder):
            def found_terminator(self) -> None:
                raise RecordTooLong(1, 2)

            def record_too_long(self, error: RecordTooLong) -> None:
                self.note("heard")

        chat = Relay()
        with pytest.raises(RecordTooLong):
            chat.feed(b"a\n")
        assert chat.calls == [b"a"]


class TestSending:
    def test_verbs_go_to_the_connection(self) -> None:
        connection = Connection()
        chat = Chat(b";", connection=connection)
        assert chat.connection is connection
        assert connection.get_terminator() == chat.get_terminator() == b";"
        chat.set_terminator(5)
        assert connection.get_terminator() == 5
        chat.push(b"a")
        assert connection.data_to_send() == b"a"
        chat.discard_buffers()
        chat.push_producer([b"b"])
        chat.close_when_done()
        assert connection.data_to_send() == b"b"
        with pytest.raises(LocalProtocolError):
            chat.push(b"c")

    def test_a_connection_given_keeps_its_terminator(self) -> None:
        assert Chat(connection=Connection(b"\n")).get_terminator() == b"\n"

    def test_after_close_when_done_there_are_no_more_calls(self) -> None:
        class Quitting(Recorder):
            def found_terminator(self) -> None:
                self.note("found")
                if self.calls[-2] == b"quit":
                    self.close_when_done()

        chat = Quitting()
        chat.feed(b"a\nquit\nb\n")
        assert chat.calls == [b"a", "found", b"quit", "found"]
        chat.feed(b"c\n")
        chat.feed_eof()
        assert chat.calls == [b"a", "found", b"quit", "found"]
        assert chat.connection.trailing_data == b"b\nc\n"

    def test_dispatch_may_stop_while_the_output_is_congested(self) -> None:
        class Echo(Recorder):
            def found_terminator(self) -> None:
                self.push(self.calls[-1] * 5)

        chat = Echo(connection=Connection(high_water=8, low_water=2))
        connection = chat.connection
        connection.receive_data(b"a\nb\nc\nd\n")
        for _ in range(2):
            chat.dispatch(until_congested=True)
            assert chat.calls == [b"a", b"b"]
        connection.data_to_send()
        connection.data_sent(8)
        chat.dispatch(until_congested=True)
        assert chat.calls == [b"a", b"b", b"c", b"d"]
        assert connection.congested
        assert connection.buffered == 12


def test_what_to_do_about_too_long_ones_is_refused_if_misspelt() -> None:
    chat = Recorder(Limited(b"\n", 2))
    chat.too_long = "Skip"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValueError, match='"raise" or "skip", got \'Skip\''):
        chat.feed(b"long\nok\n")
    assert chat.calls == []
    chat.too_long = "skip"
    chat.dispatch()
    assert chat.calls == [b"lo", ("skipped", 4), b"ok", "found"]
