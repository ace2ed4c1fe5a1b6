"""``termsplit serve``: keeps the demo's server up, for a curl."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from .serving import BACKENDS, serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=list(BACKENDS), default="asyncio")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--port", type=_port, default=8080, help="the port to listen on; 0 for any that is free"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; 2 if the address can't be listened on, or a library is missing."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stop.set())
    try:
        with serving(arguments.backend, arguments.host, arguments.port) as (host, port):
            print(f"http://{host}:{port}/ on {arguments.backend}; Ctrl-C stops it", flush=True)
            stop.wait()
    except (ImportError, OSError) as error:
        print(f"termsplit serve: {error}", file=sys.stderr)
        return 2
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)
