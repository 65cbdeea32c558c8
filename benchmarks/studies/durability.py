"""What it costs to lose nothing: the same calls on a store that forgets and on one that does not, in one run."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.studies.serving import serve
from dragoman import Client
from dragoman.client import TaskHandle

ROUNDS = 5
SENDS = 300
STREAMS = 4
CHUNKS = 1_000
SETTLE_SECONDS = 1.0
"""Until what was said last is written."""
AGENT = f"""
from collections.abc import AsyncIterator

from dragoman import Agent, Context

agent = Agent("Clerk", "Answers, and streams", default_skill="echo")

@agent.skill
async def echo(text: str) -> str:
    '''Say it again.'''
    return text

@agent.skill
async def stepped(text: str, ctx: Context) -> str:
    '''Say it again, in a step.'''
    return await ctx.step(repeat, text)

async def repeat(text: str) -> str:
    return text

@agent.skill
async def stream(text: str) -> AsyncIterator[str]:
    '''Say it a thousand times.'''
    for number in range({CHUNKS}):
        yield f"{{text}} {{number:04}} "
"""


async def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_agent(folder)
        database = folder / "tasks.db"
        with (
            serve("clerk:agent", folder=folder) as (plain_pid, plain_port),
            serve("clerk:agent", folder=folder, store=f"sqlite:///{database}") as (pid, port),
        ):
            async with (
                Client(f"http://127.0.0.1:{plain_port}") as plain,
                Client(f"http://127.0.0.1:{port}") as kept,
            ):
                return await compare((plain_pid, plain), (pid, kept), database)


def write_agent(folder: Path) -> None:
    (folder / "clerk.py").write_text(AGENT, encoding="utf-8")


async def compare(memory: tuple[int, Client], sqlite: tuple[int, Client], database: Path) -> dict[str, Any]:
    """Rounds that take turns, so that what else the machine does meets both alike."""
    await send_one(memory[1])
    await send_one(sqlite[1])
    figures = await measure_bytes(memory, sqlite, database)
    kinds = {
        "send": (send_many, SENDS),
        "send with a step": (send_steps, SENDS),
        "streamed chunk": (stream_many, STREAMS * CHUNKS),
    }
    for name, (act, units) in kinds.items():
        await act(memory[1])
        await act(sqlite[1])
        costs: list[tuple[float, float]] = [
            (await measure_cpu(*memory, act), await measure_cpu(*sqlite, act)) for _ in range(ROUNDS)
        ]
        forgetful, durable = (median(cost) / units * 1e6 for cost in zip(*costs, strict=True))
        figures[f"CPU per {name}, memory / SQLite"] = f"{forgetful:,.0f} µs / {durable:,.0f} µs"
        figures[f"CPU per {name}, SQLite to memory"] = durable / forgetful
    return figures


async def measure_bytes(
    memory: tuple[int, Client], sqlite: tuple[int, Client], database: Path
) -> dict[str, Any]:
    """What the first stream of chunks adds to the files, and what it gives to write() beyond what the answer takes."""
    text, answered = await count_written(*memory)
    size = read_size(database)
    _, written = await count_written(*sqlite)
    return {
        "bytes of text per chunk": text / CHUNKS,
        "bytes that file and WAL grew per chunk": (read_size(database) - size) / CHUNKS,
        "bytes written to files per chunk": (written - answered) / CHUNKS,
    }


async def count_written(pid: int, client: Client) -> tuple[int, int]:
    """One stream: bytes of its text, and bytes that the server gave to write() meanwhile."""
    before = read_written(pid)
    text = await stream_once(client)
    await asyncio.sleep(SETTLE_SECONDS)
    return text, read_written(pid) - before


async def measure_cpu(pid: int, client: Client, act: Callable[[Client], Awaitable[None]]) -> float:
    before = read_cpu_seconds(pid)
    await act(client)
    return read_cpu_seconds(pid) - before


async def send_one(client: Client) -> None:
    await client.send("hello", skill="echo")


async def send_many(client: Client) -> None:
    await send(client, "echo")


async def send_steps(client: Client) -> None:
    await send(client, "stepped")


async def send(client: Client, skill: str) -> None:
    for _ in range(SENDS):
        answer = await client.send("hello", skill=skill)
        assert isinstance(answer, TaskHandle)
        assert answer.text == "hello"


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


def read_cpu_seconds(pid: int) -> float:
    """Time that the threads of a process have spent at work; Linux counts it to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def read_written(pid: int) -> int:
    """Bytes that a process has given to write()."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="utf-8").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def read_size(database: Path) -> int:
    """The file and its log."""
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))
