"""Who is measured: every contestant is an ASGI app, served by uvicorn with the same settings in an environment of its own.

This module is imported in all of these environments: standard library only.
"""

from dataclasses import dataclass, field

OURS = "bench"
"""The environment that holds Dragoman, the floors and what measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """`group` is its dependency group in pyproject.toml, `speaks` the requests that it understands (`benchmarks/load/requests.py`)."""

    name: str
    words: str
    app: str
    group: str = OURS
    speaks: str = "1.0"
    environment: dict[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    """Workloads that it cannot do, or that would tell nothing new of it."""


ALL = (
    Contestant(
        name="bare",
        words="floor: an ASGI callable that parses and answers with msgspec, keeps nothing",
        app="benchmarks.contestants.bare:app",
    ),
    Contestant(
        name="starlette",
        words="floor: the same behind Starlette's routing, Request and Response",
        app="benchmarks.contestants.bare_starlette:app",
        lacks=frozenset({"card", "file", "text", "rest", "stream3", "stream100"}),
    ),
    Contestant(
        name="dragoman",
        words="Dragoman, tasks in memory",
        app="benchmarks.contestants.dragoman_agent:agent",
    ),
    Contestant(
        name="dragoman-sqlite",
        words="Dragoman, tasks in SQLite, durable before the answer",
        app="benchmarks.contestants.dragoman_agent:agent",
        environment={"BENCH_STORE": "sqlite"},
    ),
    Contestant(
        name="a2a-sdk",
        words="the official SDK as installed, tasks in memory",
        app="benchmarks.contestants.official:app",
        group="bench-a2a-sdk",
    ),
    Contestant(
        name="a2a-sdk-tuned",
        words="the official SDK, tracing off, garbage collector tuned, tasks in memory",
        app="benchmarks.contestants.official:app",
        group="bench-a2a-sdk",
        environment={"OTEL_INSTRUMENTATION_A2A_SDK_ENABLED": "false", "BENCH_TUNED": "1"},
        lacks=frozenset({"file", "text", "card", "rest"}),
    ),
    Contestant(
        name="a2a-sdk-traced",
        words="the official SDK, tuned, with the OpenTelemetry SDK recording every span",
        app="benchmarks.contestants.official:app",
        group="bench-a2a-sdk",
        environment={"BENCH_TRACED": "1", "BENCH_TUNED": "1"},
        lacks=frozenset({"file", "text", "card", "rest", "stream3", "stream100"}),
    ),
    Contestant(
        name="a2a-lite",
        words="a2a-lite, on the official SDK",
        app="benchmarks.contestants.lite:app",
        group="bench-a2a-lite",
        speaks="lite",
        lacks=frozenset({"rest", "file", "text", "stream3"}),
    ),
    Contestant(
        name="a2akit",
        words="a2akit, which speaks 0.3: the same work in 0.3 requests",
        app="benchmarks.contestants.kit:app",
        group="bench-a2akit",
        speaks="0.3",
        lacks=frozenset({"rest", "file", "text"}),
    ),
    Contestant(
        name="fasta2a",
        words="fasta2a, which answers SUBMITTED before the work is done: less work per answer",
        app="benchmarks.contestants.fast:app",
        group="bench-fasta2a",
        speaks="submitted",
        lacks=frozenset({"message", "rest", "file", "text"}),
    ),
)
BY_NAME = {contestant.name: contestant for contestant in ALL}
