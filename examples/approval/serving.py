"""The agent as a process of its own, as `dragoman serve` starts it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 30


@dataclass(frozen=True, slots=True)
class Shop:
    """A running agent: its process and its address."""

    process: Process
    url: str

    async def kill(self) -> None:
        """End it as a power cut would: at once, with no chance to tidy up (kill -9)."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def serve(folder: Path, *, pause_at: str = "") -> AsyncGenerator[Shop, None]:
    """Serve the agent on a free port, with its tasks and its ledger in `folder`, and stop it at the end."""
    store = f"sqlite:///{folder / 'tasks.db'}"
    command = (
        "-m",
        "dragoman",
        "serve",
        "examples.approval.agent:agent",
        "--port",
        "0",
        "--store",
        store,
        "--json",
    )
    surroundings = {**os.environ, "APPROVAL_FOLDER": str(folder), "APPROVAL_PAUSE_AT": pause_at}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=DEVNULL, stdout=PIPE, cwd=ROOT, env=surroundings
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS_TO_START):
            ready = await process.stdout.readline()
        if not ready:
            raise RuntimeError(f"the agent did not start; it ended with {await process.wait()}")
        yield Shop(process, json.loads(ready)["url"])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
