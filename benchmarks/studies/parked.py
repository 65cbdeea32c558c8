"""Ten thousand tasks that wait for their caller: what they cost while their runs are in memory, and when those are dropped."""

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.studies.serving import read_rss_kib, serve
from dragoman import Client
from dragoman.client import TaskHandle

TASKS = 10_000
WARM_UP = 100
CALLERS = 16
LONG_PARK_SECONDS = 60.0
"""So that all of them are in memory at once, before they are dropped."""
SHORT_PARK_SECONDS = 0.2
AGENT = """
import asyncio
import gc
from datetime import timedelta

from dragoman import Agent, Context, Limits

limits = Limits(park_timeout=timedelta(seconds=PARK_SECONDS))
agent = Agent("Patience", "Waits for its callers", default_skill="order", limits=limits)

@agent.skill
async def order(text: str, ctx: Context) -> str:
    '''Ask how many.'''
    answer = await ctx.ask(f"how many {text}?")
    return f"{answer} {text}"

@agent.skill
async def look(text: str) -> dict[str, int]:
    '''Count what is in memory.'''
    gc.collect()
    live = sum(type(thing).__name__ == "LiveTask" for thing in gc.get_objects())
    return {"asyncio tasks": len(asyncio.all_tasks()), "live tasks": live}
"""


async def measure() -> dict[str, Any]:
    return {**await park_and_drop(), **await park_briefly()}


async def park_and_drop() -> dict[str, Any]:
    """All of them parked in memory, then all of them dropped, then one of them answered."""
    with tempfile.TemporaryDirectory() as folder, hold(Path(folder), LONG_PARK_SECONDS) as (pid, port):
        async with Client(f"http://127.0.0.1:{port}") as client:
            await park(client, WARM_UP)
            before, at_first = read_rss_kib(pid), await look(client)
            began = time.perf_counter()
            tasks = await park(client, TASKS)
            parked_in = time.perf_counter() - began
            parked, in_memory = read_rss_kib(pid), await look(client)
            await asyncio.sleep(max(0.0, LONG_PARK_SECONDS + 5))
            dropped, in_store = read_rss_kib(pid), await look(client)
            began = time.perf_counter()
            await tasks[TASKS // 2].reply("7")
            answered_in = time.perf_counter() - began
            answer = tasks[TASKS // 2].text
    return {
        "tasks parked": TASKS,
        "seconds to park them": parked_in,
        "MB of memory, before / parked / dropped": f"{before / 1024:.1f} / {parked / 1024:.1f} / {dropped / 1024:.1f}",
        "KiB per task, parked in memory": (parked - before) / TASKS,
        "asyncio tasks, before / parked / dropped": show(at_first, in_memory, in_store, "asyncio tasks"),
        "live tasks, before / parked / dropped": show(at_first, in_memory, in_store, "live tasks"),
        "one of them answered": f"{answer!r} after {answered_in * 1000:.1f} ms",
    }


async def park_briefly() -> dict[str, Any]:
    """What a dropped task costs where it is not hidden by memory that was needed before and not given back."""
    with tempfile.TemporaryDirectory() as folder, hold(Path(folder), SHORT_PARK_SECONDS) as (pid, port):
        async with Client(f"http://127.0.0.1:{port}") as client:
            await park(client, TASKS)  # the first ones fill caches and pools
            await settle(client)
            before = read_rss_kib(pid)
            await park(client, TASKS)
            counts = await settle(client)
            after = read_rss_kib(pid)
    return {
        "MB of memory, dropped at once, before / after": f"{before / 1024:.1f} / {after / 1024:.1f}",
        "bytes per task, dropped at once": (after - before) * 1024 / TASKS,
        "asyncio tasks, dropped at once": counts["asyncio tasks"],
        "live tasks, dropped at once": counts["live tasks"],
    }


def hold(folder: Path, park_seconds: float) -> Any:
    Path(folder, "patience.py").write_text(AGENT.replace("PARK_SECONDS", str(park_seconds)), encoding="utf-8")
    return serve("patience:agent", folder=folder, store=f"sqlite:///{folder / 'tasks.db'}")


async def park(client: Client, count: int) -> list[TaskHandle]:
    """So many tasks, each of which has asked its question."""
    tasks: list[TaskHandle] = []

    async def send_some() -> None:
        for _ in range(count // CALLERS + 1):
            task = await client.send("apples", skill="order")
            assert isinstance(task, TaskHandle)
            assert task.state.is_interrupted, task
            tasks.append(task)

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(send_some())
    return tasks


async def look(client: Client) -> dict[str, int]:
    answer = await client.send("around", skill="look")
    assert isinstance(answer, TaskHandle)
    [artifact] = answer.task.artifacts or ()
    counts: dict[str, int] = json.loads(json.dumps(artifact.parts[0].data))
    return counts


async def settle(client: Client) -> dict[str, int]:
    """Until the runs of all parked tasks have been dropped."""
    await asyncio.sleep(SHORT_PARK_SECONDS * 5)
    return await look(client)


def show(before: dict[str, int], parked: dict[str, int], dropped: dict[str, int], name: str) -> str:
    return f"{before[name]} / {parked[name]} / {dropped[name]}"
