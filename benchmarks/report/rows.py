"""The tables as rows of words: what the terminal and the page both show."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring.arithmetic import fit_exponent, summarize
from benchmarks.report.goals import FLOOR, OFFICIAL, compare
from benchmarks.workloads.steady import WORKLOADS


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of the columns and the rows under them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def list_tables(results: Mapping[str, Any]) -> Iterator[Table]:
    """Everything that a run has found, in the order to read it."""
    figures = results["figures"]
    if results["goals"]:
        yield make_goals(results["goals"])
    for workload, found in figures.get("requests", {}).items():
        if found:
            yield make_requests(figures, workload, found)
    makers = {
        "starts": make_starts,
        "latency": make_latency,
        "fanout": make_fan_out,
        "memory": make_memory,
        "listing": make_listing,
        "clients": make_clients,
        "footprint": make_footprint,
        "growth": make_growth,
    }
    for name, make in makers.items():
        if found := figures.get(name):
            yield make(found)


def number(value: float | None) -> str:
    """Three figures, which is more than one run can promise."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def make_goals(goals: list[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            one["goal"],
            f"{'≥' if one['at_least'] else '≤'} {one['bound']:g}{one['unit']}",
            f"{number(one['found'])}{one['unit']}",
            "met" if one["met"] else "missed",
        )
        for one in goals
    )
    return Table("Goals", ("goal", "bound", "found", ""), rows)


def make_requests(figures: Mapping[str, Any], workload: str, found: Mapping[str, Any]) -> Table:
    """Answers on the same CPU, to the official SDK and to the floor; then what that is made of."""
    rows: list[tuple[str, ...]] = []
    for name, rounds in found.items():
        cpu = summarize([one["cpu_us"] for one in rounds])
        latency = {p: statistics.median(one["latency_ms"][p] for one in rounds) for p in ("p50", "p99")}
        rows.append(
            (
                name,
                _ratio(figures, workload, name, OFFICIAL, found),
                _ratio(figures, workload, name, FLOOR, found),
                f"{number(cpu.median)} ({number(cpu.low)}–{number(cpu.high)})",
                number(statistics.median(one["per_second"] for one in rounds)),
                f"{number(latency['p50'])} / {number(latency['p99'])}",
            )
        )
    columns = ("", "× a2a-sdk", "× floor", "CPU µs (low–high)", "per second", "p50 / p99 ms, saturated")
    return Table(WORKLOADS[workload], columns, tuple(rows))


def _ratio(figures: Mapping[str, Any], workload: str, name: str, other: str, found: Mapping[str, Any]) -> str:
    return number(compare(figures, workload, name, other)) if other in found else "–"


def make_starts(found: Mapping[str, Any]) -> Table:
    """From the start of the process until it takes connections, and what it holds then."""
    rows = tuple(
        (
            name,
            *(
                number(statistics.median(one[what] for one in starts))
                for what in ("seconds", "cpu_seconds", "rss_mb")
            ),
        )
        for name, starts in found.items()
    )
    return Table("Cold start", ("", "seconds until it listens", "CPU seconds", "MB"), rows)


def make_latency(found: Mapping[str, Any]) -> Table:
    rows: list[tuple[str, ...]] = []
    for load, by_name in found.items():
        for name, rounds in by_name.items():
            spots = [
                statistics.median(one["latency_ms"][p] for one in rounds)
                for p in ("p50", "p90", "p99", "p99.9")
            ]
            rate = statistics.median(one["rate"] for one in rounds)
            words = "half of its most" if load == "half" else "the same for all"
            rows.append(
                (name, words, number(rate), *(number(one) for one in spots), number(spots[2] / spots[0]))
            )
    columns = ("", "rate", "per second", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "p99 / p50")
    return Table("Latency of send → task, from when it was meant to be sent", columns, tuple(rows))


def make_fan_out(found: Mapping[str, Any]) -> Table:
    def middle(name: str, what: str) -> float:
        return statistics.median(one[what] or 0 for one in found[name])

    floor = middle(FLOOR, "bytes_per_cpu_second") if FLOOR in found else None
    rows = tuple(
        (
            name,
            number(middle(name, "bytes_per_cpu_second") / floor) if floor else "–",
            number(middle(name, "bytes_per_cpu_second") / 1e6),
            number(middle(name, "bytes_per_second") / 1e6),
            f"{middle(name, 'fewest_events'):.0f}–{middle(name, 'most_events'):.0f}",
        )
        for name in found
    )
    columns = ("", "× bare fan-out", "MB per CPU second", "MB per second", "events of each stream")
    return Table("One task to its subscribers", columns, rows)


def make_memory(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (kind, name, number(next(iter(one.values())) / 1000))
        for kind, by_name in found.items()
        for name, one in by_name.items()
        if one
    )
    return Table("Memory of what waits", ("", "server", "kB each"), rows)


def make_listing(found: Mapping[str, Any]) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, one in found.items():
        for call, points in (one or {"cpu_us": {}})["cpu_us"].items():
            cells = ", ".join(f"{int(size):,}: {number(cost)}" for size, cost in points.items())
            rows.append((name, call, cells, _exponent(points)))
    columns = ("", "call", "CPU µs by tasks in the store", "grows with n to the")
    return Table("A full store", columns, tuple(rows))


def make_growth(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            curve,
            name,
            ", ".join(f"{int(size):,}: {number(cost)}" for size, cost in points.items()),
            _exponent(points),
        )
        for curve, by_name in found.items()
        for name, points in by_name.items()
    )
    return Table("Growth", ("curve", "server", "CPU µs by n", "grows with n to the"), rows)


def _exponent(points: Mapping[Any, float]) -> str:
    costs = {float(size): cost for size, cost in points.items()}
    return f"{fit_exponent(costs):.2f}" if len(costs) > 1 and min(costs.values()) > 0 else "–"


def make_clients(found: Mapping[str, Any]) -> Table:
    rates = {
        name: statistics.median(one["calls_per_cpu_second"] for one in rounds)
        for name, rounds in found.items()
    }
    rows = tuple(
        (name, number(rate / rates["official → " + name.split(" → ")[1]]), number(rate), number(1e6 / rate))
        for name, rate in rates.items()
    )
    columns = ("client → server", "× official client", "calls per CPU second", "CPU µs of a call")
    return Table("Clients", columns, rows)


def make_footprint(found: Mapping[str, Any]) -> Table:
    imports = found["import_cpu_ms"]
    rows = [(f"import of {name}", f"{number(statistics.median(imports[name]))} ms CPU") for name in imports]
    rows += [(f"idle server: {name}", f"{number(one)} MB") for name, one in found["idle_rss_mb"].items()]
    return Table("Footprint", ("", ""), tuple(rows))
