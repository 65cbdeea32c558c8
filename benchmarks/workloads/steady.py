"""Requests one after the other: throughput and CPU at saturation, then latency at a fixed rate."""

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.contestants import Contestant
from benchmarks.load.orders import CONNECTIONS, LoadFailed, load
from benchmarks.measuring.processes import Server, read_rss_bytes, serve
from benchmarks.workloads.plan import Plan

WORKLOADS = {
    "card": "GET of the card",
    "message": "send → message",
    "task": "send → task",
    "rest": "send → task over REST",
    "stream3": "stream of 3 events",
    "stream100": "stream of 100 chunks",
    "text": "1 MB of text, echoed",
    "file": "1 MB file, echoed",
}
LATENCY = ("bare", "dragoman", "dragoman-sqlite", "a2a-sdk", "a2a-sdk-tuned", "a2akit")
COMMON_RATE = 100
"""Requests per second that every contestant can bear."""

Found = dict[str, dict[str, list[dict[str, Any]]]]


def measure(plan: Plan, names: Sequence[str]) -> dict[str, Any]:
    """Rounds in which everybody has a turn in a fresh process; a list of rounds for each workload and contestant."""
    found: Found = {name: {} for name in names}
    starts: dict[str, list[dict[str, float]]] = {}
    for number in range(plan.rounds):
        for contestant in take_turns(plan.contestants, number):
            wanted = [name for name in names if name not in contestant.lacks]
            with serve(contestant) as server:
                starts.setdefault(contestant.name, []).append(_describe_start(server))
                for name in wanted:
                    _measure_one(plan, server, name, found)
            plan.note(f"round {number + 1} of {plan.rounds}: {contestant.name}, {', '.join(wanted)}")
    return {"requests": found, "starts": starts}


def take_turns(contestants: Sequence[Contestant], number: int) -> Iterator[Contestant]:
    """Another order in each round, so that nobody always follows the same neighbour."""
    order = list(contestants)
    yield from reversed(order) if number % 2 else order


def _measure_one(plan: Plan, server: Server, name: str, found: Found) -> None:
    order = {"workload": name, "connections": CONNECTIONS, "warm_up": plan.warm_up, "seconds": plan.seconds}
    try:
        result = load(server, "steady", **order)
    except LoadFailed as failure:
        plan.note(f"{name} failed: {failure}")
        return
    found[name].setdefault(server.contestant.name, []).append(result)


def _describe_start(server: Server) -> dict[str, float]:
    return {
        "seconds": server.start_seconds,
        "cpu_seconds": server.start_cpu,
        "rss_mb": read_rss_bytes(server.pid) / 1e6,
    }


def measure_latency(plan: Plan) -> dict[str, Any]:
    """Send → task, timed from when each request was meant to go: at half of what each can do, and at one rate for all."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {"half": {}, "common": {}}
    for number in range(plan.rounds):
        for contestant in take_turns(plan.choose(*LATENCY), number):
            with serve(contestant) as server:
                most = _find_most(plan, server)
                for name, rate in (("half", most / 2), ("common", min(COMMON_RATE, most * 0.7))):
                    found[name].setdefault(contestant.name, []).append(_pace(plan, server, rate))
            plan.note(f"latency, round {number + 1}: {contestant.name} at half of {most:.0f}/s")
    return found


def _find_most(plan: Plan, server: Server) -> float:
    order = {"workload": "task", "connections": CONNECTIONS, "warm_up": plan.warm_up}
    return float(load(server, "steady", seconds=plan.seconds, **order)["per_second"])


def _pace(plan: Plan, server: Server, rate: float) -> dict[str, Any]:
    order = {"workload": "task", "connections": 4 * CONNECTIONS, "warm_up": 0.0, "rate": rate}
    return {"rate": rate, **load(server, "steady", seconds=2 * plan.seconds, **order)}
