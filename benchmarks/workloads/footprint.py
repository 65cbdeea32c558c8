"""What an import costs, and what a server holds that has nothing to do."""

import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.contestants import OURS
from benchmarks.contestants.environments import find_python
from benchmarks.measuring.processes import read_rss_bytes, serve
from benchmarks.workloads.plan import Plan

ROUNDS = 11
SETTLE_SECONDS = 1.0
IMPORTS = {
    "a bare interpreter": (OURS, "pass"),
    "dragoman's client": (OURS, "from dragoman import Client"),
    "dragoman's agent": (OURS, "from dragoman import Agent"),
    "the official client": ("bench-a2a-sdk", "from a2a.client import ClientFactory"),
}


def measure(plan: Plan) -> dict[str, Any]:
    """CPU of imports, memory of idle servers."""
    imports = time_imports(3 if plan.quick else ROUNDS)
    plan.note("imports")
    idle: dict[str, float] = {}
    for contestant in plan.contestants:
        with serve(contestant) as server:
            time.sleep(SETTLE_SECONDS)
            idle[contestant.name] = read_rss_bytes(server.pid) / 1e6
    plan.note("idle servers")
    return {"import_cpu_ms": imports, "idle_rss_mb": idle}


def time_imports(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of CPU of a fresh interpreter that imports and ends, beyond one that only ends."""
    spent: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds + 1):
        for name, (group, statement) in IMPORTS.items():
            spent[name].append(_run_once(group, statement))
    bare = statistics.median(spent["a bare interpreter"][1:])
    return {
        name: [one - (0 if name == "a bare interpreter" else bare) for one in values[1:]]
        for name, values in spent.items()
    }


def _run_once(group: str, statement: str) -> float:
    python = sys.executable if group == OURS else str(find_python(group))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python, "-I", "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ((after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)) * 1000
