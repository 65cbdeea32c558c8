"""The goals, each a ratio or a bound within one run, and whether it is met."""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.measuring.arithmetic import compute_ratio

Figures = Mapping[str, Any]
OURS, FLOOR, OFFICIAL = "dragoman", "bare", "a2a-sdk"


def per_cpu_second(figures: Figures, workload: str, name: str) -> list[float]:
    """Answers per second of the server's CPU, a value for each round."""
    return [1e6 / one["cpu_us"] for one in figures["requests"][workload][name]]


def compare(figures: Figures, workload: str, name: str, other: str) -> float:
    """How many answers one gives for each of the other's, on the same CPU."""
    ours, theirs = per_cpu_second(figures, workload, name), per_cpu_second(figures, workload, other)
    return compute_ratio(ours, theirs).median


def _tail(figures: Figures) -> float:
    rounds = [one["latency_ms"] for one in figures["latency"]["half"][OURS]]
    return float(statistics.median(one["p99"] / one["p50"] for one in rounds))


def _fan_out(figures: Figures) -> float:
    ours, floor = ([one["bytes_per_cpu_second"] for one in figures["fanout"][name]] for name in (OURS, FLOOR))
    return compute_ratio(ours, floor).median


def _clients(figures: Figures) -> float:
    rates = {
        name: [one["calls_per_cpu_second"] for one in figures["clients"][f"{name} → {FLOOR}"]]
        for name in ("ours", "official")
    }
    return compute_ratio(rates["ours"], rates["official"]).median


def _memory(kind: str, name: str) -> Callable[[Figures], float]:
    unit = "bytes_per_stream" if kind == "idle stream" else "bytes_per_task"
    return lambda figures: float(figures["memory"][kind][name][unit]) / 1000


# What is said of the goal, the bound, whether more is better, the unit, where the figure comes from.
GOALS: tuple[tuple[str, float, bool, str, Callable[[Figures], float]], ...] = (
    ("send → task in memory, to a2a-sdk", 14, True, "×", lambda f: compare(f, "task", OURS, OFFICIAL)),
    ("send → task in memory, to the bare floor", 0.5, True, "×", lambda f: compare(f, "task", OURS, FLOOR)),
    ("send → task in memory, p99 to p50 at half load", 10, False, "×", _tail),
    (
        "send → task on SQLite, to a2a-sdk in memory",
        6,
        True,
        "×",
        lambda f: compare(f, "task", "dragoman-sqlite", OFFICIAL),
    ),
    ("stream of 100 chunks, to a2a-sdk", 15, True, "×", lambda f: compare(f, "stream100", OURS, OFFICIAL)),
    ("1,000 subscribers, bytes to a bare fan-out", 0.6, True, "×", _fan_out),
    ("our client's calls, to the official client's", 4, True, "×", _clients),
    (
        "import of the client, CPU",
        100,
        False,
        " ms",
        lambda f: statistics.median(f["footprint"]["import_cpu_ms"]["dragoman's client"]),
    ),
    ("idle server, memory", 45, False, " MB", lambda f: float(f["footprint"]["idle_rss_mb"][OURS])),
    ("idle stream, memory", 30, False, " kB", _memory("idle stream", OURS)),
    ("parked task on SQLite, memory", 2, False, " kB", _memory("parked task", "dragoman-sqlite")),
)


def check_goals(figures: Figures) -> list[dict[str, Any]]:
    """Every goal whose figures were measured in this run."""
    found: list[dict[str, Any]] = []
    for words, bound, more, unit, read in GOALS:
        try:
            value = read(figures)
        except (KeyError, TypeError, statistics.StatisticsError):
            continue  # it was not measured in this run, or that failed
        met = value >= bound if more else value <= bound
        found.append(
            {"goal": words, "bound": bound, "at_least": more, "unit": unit, "found": value, "met": met}
        )
    return found
