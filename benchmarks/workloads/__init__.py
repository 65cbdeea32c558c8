"""What is measured. A suite is a name to ask for, and a function from the plan to figures."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.load.orders import LoadFailed
from benchmarks.workloads import clients, footprint, growth, many, steady
from benchmarks.workloads.plan import Plan


@dataclass(frozen=True, slots=True)
class Suite:
    """Either single requests, which are measured together in one turn, or a function of its own."""

    words: str
    requests: tuple[str, ...] = ()
    measure: Callable[[Plan], dict[str, Any]] | None = None


SUITES = {
    "card": Suite("the card", ("card",)),
    "send": Suite("send → message, send → task", ("message", "task")),
    "rest": Suite("send → task over REST", ("rest",)),
    "stream": Suite("streams of 3 events and of 100 chunks", ("stream3", "stream100")),
    "large": Suite("1 MB of text, a file of 1 MB", ("text", "file")),
    "latency": Suite("latency of send → task at fixed rates", measure=steady.measure_latency),
    "fanout": Suite("one task to 1,000 subscribers", measure=many.measure_fan_out),
    "memory": Suite("1,000 idle streams, 5,000 parked tasks", measure=many.measure_memory),
    "listing": Suite("a list, a get, a send at 100,000 tasks", measure=many.measure_listing),
    "clients": Suite("our client beside the official one", measure=clients.measure),
    "footprint": Suite("imports and idle servers", measure=footprint.measure),
    "growth": Suite("how costs grow", measure=growth.measure),
}
__all__ = ["SUITES", "Plan", "Suite", "run"]


def run(plan: Plan, names: list[str]) -> dict[str, Any]:
    """The figures of the suites that are asked for."""
    found: dict[str, Any] = {}
    if requests := [one for name in names for one in SUITES[name].requests]:
        found |= steady.measure(plan, requests)
    for name in names:
        if measure := SUITES[name].measure:
            try:
                found[name] = measure(plan)
            except (LoadFailed, RuntimeError, subprocess.SubprocessError) as failure:
                plan.note(f"{name} failed, the others go on: {failure}")
    return found
