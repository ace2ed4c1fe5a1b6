from __future__ import annotations

import pytest
from hypothesis import Phase, settings, strategies as st
from hypothesis.stateful import invariant, run_state_machine_as_test

from termsplit import Chat, Limited
from termsplit.testing import Dialogue


class Echo(Chat):
    def __init__(self) -> None:
        super().__init__(Limited(b"\r\n", 4))
        self.line = b""
        self.lines: list[bytes] = []

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        self.lines.append(self.line)
        if self.line == b"QUIT":
            self.close_when_done()
        elif not self.connection.closing:
            self.push(self.line + b"\r\n")
        self.line = b""


class EchoDialogue(Dialogue):
    peer_sends = st.sampled_from([b"a", b"b\r\n", b"\r", b"\n", b"too long\r\nQU", b"IT\r\n"])
    application_pushes = st.just(b"news\r\n")

    def make(self) -> Chat:
        return Echo()

    def observe(self, chat: Chat) -> object:
        assert isinstance(chat, Echo)
        return chat.lines


# Making the failure small is hypothesis's work, and takes it longest.
QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=2000,
    stateful_step_count=10,
    phases=[Phase.generate],
)


def run(machine: type[Dialogue]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


def test_a_sound_chat_passes() -> None:
    run_state_machine_as_test(EchoDialogue, settings=settings(QUICK, max_examples=30))


def test_a_chat_that_takes_pieces_for_records_is_caught() -> None:
    class Hasty(Echo):
        def collect_incoming_data(self, data: bytes) -> None:
            self.line = data

    class HastyDialogue(EchoDialogue):
        def make(self) -> Chat:
            return Hasty()

    with pytest.raises(AssertionError) as caught:
        run(HastyDialogue)
    assert str(caught.value).startswith(
        "the dialogue depends on how the bytes are cut\n\nwhole  sent"
    )


def test_what_is_observed_is_compared() -> None:
    class CountsPieces(EchoDialogue):
        def make(self) -> Chat:
            class Counts(Echo):
                pieces = 0

                def collect_incoming_data(self, data: bytes) -> None:
                    self.pieces += 1

            return Counts()

        def observe(self, chat: Chat) -> object:
            return getattr(chat, "pieces", None)

    with pytest.raises(AssertionError, match=r"whole  \d+\ncut    \d+"):
        run(CountsPieces)


def test_invariants_of_a_subclass_are_checked() -> None:
    class Short(EchoDialogue):
        @invariant()
        def good_news(self) -> None:
            assert b"ws" not in self.sent, "no news"

    with pytest.raises(AssertionError, match="no news"):
        run(Short)


def test_an_error_that_is_no_verdict_on_the_data_comes_out_as_it_is() -> None:
    class Broken(Echo):
        def found_terminator(self) -> None:
            raise KeyError("broken")

    class BrokenDialogue(EchoDialogue):
        def make(self) -> Chat:
            return Broken()

    with pytest.raises(KeyError, match="broken"):
        run(BrokenDialogue)


def test_a_dialogue_has_to_make_its_chat() -> None:
    with pytest.raises(NotImplementedError, match=r"^a Dialogue must implement make\(\)$"):
        Dialogue()
