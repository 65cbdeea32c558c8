"""Giving an order to the load generator, in a process of its own."""

import json
import subprocess
import sys
from typing import Any

from benchmarks.contestants.environments import ROOT
from benchmarks.measuring.processes import Server

CONNECTIONS = 16


class LoadFailed(Exception):
    """The generator found wrong answers, or none; the text is the end of what it said."""


def load(server: Server, job: str, **order: Any) -> dict[str, Any]:
    """Run one job against a server; LoadFailed if an answer was wrong."""
    order |= {"job": job, "port": server.port, "pid": server.pid, "speaks": server.contestant.speaks}
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(
        command, input=json.dumps(order), capture_output=True, text=True, check=False, cwd=ROOT, timeout=600
    )
    if done.returncode:
        raise LoadFailed(f"{server.contestant.name}, {job}: {done.stderr[-600:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
