"""What one contestant spends, in the process that asks."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.studies.http_clients.contestants import CONTESTANTS
from benchmarks.studies.http_clients.server import EVENT, EVENTS, REPLY


async def contest(name: str, base: str) -> dict[str, float]:
    """The figures of one contestant: CPU microseconds per call, and in how many chunks a paced stream came."""
    async with CONTESTANTS[name](base) as (post, stream):
        chunks = await _check(post, stream)
        await _measure(300, 50, post)
        return {
            "post c=1": await _measure(500, 1, post),
            "post c=50": await _measure(3000, 50, post),
            "sse burst": await _measure(60, 4, lambda: _drain(stream, "/burst")),
            "sse paced": await _measure(60, 20, lambda: _drain(stream, "/paced")),
            "chunks paced": chunks,
        }


async def _check(post: Callable[[], Awaitable[bytes]], stream: Callable[[str], AsyncIterator[bytes]]) -> int:
    """See that it gives what was sent, all of it, and when it was sent; in how many chunks a paced stream came."""
    assert await post() == REPLY
    for path in ("/burst", "/paced"):
        seen = await _drain(stream, path)
        assert sum(size for size, _ in seen) == len(EVENT) * EVENTS, path
    assert seen[-1][1] - seen[0][1] > 0.05, "held back: the first event came with the last"
    return len(seen)


async def _drain(stream: Callable[[str], AsyncIterator[bytes]], path: str) -> list[tuple[int, float]]:
    """Read to the end: the size of each chunk, and when it came."""
    return [(len(chunk), time.perf_counter()) async for chunk in stream(path)]


async def _measure(total: int, concurrency: int, call: Callable[[], Awaitable[Any]]) -> float:
    left = iter(range(total))

    async def work() -> None:
        for _ in left:
            await call()

    start = _read_cpu_seconds()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return (_read_cpu_seconds() - start) / total * 1e6


def _read_cpu_seconds() -> float:
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime
