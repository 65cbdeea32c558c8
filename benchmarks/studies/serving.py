"""Servers to measure, each in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 20.0


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
    command = [
        python,
        "-m",
        "dragoman",
        "serve",
        app,
        "--port",
        str(port),
        "--store",
        store,
        "--log-level",
        "warning",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", ""))),
    }
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until the port takes connections; RuntimeError if the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server does not listen after {START_SECONDS} s")
