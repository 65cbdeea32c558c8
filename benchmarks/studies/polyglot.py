"""What it costs to speak every dialect: a send in 1.0 beside the same of an agent that speaks nothing else, in one run; and an import."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.studies.clerk import SENDS, measure_cpu, send_many
from benchmarks.studies.footprint import run_once
from benchmarks.studies.serving import serve
from dragoman import Client
from dragoman.model import Binding

ROUNDS = 15
IMPORT_ROUNDS = 25
AGENTS = """
from dragoman import Agent
from dragoman.model import Generation
from dragoman.server import GrpcOptions

LATEST = [Generation.V1_0]

def make(**options):
    agent = Agent("Clerk", "Answers", default_skill="echo", **options)

    @agent.skill
    async def echo(text: str) -> str:
        '''Say it again.'''
        return text

    return agent

alone = make(generations=LATEST)
twin = make(generations=LATEST)
polyglot = make()
grpc_alone = make(generations=LATEST, grpc=GrpcOptions(port=0))
grpc_polyglot = make(grpc=GrpcOptions(port=0))
"""
BASE = "1.0 alone"
CONTESTANTS = {
    BASE: "alone",
    "1.0 alone, once more": "twin",
    "all generations": "polyglot",
    "1.0 alone, gRPC on": "grpc_alone",
    "all generations, gRPC on": "grpc_polyglot",
}
"""The second is the first again: what lies between the two is what this machine makes of nothing."""

EXTRAS = ("grpc", "google", "joserfc", "cryptography")
IMPORT = "from dragoman import Agent, Client"
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r})); {IMPORT}"
LOADED = f"""
import sys
{IMPORT}
print([name for name in sys.modules if name.partition(".")[0] in {EXTRAS!r}])
"""


def measure() -> dict[str, Any]:
    return {**asyncio.run(measure_sends()), **measure_imports()}


async def measure_sends() -> dict[str, Any]:
    """CPU of a server per send in 1.0 over JSON-RPC. In every round all take their turn, each time another one first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clerks.py").write_text(AGENTS, encoding="utf-8")
        async with AsyncExitStack() as stack:
            servers = {}
            for contestant, agent in CONTESTANTS.items():
                pid, port = stack.enter_context(serve(f"clerks:{agent}", folder=folder))
                client = Client(f"http://127.0.0.1:{port}", bindings=[Binding.JSONRPC])
                servers[contestant] = (pid, await stack.enter_async_context(client))
            costs = await take_turns(servers)
    return describe(costs)


async def take_turns(servers: dict[str, tuple[int, Client]]) -> dict[str, list[float]]:
    """Microseconds per send, by contestant and round; a first round warms up and does not count."""
    costs: dict[str, list[float]] = {name: [] for name in servers}
    names = list(servers)
    for number in range(ROUNDS + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            pid, client = servers[name]
            seconds = await measure_cpu(pid, client, send_many)
            if number:
                costs[name].append(seconds / SENDS * 1e6)
    return costs


def describe(costs: dict[str, list[float]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, own in costs.items():
        ratios = [cost / base for cost, base in zip(own, costs[BASE], strict=True)]
        figures[f"CPU µs per send, {name}"] = tell(own, 1)
        if name != BASE:
            figures[f"to {BASE}, in the same round: {name}"] = tell(ratios, 3)
    return figures


def tell(values: Sequence[float], digits: int) -> str:
    """The median, and between which two values the middle half lies."""
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]
    return f"{median(ordered):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def measure_imports() -> dict[str, Any]:
    """CPU of a fresh interpreter that imports and ends, with the extras there and hidden from it, in turns."""
    there: list[float] = []
    hidden: list[float] = []
    for _ in range(IMPORT_ROUNDS):
        there.append(run_once(sys.executable, IMPORT)[0])
        hidden.append(run_once(sys.executable, WITHOUT)[0])
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    ratios = [one / other for one, other in zip(there, hidden, strict=True)]
    return {
        "CPU ms of an import, extras installed": tell(there, 1),
        "CPU ms of an import, extras hidden": tell(hidden, 1),
        "installed to hidden, in the same round": tell(ratios, 3),
        "modules of extras that an import loads": loaded.stdout.strip(),
    }
