"""What programs see of `termsplit.asynchat`: each test of the contract runs on the original as well."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
from collections import deque
from typing import Any

import pytest

asyncore = pytest.importorskip("asyncore")
original = pytest.importorskip("asynchat")

from termsplit import asynchat  # noqa: E402 - only with asyncore
from tests.wired import Wired, wired  # noqa: E402

NAMES = """
    collect_incoming_data found_terminator _collect_incoming_data _get_data incoming
    ac_in_buffer ac_in_buffer_size ac_out_buffer_size use_encoding encoding set_terminator
    get_terminator producer_fifo push push_with_producer close_when_done initiate_send
    readable writable handle_read handle_write handle_close discard_buffers
"""


@pytest.fixture(params=["original", "ours"])
def module(request: pytest.FixtureRequest) -> Any:
    return original if request.param == "original" else asynchat


class Producer:
    def __init__(self, *pieces: Any) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def more(self) -> Any:
        self.asked += 1
        return self.pieces.pop(0) if self.pieces else b""


# The surface.


def test_every_name_of_the_original_is_there(module: Any) -> None:
    class Everything(module.async_chat):  # type: ignore[misc]
        pass

    chat = Everything(map={})
    for name in NAMES.split():
        assert hasattr(chat, name), name
    assert (chat.ac_in_buffer_size, chat.ac_out_buffer_size) == (65536, 65536)
    assert (chat.use_encoding, chat.encoding) == (0, "latin-1")
    assert (chat.ac_in_buffer, chat.incoming, chat.producer_fifo) == (b"", [], deque())
    assert chat.readable()
    assert module.simple_producer
    assert module.find_prefix_at_end


def test_it_is_a_dispatcher_in_the_map_it_is_given(module: Any) -> None:
    here, there = socket.socketpair()
    with here, there:
        channels: dict[int, Any] = {}
        chat = module.async_chat(here, channels)
        assert isinstance(chat, asyncore.dispatcher)
        assert channels == {here.fileno(): chat}
        assert chat.connected
        assert not here.getblocking()
        chat.close()
        assert channels == {}


def test_without_a_socket_it_is_not_connected(module: Any) -> None:
    chat = module.async_chat()
    assert not chat.connected
    assert chat.writable()


def test_the_callbacks_are_to_be_implemented(module: Any) -> None:
    chat = module.async_chat()
    with pytest.raises(NotImplementedError):
        chat.collect_incoming_data(b"data")
    with pytest.raises(NotImplementedError):
        chat.found_terminator()


def test_data_put_aside_is_got_once(module: Any) -> None:
    chat = module.async_chat()
    chat._collect_incoming_data(b"one ")
    chat._collect_incoming_data(b"record")
    assert chat.incoming == [b"one ", b"record"]
    assert chat._get_data() == b"one record"
    assert chat._get_data() == b""


def test_init_again_empties_the_buffers(module: Any) -> None:
    chat = wired(module)
    chat.read(b"one\r")
    chat.room = 0
    chat.push(b"unsent")
    chat._collect_incoming_data(b"aside")
    module.async_chat.__init__(chat, map={})
    assert (chat.ac_in_buffer, chat.incoming, chat.producer_fifo) == (b"", [], deque())


def test_init_again_in_a_callback_drops_the_rest_of_the_read(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == 3:
            module.async_chat.__init__(chat, map={})

    chat = wired(module, found_terminator=found_terminator)
    assert chat.read(b"1\r\n2\r\n3\r\n4\r\n5") == [b"1", "found", b"2", "found", b"3", "found"]


# Terminators.


def test_a_record_ends_at_the_terminator(module: Any) -> None:
    assert wired(module).read(b"one\r\n", b"tw", b"o\r\n") == [
        b"one",
        "found",
        b"tw",
        b"o",
        "found",
    ]


def test_empty_data_is_never_reported(module: Any) -> None:
    assert wired(module).read(b"\r\n\r\na\r\n\r\n") == ["found", "found", b"a", "found", "found"]


@pytest.mark.parametrize("chunk", [b"one\r\ntwo\r\nthree", b"one\r\ntwo\r\nthree\r", b"\r\n" * 7])
def test_data_comes_in_the_same_read_in_the_same_pieces(module: Any, chunk: bytes) -> None:
    chat = wired(module)
    log = chat.read(chunk, b"\n", b"x", b"\r", b"\r", b"\n")
    assert log == wired(original).read(chunk, b"\n", b"x", b"\r", b"\r", b"\n")
    assert log.count("found") == chunk.count(b"\r\n") + (2 if chunk.endswith(b"three\r") else 1)


def test_only_what_may_be_the_terminator_is_held_back(module: Any) -> None:
    chat = wired(module, b"abcabd")
    assert chat.read(b"xabcab") == [b"x"]
    assert chat.ac_in_buffer == b"abcab"
    assert chat.read(b"c") == [b"abc"]
    assert chat.ac_in_buffer == b"abc"
    assert chat.read(b"abd!") == ["found", b"!"]


@pytest.mark.parametrize("terminator", [0, b"", None])
def test_no_terminator_collects_everything(module: Any, terminator: object) -> None:
    chat = wired(module, terminator)
    assert chat.read(b"all\r\nof it", b"and more") == [b"all\r\nof it", b"and more"]
    assert chat.get_terminator() == terminator


def test_a_count_counts_down_and_ends_at_0(module: Any) -> None:
    chat = wired(module, 5)
    assert chat.read(b"ab") == [b"ab"]
    assert chat.get_terminator() == 3
    assert chat.read(b"cdefg") == [b"cde", "found", b"fg"]
    assert chat.get_terminator() == 0


def test_a_count_is_0_already_when_it_is_reported(module: Any) -> None:
    seen = []
    chat = wired(module, 2, found_terminator=lambda chat: seen.append(chat.get_terminator()))
    chat.read(b"abcd")
    assert seen == [0]


def test_a_count_that_is_set_anew_goes_on_in_the_same_read(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        chat.set_terminator(2)

    chat = wired(module, 3, found_terminator=found_terminator)
    assert chat.read(b"abcdefgh") == [b"abc", "found", b"de", "found", b"fg", "found", b"h"]
    assert chat.get_terminator() == 1


def test_a_count_below_what_collect_incoming_data_just_got_counts_from_the_end(module: Any) -> None:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        Wired.collect_incoming_data(chat, data)
        if data == b"abc":
            chat.set_terminator(1)

    chat = wired(module, 5, collect_incoming_data=collect_incoming_data)
    assert chat.read(b"abc") == [b"abc"]
    assert chat.get_terminator() == -2
    assert chat.read(b"defgh") == [b"def", "found", b"gh"]


def test_a_negative_count_is_refused(module: Any) -> None:
    with pytest.raises(ValueError):
        module.async_chat().set_terminator(-1)


def test_there_is_no_terminator_before_one_is_set(module: Any) -> None:
    chat = module.async_chat()
    assert not hasattr(chat, "terminator")
    with pytest.raises(AttributeError):
        chat.get_terminator()


def test_a_terminator_counts_however_it_was_set(module: Any) -> None:
    on_the_class = type("OnTheClass", (Wired, module.async_chat), {"terminator": b";"})()
    assert on_the_class.read(b"a;b") == [b"a", "found", b"b"]

    class BeforeInit(Wired, module.async_chat):  # type: ignore[misc]
        def __init__(self) -> None:
            self.set_terminator(b";")
            super().__init__()

    assert BeforeInit().read(b"a;b") == [b"a", "found", b"b"]

    assigned = wired(module)
    assigned.terminator = b";"
    assert assigned.read(b"a;b") == [b"a", "found", b"b"]


def test_the_terminator_may_change_in_found_terminator(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        chat.set_terminator(4 if chat.get_terminator() == b"\r\n" else b"\r\n")

    chat = wired(module, found_terminator=found_terminator)
    log = chat.read(b"head\r\nbodyhead\r\n\r\n\r\n")
    assert log == [b"head", "found", b"body", "found", b"head", "found", b"\r\n\r\n", "found"]


def test_a_terminator_set_in_collect_incoming_data_holds_from_the_next_record(module: Any) -> None:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        Wired.collect_incoming_data(chat, data)
        chat.set_terminator(b";")

    chat = wired(module, collect_incoming_data=collect_incoming_data)
    assert chat.read(b"a\r\nb\r\n;c") == [b"a", "found", b"b\r\n", "found", b"c"]


def test_after_many_records_the_terminator_may_still_change_at_any(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") % 100 == 0:
            chat.set_terminator(b"." if chat.get_terminator() == b"\r\n" else b"\r\n")

    chat = wired(module, found_terminator=found_terminator)
    chunk = b"a.\r\n" * 1000
    assert chat.read(chunk) == wired(original, found_terminator=found_terminator).read(chunk)


def test_get_terminator_may_be_overridden(module: Any) -> None:
    def get_terminator(chat: Any) -> bytes:
        return b";" if chat.log.count("found") < 3 else b"!"

    chat = wired(module, get_terminator=get_terminator)
    log = chat.read(b"1;2;3;4;5!6;7!")
    assert log == [b"1", "found", b"2", "found", b"3", "found", b"4;5", "found", b"6;7", "found"]


def test_a_callback_may_be_replaced_on_the_object(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == 3:
            chat.found_terminator = lambda: chat.log.append("found by another")

    chat = wired(module, found_terminator=found_terminator)
    assert chat.read(b"\r\n" * 5) == ["found"] * 3 + ["found by another"] * 2


# What is in ac_in_buffer, and what changing it does.


def seen_in_ac_in_buffer(module: Any, chunk: bytes, terminator: Any = b"\r\n") -> list[Any]:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        chat.log.append((data, chat.ac_in_buffer))

    def found_terminator(chat: Any) -> None:
        chat.log.append(chat.ac_in_buffer)

    callbacks = {
        "collect_incoming_data": collect_incoming_data,
        "found_terminator": found_terminator,
    }
    log: list[Any] = wired(module, terminator, **callbacks).read(chunk)
    return log


def test_ac_in_buffer_shows_what_was_not_delivered(module: Any) -> None:
    assert seen_in_ac_in_buffer(module, b"1\r\n2\r\n\r\n3\r") == [
        (b"1", b"1\r\n2\r\n\r\n3\r"),
        b"2\r\n\r\n3\r",
        (b"2", b"2\r\n\r\n3\r"),
        b"\r\n3\r",
        b"3\r",
        (b"3", b"3\r"),
    ]
    assert seen_in_ac_in_buffer(module, b"12345", 3) == [(b"123", b"12345"), b"45", (b"45", b"45")]


def test_ac_in_buffer_is_right_deep_in_a_long_chunk(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") in {1, 77, 78, 300}:
            chat.log.append(chat.ac_in_buffer)

    chunk = b"".join(b"%d\r\n" % n for n in range(400))
    log = wired(module, found_terminator=found_terminator).read(chunk)
    rests = [item for item in log if isinstance(item, bytes) and b"\r\n" in item]
    assert rests == [chunk[chunk.index(b"\r\n%d\r\n" % n) + 2 :] for n in (1, 77, 78, 300)]


@pytest.mark.parametrize("record", [1, 2, 50])
def test_ac_in_buffer_may_be_assigned_in_found_terminator(module: Any, record: int) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == record:
            chat.ac_in_buffer = b"replaced\r\nrest"

    chat = wired(module, found_terminator=found_terminator)
    log = chat.read(b"r\r\n" * 60)
    assert log == [b"r", "found"] * record + [b"replaced", "found", b"rest"]


@pytest.mark.parametrize("record", [1, 2, 50])
def test_an_assignment_in_collect_incoming_data_is_cut_by_the_record(
    module: Any, record: int
) -> None:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        Wired.collect_incoming_data(chat, data)
        if data == b"r" and chat.log.count(b"r") == record:
            chat.ac_in_buffer = b"???replaced\r\nrest"
            chat.log.append("assigned")

    chat = wired(module, collect_incoming_data=collect_incoming_data)
    log = chat.read(b"r\r\n" * 60)
    expected = [b"r", "found"] * (record - 1) + [b"r", "assigned", "found", b"replaced", "found"]
    assert log == [*expected, b"rest"]


@pytest.mark.parametrize("record", [1, 2, 50])
def test_the_same_read_can_be_had_again(module: Any, record: int) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == record:
            chat.ac_in_buffer = b"again\r\n" + chat.ac_in_buffer

    chat = wired(module, found_terminator=found_terminator)
    log = chat.read(b"r\r\n" * 60)
    assert log == [b"r", "found"] * record + [b"again", "found"] + [b"r", "found"] * (60 - record)


def test_an_ac_in_buffer_of_the_programs_own_is_used(module: Any) -> None:
    chat = wired(module, ac_in_buffer=b"declared on the class")
    assert chat.read(b"a\r\nb\r\nc\r") == [b"a", "found", b"b", "found", b"c"]
    assert chat.ac_in_buffer == b"\r"
    assert chat.read(b"\n") == ["found"]

    class Own(Wired, module.async_chat):  # type: ignore[misc]
        @property
        def ac_in_buffer(self) -> bytes:
            return self.kept

        @ac_in_buffer.setter
        def ac_in_buffer(self, value: bytes) -> None:
            self.kept = value

    own = Own()
    own.set_terminator(b"\r\n")
    assert own.read(b"a\r\nb\r\n" * 20 + b"c\r") == [b"a", "found", b"b", "found"] * 20 + [b"c"]
    assert own.kept == b"\r"


def test_a_bytearray_in_ac_in_buffer_is_cut_as_well(module: Any) -> None:
    chat = wired(module)
    chat.ac_in_buffer = bytearray(b"a\r\nb\r\n")
    assert chat.read(b"c\r\nd") == [b"a", "found", b"b", "found", b"c", "found", b"d"]
    chat.ac_in_buffer = b""
    chat.terminator = bytearray(b"--")
    assert chat.read(b"e--f-", b"-g") == [b"e", "found", b"f", "found", b"g"]
    chat.terminator += b">"
    assert chat.read(b"h--i-->j--", b">") == [b"h--i", "found", b"j", "found"]


def test_reading_inside_a_callback(module: Any) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.wire:
            chat.handle_read()

    chat = wired(module, found_terminator=found_terminator)
    chat.wire = [b"1\r\n2\r\n3", b"4\r\n5\r\n"]
    chat.handle_read()
    assert chat.log == [b"1", "found", b"2", "found", b"34", "found", b"5", "found"]


@pytest.mark.parametrize("record", [1, 2, 50])
def test_reading_inside_a_callback_may_raise(module: Any, record: int) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        found = chat.log.count("found")
        if found == record:
            with pytest.raises(RuntimeError):
                chat.read(b"s")
        elif found == record + 2:
            raise RuntimeError("in the program")

    chat = wired(module, found_terminator=found_terminator)
    assert chat.read(b"r\r\n" * 60) == [b"r", "found"] * 60 + [b"s"]


@pytest.mark.parametrize("records", [3, 60])
def test_reading_nothing_inside_a_callback_that_raises_goes_on_where_it_stopped(
    module: Any, records: int
) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == 1:
            chat.set_terminator(2)
            with pytest.raises(RuntimeError):
                chat.read(b"")
            chat.set_terminator(b"\r\n")
        elif chat.get_terminator() == 0:
            raise RuntimeError("in the program")

    chat = wired(module, found_terminator=found_terminator)
    log = chat.read(b"r\r\n" * records)
    assert log[:6] == [b"r", "found", b"r\r", "found", b"\nr", "found"]
    assert log[6:] == [b"r", "found"] * (records - 3)


@pytest.mark.parametrize("size", [1, 200, 1000])
def test_reading_in_collect_incoming_data_may_change_the_terminator(module: Any, size: int) -> None:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        Wired.collect_incoming_data(chat, data)
        if len(chat.log) == 1:
            chat.set_terminator(b"long")
            chat.read(b"")
            chat.ac_in_buffer = b"x" * size + b"\r\nrestlong"

    chat = wired(module, collect_incoming_data=collect_incoming_data)
    chunk = b"x" * size + b"\r\n"
    assert chat.read(chunk) == [b"x" * size, chunk, "found", b"rest", "found"]


# What a callback that raises, closes or discards leaves behind.


@pytest.mark.parametrize("record", [1, 2, 50])
def test_found_terminator_raising_leaves_the_rest_for_the_next_read(
    module: Any, record: int
) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == record:
            raise RuntimeError("in the program")

    chat = wired(module, found_terminator=found_terminator)
    with pytest.raises(RuntimeError):
        chat.read(b"r\r\n" * 60)
    assert chat.log == [b"r", "found"] * record
    assert chat.ac_in_buffer == b"r\r\n" * (60 - record)
    assert chat.read(b"s") == [b"r", "found"] * (60 - record) + [b"s"]


@pytest.mark.parametrize("record", [1, 2, 50])
def test_collect_incoming_data_raising_leaves_its_record_as_well(module: Any, record: int) -> None:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        Wired.collect_incoming_data(chat, data)
        if chat.log.count(b"r") == record and "raised" not in chat.log:
            chat.log.append("raised")
            raise RuntimeError("in the program")

    chat = wired(module, collect_incoming_data=collect_incoming_data)
    with pytest.raises(RuntimeError):
        chat.read(b"r\r\n" * 60)
    assert chat.ac_in_buffer == b"r\r\n" * (61 - record)
    assert chat.read(b"") == [b"r", "found"] * (61 - record)


def test_a_raising_callback_leaves_a_count_where_it_was(module: Any) -> None:
    def collect_incoming_data(chat: Any, data: bytes) -> None:
        raise RuntimeError("in the program")

    chat = wired(module, 3, collect_incoming_data=collect_incoming_data)
    for chunk, terminator in ((b"a", 3), (b"bcd", 3)):
        with pytest.raises(RuntimeError):
            chat.read(chunk)
        assert chat.get_terminator() == terminator
    assert chat.ac_in_buffer == b"abcd"


@pytest.mark.parametrize("record", [1, 2, 50])
def test_close_in_a_callback_does_not_stop_the_chunk(module: Any, record: int) -> None:
    here, there = socket.socketpair()

    class Closing(module.async_chat):  # type: ignore[misc]
        records = 0

        def collect_incoming_data(self, data: bytes) -> None:
            self._collect_incoming_data(data)

        def found_terminator(self) -> None:
            self.records += 1
            if self.records == record:
                self.close()

    with here, there:
        chat = Closing(here, {})
        chat.set_terminator(b"\n")
        there.send(b"\n" * 60 + b"rest")
        chat.handle_read()
        assert not chat.connected
        assert (chat.records, chat.incoming) == (60, [b"rest"])


@pytest.mark.parametrize("record", [1, 2, 50])
def test_discard_buffers_in_a_callback_clears_the_rest_of_the_read(
    module: Any, record: int
) -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == record:
            chat.discard_buffers()

    chat = wired(module, found_terminator=found_terminator)
    assert chat.read(b"r\r\n" * 60, b"s\r\n") == [b"r", "found"] * record + [b"s", "found"]


def test_discard_buffers_forgets_both_directions(module: Any) -> None:
    chat = wired(module)
    chat.read(b"\r")
    chat.room = 0
    chat.push(b"unsent")
    chat._collect_incoming_data(b"aside")
    fifo = chat.producer_fifo
    chat.discard_buffers()
    assert (chat.ac_in_buffer, chat.incoming, chat.producer_fifo) == (b"", [], deque())
    assert chat.producer_fifo is fifo


# Receiving.


def test_one_recv_a_read_of_the_size_that_is_set_now(module: Any) -> None:
    sizes = []

    def recv(chat: Any, size: int) -> bytes:
        sizes.append(size)
        return b"data"

    chat = wired(module, recv=recv, ac_in_buffer_size=100)
    chat.handle_read()
    chat.ac_in_buffer_size = 7
    chat.handle_read()
    assert sizes == [100, 7]


def test_blocking_io_error_is_ignored(module: Any) -> None:
    assert wired(module).read(BlockingIOError(), b"a") == [b"a"]


def test_another_os_error_goes_to_handle_error(module: Any) -> None:
    assert wired(module).read(PermissionError(), b"a") == [PermissionError, b"a"]


def test_any_other_exception_of_recv_propagates(module: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        wired(module).read(ZeroDivisionError())


def test_an_empty_read_delivers_what_was_left(module: Any) -> None:
    chat = wired(module)
    assert chat.read(b"a\r") == [b"a"]
    assert chat.read(b"") == []
    chat.set_terminator(None)
    assert chat.read(b"") == [b"\r"]


def test_at_the_end_of_the_stream_held_back_bytes_are_dropped(module: Any) -> None:
    here, there = socket.socketpair()
    with here:
        chat = module.async_chat(here, {})
        chat.collect_incoming_data = chat._collect_incoming_data
        chat.set_terminator(b"\r\n")
        with there:
            there.send(b"a\r")
            chat.handle_read()
        chat.handle_read()
        assert chat.incoming == [b"a"]
        assert not chat.connected


def test_text_is_encoded_only_if_the_program_says_so(module: Any) -> None:
    chat = wired(module, encoding="the program's own business")
    with pytest.raises(TypeError):
        chat.read("text")
    chat.set_terminator("text")
    assert chat.get_terminator() == "text"

    chat = wired(module, "é", use_encoding=1)
    assert chat.get_terminator() == b"\xe9"
    chat = wired(module, "é", use_encoding=1, encoding="utf-8")
    assert chat.get_terminator() == b"\xc3\xa9"
    chat.push_with_producer("è")
    chat.push_with_producer(Producer("ö"))
    assert chat.sent == "èö".encode()


# Sending.


def test_a_send_is_attempted_at_each_push(module: Any) -> None:
    chat = wired(module)
    chat.push(b"one")
    assert chat.sends == [b"one"]
    chat.push(bytearray(b"two"))
    chat.push(memoryview(b"three"))
    assert chat.sends == [b"one", b"two", b"three"]
    assert not chat.producer_fifo


def test_an_initiate_send_on_the_object_is_called_at_each_push(module: Any) -> None:
    chat = wired(module)
    calls: list[str] = []
    chat.initiate_send = lambda: calls.append("called")
    chat.push(b"one")
    chat.push_with_producer(Producer())
    chat.close_when_done()
    chat.handle_write()
    assert len(calls) == 3
    assert len(chat.producer_fifo) == 3


def test_before_it_is_connected_nothing_is_sent(module: Any) -> None:
    chat = wired(module)
    chat.connected = False
    chat.push(b"early")
    chat.close_when_done()
    assert list(chat.producer_fifo) == [b"early", None]
    assert (chat.sends, chat.log) == ([], [])
    chat.connected = True
    chat.handle_write()
    assert (chat.sends, chat.log) == ([b"early"], [])


@pytest.mark.parametrize("data", [10, "text", None, [b"list"]])
def test_what_is_no_bytes_is_not_pushed(module: Any, data: object) -> None:
    chat = wired(module)
    with pytest.raises(TypeError):
        chat.push(data)
    assert not chat.producer_fifo


def test_what_is_unsent_stays_in_the_fifo(module: Any) -> None:
    chat = wired(module)
    chat.room = 2
    chat.push(b"abcde")
    assert list(chat.producer_fifo) == [b"cde"]
    chat.push(b"fg")
    assert list(chat.producer_fifo) == [b"cde", b"fg"]
    assert chat.writable()
    chat.room = 1
    chat.handle_write()
    assert list(chat.producer_fifo) == [b"de", b"fg"]
    chat.room = 10
    for _ in range(2):
        chat.handle_write()
    assert chat.sent == b"abcdefg"
    assert not chat.producer_fifo
    assert not chat.writable()


def test_the_program_may_rearrange_the_fifo(module: Any) -> None:
    chat = wired(module)
    chat.room = 0
    chat.push(b"last")
    chat.producer_fifo.appendleft(b"first ")
    chat.producer_fifo.insert(1, Producer(b"second "))
    chat.room = 100
    while chat.producer_fifo:
        chat.handle_write()
    assert chat.sent == b"first second last"
    chat.producer_fifo = deque([b"another"])
    chat.handle_write()
    assert chat.sent == b"first second lastanother"


def test_a_large_push_is_queued_in_pieces_of_the_size_that_is_set_now(module: Any) -> None:
    chat = wired(module)
    chat.room = 0
    chat.ac_out_buffer_size = 4
    chat.push(b"abcdefghij")
    assert list(chat.producer_fifo) == [b"abcd", b"efgh", b"ij"]
    chat.room = 100
    while chat.producer_fifo:
        chat.handle_write()
    assert chat.sends == [b"abcd", b"efgh", b"ij"]


@pytest.mark.parametrize(
    "data", [b"abcdefghij", bytearray(b"abcdefghij"), memoryview(b"abcdefghij")]
)
def test_no_send_is_larger_than_ac_out_buffer_size(module: Any, data: Any) -> None:
    chat = wired(module, ac_out_buffer_size=4)
    chat.room = 3
    chat.push_with_producer(data)
    chat.push_with_producer(Producer(bytes(data)))
    chat.room = 100
    while chat.producer_fifo:
        chat.handle_write()
    assert chat.sent == bytes(data) * 2
    assert max(map(len, chat.sends)) == 4


@pytest.mark.parametrize("refusal", [PermissionError, BlockingIOError])
def test_an_os_error_of_send_goes_to_handle_error(module: Any, refusal: type[OSError]) -> None:
    chat = wired(module)
    chat.room = refusal()
    chat.push(b"data")
    assert chat.log == [refusal]
    assert list(chat.producer_fifo) == [b"data"]


def test_any_other_exception_of_send_propagates(module: Any) -> None:
    chat = wired(module)
    chat.room = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        chat.push(b"data")
    assert list(chat.producer_fifo) == [b"data"]


def test_a_send_that_says_nothing_has_sent_nothing(module: Any) -> None:
    chat = wired(module, send=lambda chat, data: None)
    chat.push(b"data")
    assert list(chat.producer_fifo) == [b"data"]


# Producers.


def test_a_producer_is_asked_when_all_before_it_is_sent(module: Any) -> None:
    chat = wired(module)
    producer = Producer(b"one", b"two")
    chat.room = 0
    chat.push(b"before")
    chat.push_with_producer(producer)
    assert producer.asked == 0
    chat.room = 5
    chat.handle_write()
    assert producer.asked == 0
    chat.room = 1
    chat.handle_write()
    assert (chat.sent, producer.asked) == (b"before", 0)
    chat.room = 2
    chat.handle_write()
    chat.room = 0
    chat.handle_write()
    assert (chat.sent, producer.asked) == (b"beforeon", 1)
    assert list(chat.producer_fifo) == [b"e", producer]


def test_a_drained_producer_stays_until_the_next_send(module: Any) -> None:
    chat = wired(module)
    producer = Producer(b"all")
    chat.push_with_producer(producer)
    assert (chat.sent, list(chat.producer_fifo), producer.asked) == (b"all", [producer], 1)
    chat.handle_write()
    assert (list(chat.producer_fifo), producer.asked) == ([], 2)


def test_a_producer_may_give_a_producer(module: Any) -> None:
    chat = wired(module)
    chat.push_with_producer(Producer(Producer(b"inner"), b" outer"))
    while chat.producer_fifo:
        chat.handle_write()
    assert chat.sent == b"inner outer"


def test_a_producer_that_raises_stays(module: Any) -> None:
    class Failing:
        def more(self) -> bytes:
            raise ZeroDivisionError

    chat = wired(module)
    failing = Failing()
    with pytest.raises(ZeroDivisionError):
        chat.push_with_producer(failing)
    assert list(chat.producer_fifo) == [failing]


def test_bytes_are_a_producer_too(module: Any) -> None:
    chat = wired(module)
    chat.push_with_producer(b"bytes")
    assert chat.sent == b"bytes"


def test_simple_producer(module: Any) -> None:
    producer = module.simple_producer(b"abcde", buffer_size=2)
    assert producer.more() == b"ab"
    assert producer.data == b"cde"
    assert [producer.more() for _ in range(4)] == [b"cd", b"e", b"", b""]
    producer.data = b"anew"
    assert producer.more() == b"an"
    assert module.simple_producer(b"x" * 600).more() == b"x" * 512


# Closing.


def test_close_when_done_closes_after_all_is_sent_and_never_at_once(module: Any) -> None:
    fifos = []

    def handle_close(chat: Any) -> None:
        fifos.append(list(chat.producer_fifo))
        Wired.handle_close(chat)

    chat = wired(module, handle_close=handle_close)
    chat.close_when_done()
    assert chat.log == []
    assert chat.writable()
    chat.handle_write()
    assert chat.log == ["closed"]

    chat.room = 1
    chat.push(b"bye")
    chat.close_when_done()
    chat.handle_write()
    assert chat.log == ["closed"]
    chat.room = 10
    chat.handle_write()
    assert (chat.sent, chat.log) == (b"bye", ["closed"])
    chat.handle_write()
    assert chat.log == ["closed", "closed"]
    assert fifos == [[], []]


def test_handle_close_closes(module: Any) -> None:
    here, there = socket.socketpair()
    with here, there:
        channels: dict[int, Any] = {}
        chat = module.async_chat(here, channels)
        chat.push(b"bye")
        chat.close_when_done()
        chat.handle_write()
        assert channels == {}
        assert there.recv(100) == b"bye"
        assert there.recv(100) == b""


# The functions.


@pytest.mark.parametrize(
    ("haystack", "needle", "length"),
    [
        (b"qwerty\r", b"\r\n", 1),
        (b"qwertydkjf", b"\r\n", 0),
        ("qwerty\r", "\r\n", 1),
        (b"xababa", b"ababac", 5),
        (b"", b"\r\n", 0),
        (b"a", b"a", 0),
    ],
)
def test_find_prefix_at_end(module: Any, haystack: Any, needle: Any, length: int) -> None:
    assert module.find_prefix_at_end(haystack, needle) == length


def test_fifo_is_as_python_2_had_it() -> None:
    fifo = asynchat.fifo([1, 2])
    fifo.push(3)
    assert (len(fifo), fifo.first(), fifo.is_empty()) == (3, 1, False)
    assert [fifo.pop() for _ in range(4)] == [(1, 1), (1, 2), (1, 3), (0, None)]
    assert fifo.is_empty()
    assert not asynchat.fifo()
    with pytest.raises(IndexError):
        fifo.first()


# Where it differs on purpose.


def test_received_text_is_encoded() -> None:
    with pytest.raises(TypeError):
        wired(original, use_encoding=1).read("é\r\n")
    assert wired(asynchat, use_encoding=1).read("é\r\n") == [b"\xe9", "found"]


def test_text_of_several_bytes_a_letter_survives_a_partial_send() -> None:
    chat = wired(asynchat, use_encoding=1, encoding="utf-8")
    chat.room = 1
    chat.push_with_producer("éà")
    chat.room = 10
    chat.handle_write()
    assert chat.sent == "éà".encode()


def test_an_empty_push_is_not_sent() -> None:
    chat = wired(asynchat, send=lambda chat, data: chat.log.append(bytes(data)) or len(data))
    chat.push(b"")
    chat.push_with_producer(memoryview(b""))
    chat.push(b"a")
    assert (chat.log, list(chat.producer_fifo)) == ([b"a"], [])


def test_a_producer_that_counts_as_false_is_asked_like_any_other() -> None:
    class Falsy(Producer):
        def __len__(self) -> int:
            return 0

    chat = wired(asynchat)
    chat.push_with_producer(Falsy(b"one", b"two"))
    chat.push(b"three")
    chat.push(b"four")
    assert chat.sent == b"onetwothree"[:6] + b"threefour"


def test_small_pushes_that_had_to_wait_leave_together() -> None:
    chat = wired(asynchat)
    chat.room = 0
    for n in range(1000):
        chat.push(b"%03d" % n)
    assert len(chat.producer_fifo) == 1000
    chat.sends.clear()
    chat.room = sys.maxsize
    while chat.producer_fifo:
        chat.handle_write()
    assert chat.sent == b"".join(b"%03d" % n for n in range(1000))
    assert len(chat.sends) <= 5


def test_what_is_joined_in_vain_stays_in_proportion_to_what_is_sent() -> None:
    offered = 0

    def send(chat: Any, data: bytes) -> int:
        nonlocal offered
        offered += len(data)
        return Wired.send(chat, data)

    chat = wired(asynchat, send=send)
    chat.room = 0
    for _ in range(20_000):
        chat.push(b"0123456789")
    assert offered < 600_000
    offered = 0
    while chat.producer_fifo:
        chat.room = 500
        chat.handle_write()
    assert chat.sent == b"0123456789" * 20_000
    assert offered < 20 * len(chat.sent)


def test_large_bytes_from_a_producer_are_cut_once() -> None:
    chat = wired(asynchat)
    chat.room = 0
    chat.push_with_producer(bytes(10 * 65536))
    assert [len(piece) for piece in chat.producer_fifo] == [65536] * 10


class CountedBytes(bytes):
    """Counts the bytes copied by slices."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        result = super().__getitem__(key)
        if isinstance(key, slice):
            CountedBytes.copied += len(result)
            return CountedBytes(result)
        return result

    def __add__(self, other: Any) -> CountedBytes:
        return CountedBytes(super().__add__(other))

    def __radd__(self, other: Any) -> CountedBytes:
        return CountedBytes(other + bytes(self))


@pytest.mark.parametrize("terminator", [b"\n", 2])
def test_many_records_in_one_chunk_are_cut_in_linear_time(terminator: Any) -> None:
    def found_terminator(chat: Any) -> None:
        chat.set_terminator(terminator)

    chunk = b"x\n" * 20_000
    CountedBytes.copied = 0
    callbacks: dict[str, Any] = {
        "found_terminator": found_terminator,
        "collect_incoming_data": lambda chat, data: None,
    }
    wired(original, terminator, **callbacks).read(CountedBytes(chunk))
    assert CountedBytes.copied > 1000 * len(chunk)
    CountedBytes.copied = 0
    wired(asynchat, terminator, **callbacks).read(CountedBytes(chunk))
    assert CountedBytes.copied < 3 * len(chunk)


def test_a_chunk_is_not_kept_for_the_few_bytes_held_back() -> None:
    chat = wired(asynchat)
    chat.wire = [bytes(100_000) + b"\r"]
    chat.handle_read()
    chat.log.clear()
    kept = [item for item in gc.get_referents(chat._ac_unread) if isinstance(item, bytes)]
    assert max(map(len, kept)) < 100


# Corking.


def corked(chunk: bytes, **attributes: Any) -> Any:
    chat = wired(asynchat, b"\n", ac_corked=True, **attributes)
    chat.read(chunk)
    return chat


def test_corked_replies_leave_together_after_the_callbacks() -> None:
    def found_terminator(chat: Any) -> None:
        chat.push(b"reply\n")
        assert not chat.sends

    assert corked(b"\n" * 50, found_terminator=found_terminator).sends == [b"reply\n" * 50]


def test_corked_only_while_reading() -> None:
    chat = corked(b"")
    chat.push(b"at once")
    assert chat.sends == [b"at once"]


def test_corked_replies_leave_when_a_later_callback_raises() -> None:
    def found_terminator(chat: Any) -> None:
        Wired.found_terminator(chat)
        if chat.log.count("found") == 3:
            raise RuntimeError("in the program")
        chat.push(b"reply\n")

    chat = wired(asynchat, b"\n", ac_corked=True, found_terminator=found_terminator)
    with pytest.raises(RuntimeError):
        chat.read(b"\n" * 5)
    assert chat.sends == [b"reply\n" * 2]


def test_corked_close_when_done_leaves_the_closing_to_the_loop() -> None:
    def found_terminator(chat: Any) -> None:
        chat.push_with_producer(Producer(b"bye"))
        chat.close_when_done()

    chat = corked(b"\n", found_terminator=found_terminator)
    assert (chat.sends, chat.log) == ([b"bye"], [])
    chat.handle_write()
    assert chat.log == ["closed"]

    chat = corked(b"\n", found_terminator=lambda chat: chat.close_when_done())
    assert chat.log == []


def test_corked_reading_inside_a_callback_sends_after_the_outer_one() -> None:
    def found_terminator(chat: Any) -> None:
        chat.push(b"reply\n")
        if chat.wire:
            chat.handle_read()
        assert not chat.sends

    chat = wired(asynchat, b"\n", ac_corked=True, found_terminator=found_terminator)
    chat.wire = [b"\n\n", b"\n"]
    chat.handle_read()
    assert chat.sends == [b"reply\n" * 3]


# Importing.


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def test_without_asyncore_the_error_names_the_extra() -> None:
    hidden = (
        "import sys, importlib.abc\n"
        "class Hide(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'asyncore': raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "from termsplit import asynchat"
    )
    result = run_python(hidden)
    assert result.returncode == 1
    error = result.stderr.splitlines()
    assert error[-1].startswith("ImportError: ")
    assert "pip install 'termsplit[asyncore]'" in error[-1]
    assert result.stderr.count("Traceback") == 1


def test_importing_it_warns_of_nothing() -> None:
    result = run_python("from termsplit import asynchat")
    assert (result.returncode, result.stderr) == (0, "")
