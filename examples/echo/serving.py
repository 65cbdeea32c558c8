"""The valley as a process of its own, as `dragoman serve` starts it."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

AGENT = Path(__file__).with_name("agent.py")
SECONDS_TO_START = 30


class Valley:
    """A running agent: its process and its address."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    async def kill(self) -> None:
        """End it as a power cut would: at once, with no chance to tidy up."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def serve(folder: Path) -> AsyncIterator[Valley]:
    """Serve the agent on a free port with its tasks in `folder`, and stop it at the end."""
    store = f"sqlite:///{folder / 'tasks.db'}"
    command = ("-m", "dragoman", "serve", f"{AGENT}:agent", "--port", "0", "--store", store, "--json")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=DEVNULL, stdout=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS_TO_START):
            ready = await process.stdout.readline()
        if not ready:
            raise RuntimeError(f"the agent did not start; it ended with {await process.wait()}")
        yield Valley(process, json.loads(ready)["url"])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
