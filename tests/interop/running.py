"""Runs columns of the matrix at the same time and collects their cells."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from dragoman import Client
from tests.interaction.sockets import serving
from tests.interop.agent import make_agent
from tests.interop.columns import OURS, ROOT, THEIRS, Column, Peer
from tests.interop.our_client import OurCaller
from tests.peer.rows import ROWS, run_row

AT_ONCE = 3
START_SECONDS = 60
COLUMN_SECONDS = 90


@dataclass(frozen=True)
class Cell:
    """How one row went in one column: `ok` is None where the peer has no such operation."""

    ok: bool | None
    evidence: str = ""


Cells = dict[tuple[Column, str], Cell]


async def run_columns(columns: Collection[Column]) -> Cells:
    """Start what the columns need on free ports, run them, and stop it."""
    theirs = [column for column in columns if column.direction == THEIRS]
    ours = [column for column in columns if column.direction == OURS]
    cells: Cells = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def run(column: Column, url: str) -> None:
        async with turns:
            rows = run_their_client if column.direction == THEIRS else run_our_client
            found = await rows(column, url)
            cells.update({(column, row): cell for row, cell in found.items()})

    async with AsyncExitStack() as stack:
        servers = await start_servers({column.peer for column in ours}, stack)
        url = await stack.enter_async_context(serving(make_agent())) if theirs else ""
        async with asyncio.TaskGroup() as group:
            for column in theirs:
                group.create_task(run(column, url))
            for column in ours:
                group.create_task(run(column, servers[column.peer]))
    return cells


async def start_servers(peers: Iterable[Peer], stack: AsyncExitStack) -> dict[Peer, str]:
    """Their addresses, once all of them are up."""
    hosted = {peer: await stack.enter_async_context(hosting(peer)) for peer in peers}
    async with asyncio.timeout(START_SECONDS):
        return {peer: await read_address(process) for peer, process in hosted.items()}


@asynccontextmanager
async def hosting(peer: Peer) -> AsyncIterator[Process]:
    """The server of a peer: it prints its address, and ends when its input does. What it logs is not kept."""
    process = await asyncio.create_subprocess_exec(
        *peer.server, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def read_address(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def run_their_client(column: Column, url: str) -> dict[str, Cell]:
    """The rows that the client reports; those that it did not come to get what it complained of at last."""
    process = await asyncio.create_subprocess_exec(
        *column.peer.client, url, column.binding.value, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(COLUMN_SECONDS):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    lines = [json.loads(line) for line in output.decode().splitlines()]
    seen = {line["row"]: Cell(line["ok"], line["evidence"]) for line in lines}
    ended = Cell(ok=False, evidence=f"the client ended: {find_complaint(errors.decode())}")
    return {row: seen.get(row, ended) for row in ROWS}


def find_complaint(log: str) -> str:
    """The last line about an error, or the last line at all."""
    lines = log.strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "Error" in line), lines[-1])


async def run_our_client(column: Column, url: str) -> dict[str, Cell]:
    async with Client(url, bindings=[column.binding]) as client:
        caller = OurCaller(client, column.peer.generation)
        lines = [await run_row(caller, row) for row in ROWS]
    return {line["row"]: Cell(line["ok"], line["evidence"]) for line in lines}
