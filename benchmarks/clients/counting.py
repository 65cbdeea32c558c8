"""Calls per CPU second of this process. Standard library only: every client's environment runs it."""

import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable

CALLERS = 8
WARM_UP_SECONDS = 0.3


async def count_calls(call: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Call for a while from several callers, and print what a call cost; RuntimeError if an answer was not right."""
    await _call_until(call, time.perf_counter() + WARM_UP_SECONDS)
    cpu, start = _read_cpu(), time.perf_counter()
    calls = await _call_until(call, start + seconds)
    spent, elapsed = _read_cpu() - cpu, time.perf_counter() - start
    print(
        json.dumps(
            {"calls": calls, "calls_per_cpu_second": calls / spent, "calls_per_second": calls / elapsed}
        )
    )


async def _call_until(call: Callable[[], Awaitable[bool]], deadline: float) -> int:
    async def work() -> int:
        calls = 0
        while time.perf_counter() < deadline:
            if not await call():
                raise RuntimeError("the answer is not what was said")
            calls += 1
        return calls

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for _ in range(CALLERS)]
    return sum(task.result() for task in tasks)


def _read_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
