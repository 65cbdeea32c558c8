"""Calls per CPU second of our client and the official one, against Dragoman and against the bare floor."""

import json
import subprocess
import sys
from typing import Any

from benchmarks.contestants import BY_NAME, OURS
from benchmarks.contestants.environments import ROOT, find_python
from benchmarks.measuring.processes import LOAD_CORE, Server, pin, serve
from benchmarks.workloads.plan import Plan

CLIENTS = {"ours": OURS, "official": "bench-a2a-sdk"}
SERVERS = ("bare", "dragoman")


def measure(plan: Plan) -> dict[str, Any]:
    """Rounds in which every client calls every server."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(plan.rounds):
        for server_name in SERVERS:
            with serve(BY_NAME[server_name]) as server:
                for client, group in CLIENTS.items():
                    result = _call(server, client, group, 2 * plan.seconds)
                    found.setdefault(f"{client} → {server_name}", []).append(result)
        plan.note(f"clients, round {number + 1}")
    return found


def _call(server: Server, client: str, group: str, seconds: float) -> dict[str, Any]:
    python = sys.executable if group == OURS else str(find_python(group))
    url = f"http://127.0.0.1:{server.port}"
    command = [python, "-m", f"benchmarks.clients.{client}", url, str(seconds)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        pin(LOAD_CORE, process.pid)
        said, errors = process.communicate(timeout=120)
    if process.returncode:
        raise RuntimeError(f"the {client} client failed: {errors[-1500:]}")
    figures: dict[str, Any] = json.loads(said)
    return figures
