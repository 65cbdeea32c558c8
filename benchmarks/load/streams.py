"""Many streams of one task: delivering to all of them, and holding them while nothing happens."""

import asyncio
import time
from typing import Any
from uuid import uuid4

from benchmarks.load.connection import BadAnswer, Connection, connect
from benchmarks.load.requests import build_call, build_method
from benchmarks.load.tasks import read_task
from benchmarks.measuring.processes import read_cpu_seconds, read_fine_cpu_seconds, read_rss_bytes

SETTLE_SECONDS = 1.0
WAIT_SECONDS = 120.0


class Audience:
    """Subscribers of one task that waits for a gate to open before it writes its chunks."""

    def __init__(self, port: int, chunks: int) -> None:
        self.streams: list[Connection] = []
        self._port = port
        self._name = uuid4().hex
        self._call = build_call(
            f"hold {self._name} {chunks}", skill="hold", configuration={"returnImmediately": True}
        )
        self._ended = asyncio.Event()
        self._left = 0
        self.problems: list[BadAnswer] = []

    async def gather(self, count: int) -> None:
        """Start the task, subscribe so many times, and wait until each stream has its first event."""
        [caller] = await connect(self._port, 1)
        task = read_task(await caller.ask(self._call))
        caller.close()
        subscribe = build_method("SubscribeToTask", id=task["id"])
        self.streams = await connect(self._port, count)
        self._left = count
        for stream in self.streams:
            stream.send(subscribe, b"TASK_STATE_COMPLETED", self._end)
        async with asyncio.timeout(WAIT_SECONDS):
            while not all(stream.events for stream in self.streams):
                await asyncio.sleep(0.02)

    async def release(self) -> None:
        """Open the gate, and wait until every stream has ended."""
        [caller] = await connect(self._port, 1)
        await caller.ask(build_call(f"open {self._name}", skill="open"))
        async with asyncio.timeout(WAIT_SECONDS):
            await self._ended.wait()
        caller.close()

    def close(self) -> None:
        for stream in self.streams:
            stream.close()

    def _end(self, _: Connection, problem: BadAnswer | None) -> None:
        self._left -= 1
        if problem:
            self.problems.append(problem)
        if not self._left:
            self._ended.set()


async def fan_out(order: dict[str, Any]) -> dict[str, Any]:
    """Bytes per second and CPU to bring one task's chunks to all of its subscribers."""
    audience = Audience(order["port"], order["chunks"])
    await audience.gather(order["subscribers"])
    size = sum(stream.bytes for stream in audience.streams)
    pid = order["pid"]
    cpu, fine, start = read_cpu_seconds(pid), read_fine_cpu_seconds(pid), time.perf_counter()
    await audience.release()
    seconds = time.perf_counter() - start
    spent, fine_spent = read_cpu_seconds(pid) - cpu, read_fine_cpu_seconds(pid) - fine
    size = sum(stream.bytes for stream in audience.streams) - size
    events = [stream.events for stream in audience.streams]
    audience.close()
    return {
        "bytes_per_second": size / seconds,
        "bytes_per_cpu_second": size / spent if spent else None,
        "cpu_seconds": spent,
        "fine_cpu_seconds": fine_spent,
        "fewest_events": min(events),
        "most_events": max(events),
        "streams_cut_short": len(audience.problems),
    }


async def idle(order: dict[str, Any]) -> dict[str, Any]:
    """Memory of streams on which nothing happens."""
    warm_up = Audience(order["port"], 1)
    await warm_up.gather(20)
    before = read_rss_bytes(order["pid"])
    audience = Audience(order["port"], 1)
    await audience.gather(order["streams"])
    await asyncio.sleep(SETTLE_SECONDS)
    after = read_rss_bytes(order["pid"])
    audience.close()
    warm_up.close()
    return {"bytes_per_stream": (after - before) / order["streams"]}
