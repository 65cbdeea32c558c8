"""The two ways to load a server: as fast as it answers, and at a fixed rate whatever it does."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from itertools import count

from benchmarks.load.connection import BadAnswer, Connection
from benchmarks.load.requests import ID, Request
from benchmarks.measuring.arithmetic import compute_latencies, plan_sends
from benchmarks.measuring.processes import read_cpu_seconds


@dataclass(frozen=True, slots=True)
class Load:
    """What a measured stretch of load came to."""

    answers: int
    seconds: float
    cpu_seconds: float
    bytes: int
    events: int
    latencies: list[float]


class Stamp:
    """Gives every request a messageId of its own."""

    def __init__(self, payload: bytes) -> None:
        self._parts = payload.split(ID, 1)
        self._numbers = count(time.monotonic_ns())

    def __call__(self) -> bytes:
        if len(self._parts) == 1:
            return self._parts[0]
        return b"%b%032x%b" % (self._parts[0], next(self._numbers), self._parts[1])


async def saturate(connections: list[Connection], pid: int, request: Request, seconds: float) -> Load:
    """Every connection sends again as soon as it was answered; counted are all that were sent, to the last answer."""
    stamp, marker = Stamp(request.payload), request.marker
    latencies: list[float] = []
    sent: dict[Connection, float] = {}
    finished = asyncio.Event()
    problems: list[BadAnswer] = []
    clock = time.perf_counter

    def next_one(connection: Connection, problem: BadAnswer | None) -> None:
        now = clock()
        latencies.append(now - sent.pop(connection))
        if problem:
            problems.append(problem)
        if now < deadline and not problems:
            sent[connection] = now
            connection.send(stamp(), marker, next_one)
        elif not sent:
            finished.set()

    before = _add_up(connections)
    cpu, start = read_cpu_seconds(pid), clock()
    deadline = start + seconds
    for connection in connections:
        sent[connection] = clock()
        connection.send(stamp(), marker, next_one)
    await asyncio.wait_for(finished.wait(), seconds + 120)
    if problems:
        raise problems[0]
    spent, cpu_spent = clock() - start, read_cpu_seconds(pid) - cpu
    size, events = (after - before for before, after in zip(before, _add_up(connections), strict=True))
    return Load(len(latencies), spent, cpu_spent, size, events, latencies)


async def pace(
    connections: list[Connection], pid: int, request: Request, rate: float, seconds: float
) -> Load:
    """Requests at a fixed rate on whatever connection is free; each is timed from when it was meant to be sent.

    The loop never sleeps: timers are too coarse to send on time, and the generator has a core of its own.
    """
    stamp, marker = Stamp(request.payload), request.marker
    clock = time.perf_counter
    free = deque(connections)
    began: dict[Connection, float] = {}
    finished: list[tuple[float, float]] = []
    problems: list[BadAnswer] = []

    def done(connection: Connection, problem: BadAnswer | None) -> None:
        finished.append((began.pop(connection), clock()))
        free.append(connection)
        if problem:
            problems.append(problem)

    before = _add_up(connections)
    cpu, start = read_cpu_seconds(pid), clock() + 0.01
    for intended in plan_sends(start, rate, seconds):
        while clock() < intended or not free:
            await asyncio.sleep(0)
        connection = free.popleft()
        began[connection] = intended
        connection.send(stamp(), marker, done)
    while began:
        await asyncio.sleep(0)
    if problems:
        raise problems[0]
    spent, cpu_spent = clock() - start, read_cpu_seconds(pid) - cpu
    latencies = compute_latencies([one[0] for one in finished], [one[1] for one in finished])
    size, events = (after - before for before, after in zip(before, _add_up(connections), strict=True))
    return Load(len(latencies), spent, cpu_spent, size, events, latencies)


def _add_up(connections: list[Connection]) -> tuple[int, int]:
    return sum(one.bytes for one in connections), sum(one.events for one in connections)
