"""Many at once: subscribers of one task, idle streams, parked tasks, tasks in the store."""

from collections.abc import Sequence
from typing import Any

from benchmarks.contestants import Contestant
from benchmarks.load.orders import LoadFailed, load
from benchmarks.measuring.processes import serve
from benchmarks.workloads.plan import Plan

SUBSCRIBERS = 1_000
CHUNKS = 50
IDLE_STREAMS = 1_000
PARKED_TASKS = 5_000
STORED_TASKS = (1_000, 10_000, 100_000)
PARK_SECONDS = "0.2"
"""After this a parked task is dropped from memory, so that what is measured is what stays."""


def measure_fan_out(plan: Plan) -> dict[str, Any]:
    """One task to a thousand subscribers, beside the bare fan-out; the official SDK takes part in one round, for it takes a minute."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(plan.rounds):
        names = ("bare", "dragoman", "dragoman-sqlite", *(("a2a-sdk",) if number == 0 else ()))
        for contestant in plan.choose(*names):
            subscribers = SUBSCRIBERS // (10 if plan.quick else 1)
            result = _try(plan, contestant, "fan out", subscribers=subscribers, chunks=CHUNKS)
            if result:
                found.setdefault(contestant.name, []).append(result)
            plan.note(f"fan-out, round {number + 1}: {contestant.name}")
    return found


def measure_memory(plan: Plan) -> dict[str, Any]:
    """Memory of an idle stream, and of a task that waits for its caller."""
    share = 10 if plan.quick else 1
    idle = {
        contestant.name: _try(plan, contestant, "idle", streams=IDLE_STREAMS // share)
        for contestant in plan.choose("bare", "dragoman", "dragoman-sqlite", "a2a-sdk")
    }
    plan.note("idle streams")
    parked: dict[str, Any] = {}
    for name, seconds in (("dragoman", "60"), ("dragoman-sqlite", PARK_SECONDS), ("a2a-sdk", "")):
        for contestant in plan.choose(name):
            count = PARKED_TASKS // (share if name != "a2a-sdk" else 5 * share)
            parked[name] = _try(
                plan, contestant, "park", {"BENCH_PARK_SECONDS": seconds}, warm_up=count, tasks=count
            )
    plan.note("parked tasks")
    return {"idle stream": idle, "parked task": parked}


def measure_listing(plan: Plan) -> dict[str, Any]:
    """A page of a list, a get and a send with up to a hundred thousand tasks in the store."""
    sizes: Sequence[int] = STORED_TASKS[:2] if plan.quick else STORED_TASKS
    found: dict[str, Any] = {}
    for contestant in plan.choose("dragoman", "dragoman-sqlite"):
        found[contestant.name] = _try(plan, contestant, "fill", sizes=list(sizes))
        plan.note(f"{sizes[-1]:,} tasks in the store: {contestant.name}")
    for contestant in plan.choose("a2a-sdk"):
        found[contestant.name] = _list_official(plan, contestant, sizes)
    return found


def _list_official(plan: Plan, contestant: Contestant, sizes: Sequence[int]) -> dict[str, Any]:
    """Its store is filled from inside; by requests that would take minutes."""
    costs: dict[str, dict[str, float]] = {}
    rss = 0.0
    for size in sizes:
        result = _try(plan, contestant, "fill", {"BENCH_FILL": str(size)}, sizes=[size], held=size)
        if result:
            rss = result["rss_mb"]
            for name, points in result["cpu_us"].items():
                costs.setdefault(name, {}).update(points)
        plan.note(f"{size:,} tasks in the store: {contestant.name}")
    return {"cpu_us": costs, "rss_mb": rss}


def _try(
    plan: Plan,
    contestant: Contestant,
    job: str,
    environment: dict[str, str] | None = None,
    **order: Any,
) -> dict[str, Any] | None:
    """The result of a job on a fresh server, None if it failed; a line says why."""
    try:
        with serve(contestant, **(environment or {})) as server:
            return load(server, job, **order)
    except (LoadFailed, RuntimeError) as failure:
        plan.note(str(failure))
        return None
