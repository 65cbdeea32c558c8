"""A thousand streams of one task, from one process, and one reader that stops reading."""

import asyncio
import json
import tempfile
import time
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.processes import read_rss_kib, serve
from dragoman import Client
from dragoman.client import TaskHandle

Read = TypeVar("Read")

STREAMS = 1000
CHUNKS = 200
CHUNK_BYTES = 2000
AGENT = f'''
from dragoman import Agent, Context, Limits

agent = Agent("Relay", "Sends many chunks once it is told to", limits=Limits(max_streams_per_caller=5000))

@agent.skill
async def relay(text: str, ctx: Context) -> None:
    """Wait for a word, then send chunks."""
    await ctx.next_message()
    async with ctx.artifact("chunks") as out:
        for number in range({CHUNKS}):
            await out.write(f"{{number:06}}" + "x" * {CHUNK_BYTES - 6})
'''


async def measure() -> dict[str, Any]:
    with serve_relay() as (pid, port):
        return await run(pid, port)


@contextmanager
def serve_relay() -> Iterator[tuple[int, int]]:
    """The agent in a process of its own: its process id and its port."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "relay.py").write_text(AGENT, encoding="utf-8")
        with serve("relay:agent", folder=folder) as server:
            yield server


async def run(pid: int, port: int) -> dict[str, Any]:
    async with Client(f"http://127.0.0.1:{port}") as client:
        task = await client.send("wait", return_immediately=True)
        assert isinstance(task, TaskHandle)
        before = read_rss_kib(pid)
        deaf = await open_stream(port, task.id)
        readers = [await open_stream(port, task.id) for _ in range(STREAMS)]
        firsts = await collect(next_event(reader) for reader, _ in readers)
        open_kib = read_rss_kib(pid)
        start = time.perf_counter()
        await task.reply("go", return_immediately=True)
        streams = await collect(read_all(reader) for reader, _ in readers)
        seconds = time.perf_counter() - start
        after = read_rss_kib(pid)
        lag = await deaf_lag(deaf[0])
    for _, writer in [deaf, *readers]:
        writer.close()
    total = sum(len(payload) for payload in streams[0]) * STREAMS
    return {
        "streams": len(streams),
        "first events alike": len(set(firsts)) == 1,
        "events of each": len(streams[0]),
        "all streams equal, in order": all(stream == streams[0] for stream in streams),
        "chunks in order": chunk_numbers(streams[0]) == list(range(CHUNKS)),
        "KiB of server memory per idle stream": (open_kib - before) / (STREAMS + 1),
        "MB of server memory, before / with streams / after all events": (
            f"{before / 1024:.1f} / {open_kib / 1024:.1f} / {after / 1024:.1f}"
        ),
        "seconds to deliver": seconds,
        "MB per second": total / seconds / 1e6,
        "the reader that stopped": lag,
    }


async def collect(readings: Iterable[Coroutine[Any, Any, Read]]) -> list[Read]:
    """What all of them read, side by side."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reading) for reading in readings]
    return [task.result() for task in tasks]


async def open_stream(port: int, task_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=8192)
    head = f"GET /tasks/{task_id}:subscribe HTTP/1.1\r\nHost: 127.0.0.1\r\nA2A-Version: 1.0\r\n\r\n"
    writer.write(head.encode())
    status = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in status.split(b"\r\n", 1)[0], status
    return reader, writer


async def next_event(reader: asyncio.StreamReader) -> bytes:
    while True:
        line = await reader.readline()
        if line.startswith(b"data:"):
            return line


async def read_all(reader: asyncio.StreamReader) -> list[bytes]:
    """Every event to the end of the stream, whose last chunk is empty."""
    events: list[bytes] = []
    while (line := await reader.readline()) != b"0\r\n":
        if line.startswith(b"data:"):
            events.append(line)
    return events


async def deaf_lag(reader: asyncio.StreamReader) -> str:
    """What the stopped reader finds when it reads on at last."""
    events = await read_all(reader)
    return f"read on afterwards and found {len(events)} events, the snapshot included"


def chunk_numbers(events: list[bytes]) -> list[int]:
    numbers: list[int] = []
    for event in events:
        update = json.loads(event[5:]).get("artifactUpdate")
        text = update and update["artifact"]["parts"][0].get("text", "")
        if text:
            numbers.append(int(text[:6]))
    return numbers
