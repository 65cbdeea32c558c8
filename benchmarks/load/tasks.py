"""Jobs about tasks: many of them, parked ones, and how costs grow with what a task or a store holds."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from benchmarks.load.connection import Connection, connect
from benchmarks.load.loops import Stamp
from benchmarks.load.requests import build_call, build_method
from benchmarks.measuring.processes import read_fine_cpu_seconds, read_rss_bytes

CALLERS = 16
SETTLE_SECONDS = 2.0
REPEATS = 30


def read_task(answer: bytes) -> dict[str, Any]:
    """The task in the answer to a send."""
    body = json.loads(answer[answer.index(b"\r\n\r\n") :])
    try:
        task: dict[str, Any] = body["result"]["task"]
    except (KeyError, TypeError):
        raise ValueError(f"no task in {body!r}") from None
    return task


async def send_many(connections: Sequence[Connection], payload: bytes, count: int, marker: bytes) -> bytes:
    """The same request so many times over these connections; the last answer."""
    stamp, numbers = Stamp(payload), iter(range(count))

    async def work(connection: Connection) -> None:
        for _ in numbers:
            await connection.ask(stamp(), marker)

    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(work(connection))
    return connections[0].last


async def park(order: dict[str, Any]) -> dict[str, Any]:
    """Memory of tasks that wait for their callers, above what as many before them have already made the process take."""
    connections = await connect(order["port"], CALLERS)
    ask = build_call("ask what", skill="ask")
    await send_many(connections, ask, order["warm_up"], b"INPUT_REQUIRED")
    await asyncio.sleep(SETTLE_SECONDS)
    before = read_rss_bytes(order["pid"])
    await send_many(connections, ask, order["tasks"], b"INPUT_REQUIRED")
    await asyncio.sleep(SETTLE_SECONDS)
    after = read_rss_bytes(order["pid"])
    return {"bytes_per_task": (after - before) / order["tasks"]}


async def fill(order: dict[str, Any]) -> dict[str, Any]:
    """What a send, a get and a page of a list cost in CPU when so many tasks are in the store."""
    connections = await connect(order["port"], CALLERS)
    pid, held = order["pid"], order.get("held", 0)
    send = build_call("hello world")
    costs: dict[str, dict[int, float]] = {"send": {}, "get": {}, "list": {}}
    for size in order["sizes"]:
        answer = await send_many(connections, send, max(size - held, 1), b"TASK_STATE_COMPLETED")
        held = size
        get = build_method("GetTask", id=read_task(answer)["id"])
        page = build_method("ListTasks", pageSize=50)
        for name, payload in (("send", send), ("get", get), ("list", page)):
            marker = b'"nextPageToken"' if name == "list" else b"TASK_STATE_COMPLETED"
            costs[name][size] = await measure(connections[:1], pid, payload, marker, REPEATS)
    rss = read_rss_bytes(pid)
    return {"cpu_us": costs, "rss_mb": rss / 1e6}


async def measure(
    connections: Sequence[Connection], pid: int, payload: bytes, marker: bytes, repeats: int
) -> float:
    """Microseconds of CPU of one request."""
    await send_many(connections, payload, 2, marker)
    before = read_fine_cpu_seconds(pid)
    await send_many(connections, payload, repeats, marker)
    return (read_fine_cpu_seconds(pid) - before) / repeats * 1e6


async def converse(order: dict[str, Any]) -> dict[str, Any]:
    """CPU of one reply in a conversation that has taken so many already."""
    [connection] = await connect(order["port"], 1)
    task = read_task(await connection.ask(Stamp(build_call("first", skill="ask"))()))
    brief = {"historyLength": 1}
    reply = build_call("more", skill="ask", task_id=task["id"], configuration=brief)
    costs: dict[int, float] = {}
    said = 0
    for size in order["sizes"]:
        await send_many([connection], reply, size - said - REPEATS // 2, b"INPUT_REQUIRED")
        before = read_fine_cpu_seconds(order["pid"])
        await send_many([connection], reply, REPEATS, b"INPUT_REQUIRED")
        costs[size] = (read_fine_cpu_seconds(order["pid"]) - before) / REPEATS * 1e6
        said = size + REPEATS // 2
    return {"cpu_us": costs}


async def swell(order: dict[str, Any]) -> dict[str, Any]:
    """CPU of one send that makes n artifacts, n chunks, or takes n bytes of text."""
    connections = await connect(order["port"], 1)
    costs: dict[int, float] = {}
    for size in order["sizes"]:
        match order["what"]:
            case "artifacts":
                payload = build_call(f"artifacts {size}", skill="artifacts")
            case "chunks":
                payload = build_call(f"stream {size}", skill="stream", streams=True)
            case _:
                payload = build_call("x" * size)
        costs[size] = await measure(connections, order["pid"], payload, b"TASK_STATE_COMPLETED", 5)
    return {"cpu_us": costs}
