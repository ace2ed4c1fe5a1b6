"""The command line as a user types it: in a process of its own, or by its `main`."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys

import pytest

from termsplit.__main__ import main
from termsplit._cli.serving import BACKENDS


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "termsplit", *words], capture_output=True, text=True, timeout=60
    )


def import_or_skip(backend: str) -> None:
    """Skip where a backend's library is missing; anyio-trio needs two."""
    for library in backend.split("-"):
        if library != "blocking":
            pytest.importorskip(library)


def test_demo_has_conversations_on_each_backend_that_is_asked_for() -> None:
    pytest.importorskip("rich")
    demo = run("demo", "--backend", "blocking", "--backend", "asyncio")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "blocking" in demo.stdout
    assert "asyncio" in demo.stdout
    assert demo.stdout.count(" ok, ") == 2 * 7


def test_demo_says_what_was_wrong_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr("termsplit._cli.exchanges.GREETING", b"Good morning.\n")
    assert main(["demo", "--backend", "blocking"]) == 1
    assert "WRONG" in capsys.readouterr().out


@pytest.mark.parametrize("backend", BACKENDS)
def test_serve_answers_until_it_is_interrupted(backend: str) -> None:
    import_or_skip(backend)
    words = [sys.executable, "-m", "termsplit", "serve", "--backend", backend, "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        match = re.search(rf"http://127\.0\.0\.1:(\d+)/ on {backend};", server.stdout.readline())
        assert match is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"Hello from termsplit.\n"
        connection.close()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_port_in_use_is_one_line_and_status_2(backend: str) -> None:
    import_or_skip(backend)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served = run("serve", "--backend", backend, "--port", str(taken.getsockname()[1]))
    assert served.returncode == 2
    assert served.stderr.startswith("termsplit serve: ")
    assert "in use" in served.stderr
    assert served.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("play",),
        ("serve", "--port", "http"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "-1"),
        ("serve", "--backend", "carrier-pigeon"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(list(words))
    assert exit_.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("termsplit")
    assert captured.err.count("\n") == 1
