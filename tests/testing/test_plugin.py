from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


def test_a_test_runs_under_every_cut(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_lines(cut):
            received = b""
            for chunk in cut(b"one two"):
                received += chunk
            assert received == b"one two"
        """
    )
    result = pytester.runpytest_inprocess("-v")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["*test_lines[[]byte by byte[]] PASSED*"])


def test_a_failure_shows_how_the_bytes_were_cut(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        r"""
        def test_lines(cut):
            lines = []
            for chunk in cut(b"one\r\n"):
                lines += chunk.split(b"\r\n")
            assert lines == [b"one", b""]
        """
    )
    result = pytester.runpytest_inprocess("-k", "halves or whole")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*- 4 chunks -*", "  0  on│e│\\r│\\n", "       2 3  4"])


def test_the_report_of_check_chunking_is_its_picture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        r"""
        from termsplit.testing import PushParser, check_chunking

        class Lines:
            def feed(self, chunk):
                return chunk.splitlines()

        def test_lines():
            check_chunking(PushParser(Lines, Lines.feed), b"ab")
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *CutMatters: the result depends on how the bytes are cut"])
    result.stdout.fnmatch_lines(["E *  0  a│b", "E *whole  b'ab'", "E *cut    b'a'"])
    result.stdout.no_fnmatch_line("*_chunking.py*trial*")


def test_others_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_fails(): assert False")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*chunks*")


def test_the_plugin_imports_no_hypothesis(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_imports():
            assert "termsplit.testing.plugin" in sys.modules
            assert "hypothesis" not in sys.modules
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:anyio")
    result.assert_outcomes(passed=1)
