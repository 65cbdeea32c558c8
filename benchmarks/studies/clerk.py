"""An agent that answers and streams, what its callers do, and what its process has spent on it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import TypeAlias

from dragoman import Client
from dragoman.client import TaskHandle

SENDS = 300
STREAMS = 4
CHUNKS = 1_000
SETTLE_SECONDS = 1.0
"""Until what was said last is written."""

Act: TypeAlias = Callable[[Client], Awaitable[None]]
Served: TypeAlias = tuple[int, Client]
"""The process of an agent, and a client of it."""


def write_agent(folder: Path, *, store: str = "memory:", skills: str = "") -> None:
    """The agent as `clerk:agent`, with more skills if they are given."""
    folder.mkdir(exist_ok=True)
    (folder / "clerk.py").write_text(_make_code(store) + skills, encoding="utf-8")


def _make_code(store: str) -> str:
    return f"""
from collections.abc import AsyncIterator

from dragoman import Agent

agent = Agent("Clerk", "Answers, and streams", default_skill="echo", store={store!r})

@agent.skill
async def echo(text: str) -> str:
    '''Say it again.'''
    return text

@agent.skill
async def stream(text: str) -> AsyncIterator[str]:
    '''Say it a thousand times.'''
    for number in range({CHUNKS}):
        yield f"{{text}} {{number:04}} "
"""


async def send(client: Client, skill: str) -> None:
    for _ in range(SENDS):
        answer = await client.send("hello", skill=skill)
        assert isinstance(answer, TaskHandle)
        assert answer.text == "hello"


async def send_many(client: Client) -> None:
    await send(client, "echo")


async def stream_many(client: Client) -> None:
    for _ in range(STREAMS):
        await stream_once(client)


async def stream_once(client: Client) -> int:
    """Read a stream to its end; how many bytes of text it brought."""
    stream = client.stream("word", skill="stream")
    async for _ in stream:
        pass
    assert stream.view.task is not None
    return len(stream.view.task.text)


async def measure_cpu(pid: int, client: Client, act: Act) -> float:
    """CPU seconds of the process while its caller acts."""
    before = _read_cpu_seconds(pid)
    await act(client)
    return _read_cpu_seconds(pid) - before


async def take_turns(act: Act, one: Served, other: Served, *, units: int, rounds: int) -> tuple[float, float]:
    """CPU µs per unit of both, medians of rounds in which what else the machine does meets both alike; a first one warms up."""
    costs = [(await measure_cpu(*one, act), await measure_cpu(*other, act)) for _ in range(rounds + 1)]
    mine, theirs = (median(cost) / units * 1e6 for cost in zip(*costs[1:], strict=True))
    return mine, theirs


async def count_written(pid: int, client: Client) -> tuple[int, int]:
    """One stream: bytes of its text, and bytes that the server gave to write() meanwhile."""
    before = _read_written(pid)
    text = await stream_once(client)
    await asyncio.sleep(SETTLE_SECONDS)
    return text, _read_written(pid) - before


def _read_cpu_seconds(pid: int) -> float:
    """Time that the threads of a process have spent at work; Linux counts it to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _read_written(pid: int) -> int:
    """Bytes that a process has given to write()."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="utf-8").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])
