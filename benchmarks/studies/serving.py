"""Servers to measure, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring.ports import find_free_port, wait_for

START_SECONDS = 20.0


def read_rss_kib(pid: int) -> int:
    """Resident memory of a process, as the operating system counts it."""
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(found.stdout)


@contextmanager
def serve(
    app: str, *, folder: Path, python: str = sys.executable, store: str = "memory:"
) -> Iterator[tuple[int, int]]:
    """An agent served on a free port of the loopback; gives its process id and its port."""
    port = find_free_port()
    options = ("--port", str(port), "--store", store, "--log-level", "warning")
    command = [python, "-m", "dragoman", "serve", app, *options]
    environment = make_environment(str(folder), os.environ.get("PYTHONPATH", ""))
    with run(command, port, folder=folder, environment=environment) as pid:
        yield pid, port


def make_environment(*places: str) -> dict[str, str]:
    """The environment of this process, with these places to import from."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


@contextmanager
def run(command: Sequence[str], port: int, *, folder: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """A server, from when it listens until the block ends; gives its process id."""
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process, START_SECONDS)
            yield process.pid
        finally:
            process.terminate()
            process.wait(START_SECONDS)
