"""The process that is killed, and started again at once on the same port and the same file."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.interaction.sockets import find_unused_port

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60


class Victim:
    """`dragoman serve`, with its tasks, the traces of its steps and its log in `folder`."""

    def __init__(self, folder: Path, *, lease: float = 1.0) -> None:
        self.port = find_unused_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "tasks.db"
        self.effects = folder / "effects.txt"
        self.log = folder / f"log-{self.port}.txt"
        self._lease = lease
        self._process: Process | None = None
        self._is_ready = False

    async def start(self) -> None:
        """Begin to start; `ready` tells when that is done."""
        command = (
            "serve",
            "tests.chaos.agent:agent",
            "--port",
            str(self.port),
            "--log-level",
            "warning",
            "--json",
        )
        store = ("--store", f"sqlite:///{self.database}")
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        with self.log.open("ab") as log:
            self._is_ready = False
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "dragoman", *command, *store),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
                cwd=ROOT,
                env={
                    **os.environ,
                    "CHAOS_EFFECTS": str(self.effects),
                    "CHAOS_LEASE": str(self._lease),
                    "PYTHONPATH": path,
                },
            )

    async def ready(self) -> None:
        """Until it listens."""
        if self._is_ready:
            return
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS_TO_START):
            if not await self._process.stdout.readline():
                raise RuntimeError(f"the agent did not start:\n{self.log.read_text()}")
        self._is_ready = True

    async def kill(self) -> None:
        """Like a power cut (kill -9)."""
        assert self._process is not None
        assert self._process.returncode is None, self.log.read_text()
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


@asynccontextmanager
async def serving(folder: Path, *, lease: float = 1.0) -> AsyncGenerator[Victim, None]:
    victim = Victim(folder, lease=lease)
    await victim.start()
    try:
        await victim.ready()
        yield victim
    finally:
        await victim.stop()
