"""The same request again and again: the job behind throughput, CPU per request and latency."""

from typing import Any

from benchmarks.load.connection import connect
from benchmarks.load.loops import Load, pace, saturate
from benchmarks.load.requests import Request, build
from benchmarks.measuring.arithmetic import find_percentile

PERCENTILES = (50, 90, 99, 99.9)


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Load a server with one workload, with `rate` at that rate and else as fast as it answers."""
    request = build(order["workload"], order["speaks"])
    connections = await connect(order["port"], order["connections"])
    pid = order["pid"]
    if order["warm_up"]:
        await saturate(connections, pid, request, order["warm_up"])
    if rate := order.get("rate"):
        load = await pace(connections, pid, request, rate, order["seconds"])
    else:
        load = await saturate(connections, pid, request, order["seconds"])
    for connection in connections:
        connection.close()
    _check(load, request)
    return summarize(load)


def summarize(load: Load) -> dict[str, Any]:
    return {
        "answers": load.answers,
        "per_second": load.answers / load.seconds,
        "cpu_us": load.cpu_seconds / load.answers * 1e6,
        "bytes_per_answer": load.bytes / load.answers,
        "events_per_answer": load.events / load.answers,
        "latency_ms": {f"p{one:g}": find_percentile(load.latencies, one) * 1e3 for one in PERCENTILES},
    }


def _check(load: Load, request: Request) -> None:
    if load.events < request.events * load.answers:
        raise RuntimeError(
            f"{load.events / load.answers:.1f} events in each stream, {request.events} were expected"
        )
