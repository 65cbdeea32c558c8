"""What it costs to lose nothing: the same calls on a store that forgets and on one that does not, in one run."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.studies.clerk import (
    CHUNKS,
    SENDS,
    STREAMS,
    Act,
    Served,
    count_written,
    send,
    send_many,
    stream_many,
    take_turns,
    write_agent,
)
from benchmarks.studies.serving import serve
from dragoman import Client

ROUNDS = 5
STEPPED = """
from dragoman import Context

@agent.skill
async def stepped(text: str, ctx: Context) -> str:
    '''Say it again, in a step.'''
    return await ctx.step(repeat, text)

async def repeat(text: str) -> str:
    return text
"""


async def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_agent(folder, skills=STEPPED)
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


async def compare(memory: Served, sqlite: Served, database: Path) -> dict[str, Any]:
    await send_one(memory[1])
    await send_one(sqlite[1])
    figures = await measure_bytes(memory, sqlite, database)
    for name, (act, units) in KINDS.items():
        forgetful, durable = await take_turns(act, memory, sqlite, units=units, rounds=ROUNDS)
        figures[f"CPU per {name}, memory / SQLite"] = f"{forgetful:,.0f} µs / {durable:,.0f} µs"
        figures[f"CPU per {name}, SQLite to memory"] = durable / forgetful
    return figures


async def measure_bytes(memory: Served, sqlite: Served, database: Path) -> dict[str, Any]:
    """What the first stream of chunks adds to the files, and what it gives to write() beyond what the answer takes."""
    text, answered = await count_written(*memory)
    size = read_size(database)
    _, written = await count_written(*sqlite)
    return {
        "bytes of text per chunk": text / CHUNKS,
        "bytes that file and WAL grew per chunk": (read_size(database) - size) / CHUNKS,
        "bytes written to files per chunk": (written - answered) / CHUNKS,
    }


async def send_one(client: Client) -> None:
    await client.send("hello", skill="echo")


async def send_steps(client: Client) -> None:
    await send(client, "stepped")


KINDS: dict[str, tuple[Act, int]] = {
    "send": (send_many, SENDS),
    "send with a step": (send_steps, SENDS),
    "streamed chunk": (stream_many, STREAMS * CHUNKS),
}


def read_size(database: Path) -> int:
    """The file and its log."""
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))
