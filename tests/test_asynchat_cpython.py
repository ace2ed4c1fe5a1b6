"""CPython's own tests of asynchat, and those built on it, with our module in the original's place.

They run as they are installed, each in a process of its own and all at the same time, since they mostly wait.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("asyncore")

# The first argument is what to break, if anything; the others are tests.
REPLACE = """
import sys, types, unittest, warnings
warnings.simplefilter("ignore")
from termsplit import asynchat
import asyncore

class Broken(asynchat.async_chat):
    if sys.argv[1] == "prefix":
        def handle_read(self):
            asynchat.async_chat.handle_read(self)
            self.ac_in_buffer = b""
    if sys.argv[1] == "push":
        def push(self, data):
            asynchat.async_chat.push(self, bytes(data).swapcase())

module = types.ModuleType("asynchat")
vars(module).update(vars(asynchat))
if sys.argv.pop(1):
    module.async_chat = Broken
replaced = {"asynchat": module}
if sys.version_info >= (3, 12):
    import test.support
    replaced = {"test.support.asynchat": module, "test.support.asyncore": asyncore}
    test.support.asynchat, test.support.asyncore = module, asyncore
sys.modules.update(replaced)
unittest.main(module=None)
"""

ON_ASYNCHAT = ["test_asynchat", "test_ftplib", "test_poplib", "test_smtpd"]
BROKEN = {
    "test_asynchat": ("prefix", "test.test_asynchat.TestAsynchat.test_line_terminator2"),
    "test_ftplib": ("push", "test.test_ftplib.TestFTPClass.test_getwelcome"),
    "test_poplib": ("push", "test.test_poplib.TestPOP3Class.test_getwelcome"),
    "test_smtpd": ("push", "test.test_smtpd.SMTPDChannelTest"),
}


def is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(f"test.{name}") is not None
    except ModuleNotFoundError:
        return False


Run = dict[str, "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def runs() -> Iterator[Run]:
    here = [name for name in ON_ASYNCHAT if is_there(name)]
    commands = {name: ["", f"test.{name}"] for name in here}
    commands |= {f"broken {name}": list(BROKEN[name]) for name in here}
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", REPLACE, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, arguments in commands.items()
    }
    yield processes
    for process in processes.values():
        with process:
            process.kill()


@pytest.mark.parametrize("name", ON_ASYNCHAT)
def test_it_passes(runs: Run, name: str) -> None:
    if name not in runs:
        pytest.skip(f"this Python has no test.{name}")
    output, _ = runs[name].communicate()
    assert runs[name].returncode == 0, output
    assert "\nOK" in output


@pytest.mark.parametrize("name", ON_ASYNCHAT)
def test_with_a_broken_copy_it_fails(runs: Run, name: str) -> None:
    if name not in runs:
        pytest.skip(f"this Python has no test.{name}")
    output, _ = runs[f"broken {name}"].communicate()
    assert "\nFAILED" in output, output
