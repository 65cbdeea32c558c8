"""How costs grow: with the history, the artifacts, the chunks, the text of a task, its subscribers. The exponent says it in one number."""

from typing import Any

from benchmarks.load.orders import load
from benchmarks.measuring.processes import serve
from benchmarks.workloads.plan import Plan

HISTORY = (20, 100, 400, 1_000)
ARTIFACTS = (10, 100, 900)
CHUNKS = (100, 1_000, 5_000)
TEXT = (1_000, 10_000, 100_000, 1_000_000)
SUBSCRIBERS = (10, 100, 1_000)
FAN_OUT_CHUNKS = 20

Curves = dict[str, dict[str, dict[int, float]]]


def measure(plan: Plan) -> Curves:
    """Microseconds of CPU at each size, for each curve and store."""
    curves: Curves = {}
    for contestant in plan.choose("dragoman", "dragoman-sqlite"):
        with serve(contestant) as server:
            history = HISTORY[:2] if plan.quick else HISTORY
            _add(curves, "reply, by replies before", contestant.name, load(server, "converse", sizes=history))
            for what, sizes in (("artifacts", ARTIFACTS), ("chunks", CHUNKS), ("text", TEXT)):
                result = load(server, "swell", what=what, sizes=sizes[:2] if plan.quick else sizes)
                _add(
                    curves, f"send, by {'bytes of ' if what == 'text' else ''}{what}", contestant.name, result
                )
            plan.note(f"growth of a task: {contestant.name}")
        for subscribers in SUBSCRIBERS[:2] if plan.quick else SUBSCRIBERS:
            with serve(contestant) as server:
                found = load(server, "fan out", subscribers=subscribers, chunks=FAN_OUT_CHUNKS)
            cost = {"cpu_us": {subscribers: found["fine_cpu_seconds"] * 1e6}}
            _add(curves, "task, by subscribers", contestant.name, cost)
        plan.note(f"growth of subscribers: {contestant.name}")
    return curves


def _add(curves: Curves, curve: str, name: str, result: dict[str, Any]) -> None:
    points = curves.setdefault(curve, {}).setdefault(name, {})
    points.update({int(size): cost for size, cost in result["cpu_us"].items()})
