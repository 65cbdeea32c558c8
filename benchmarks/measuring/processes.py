"""Servers in processes of their own, and what the operating system says they spend."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.contestants import OURS, Contestant
from benchmarks.contestants.environments import ROOT, find_python
from benchmarks.measuring.ports import find_free_port, wait_for

START_SECONDS = 120.0
SERVER_CORE, LOAD_CORE = 1, 0
UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
"""The settings of every contestant; one process, lifespan on, a backlog for many connections."""


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant that is being served."""

    contestant: Contestant
    pid: int
    port: int
    start_seconds: float
    start_cpu: float


def can_pin() -> bool:
    """Linux can keep a process on one core; macOS cannot, and figures vary more there."""
    return hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1


def pin(core: int, pid: int = 0) -> None:
    """Keep a process, by default this one, on one core, where the system can."""
    if can_pin():
        with suppress(OSError):  # a container may not be given this core
            os.sched_setaffinity(pid, {core})


def list_processes(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def read_cpu_seconds(pid: int) -> float:
    """User and system time of a process, its ended threads and its children."""
    return sum(sum(one.cpu_times()[:2]) for one in list_processes(pid))


def read_fine_cpu_seconds(pid: int) -> float:
    """The same to the nanosecond where Linux counts it, without threads that have ended; for what takes a few milliseconds."""
    threads = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    if not threads:
        return read_cpu_seconds(pid)
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def read_rss_bytes(pid: int) -> int:
    return sum(int(one.memory_info().rss) for one in list_processes(pid))


@contextmanager
def serve(contestant: Contestant, **environment: str) -> Iterator[Server]:
    """A contestant in a fresh process and a fresh folder, pinned, until the block ends."""
    port = find_free_port()
    python = sys.executable if contestant.group == OURS else str(find_python(contestant.group))
    command = [python, "-m", "uvicorn", contestant.app, "--port", str(port), "--backlog", "4096", *UVICORN]
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BENCH_URL": f"http://127.0.0.1:{port}",
        **contestant.environment,
        **environment,
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        begun = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=errors, stderr=errors)
        pin(SERVER_CORE, process.pid)
        try:
            wait_for(port, process, START_SECONDS)
            yield Server(
                contestant, process.pid, port, time.monotonic() - begun, read_cpu_seconds(process.pid)
            )
        except Exception:
            errors.seek(0)
            sys.stderr.write(errors.read()[-2000:])
            raise
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:  # streams that are still open hold uvicorn back
        process.kill()
        process.wait()
