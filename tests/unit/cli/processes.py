"""The command line as a person starts it: real processes, on loopback, ended by their id."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SECONDS = 60

GREETER = '''\
from dragoman import Agent

agent = Agent("Greeter", "Says hello")

@agent.skill
def hello(name: str = "world") -> str:
    """Greet someone by name."""
    return f"Hello, {name}!"
'''

WORKER = '''\
import asyncio
from collections.abc import AsyncIterator
from dragoman import Agent, Context, Message, Part, Progress, Role, SkillError

agent = Agent("Worker", "Does this and that")

@agent.skill(default=True)
async def work(text: str, ctx: Context) -> AsyncIterator[str | Progress | dict[str, str] | bytes]:
    """Do what the text says."""
    if text == "ask":
        yield f"you said {await ctx.ask('which one?')}"
    elif text == "login":
        yield f"welcome, {(await ctx.ask_auth('log in at https://login.example')).text}"
    elif text == "fail":
        raise SkillError("no seats left")
    elif text == "long":
        yield Progress("started", 0.1)
        yield "one "
        await asyncio.sleep(3600)
    elif text == "data":
        yield {"city": "Rome"}
    elif text == "escape":
        yield "\\x1b]0;title\\x07red"
    else:
        for word in text.split():
            yield f"{word} "

@agent.skill
async def count(ctx: Context, text: str = "") -> list[str]:
    """Say what came."""
    return [part.filename or str(part.text) for part in ctx.message.parts]

@agent.skill
async def pick(ctx: Context) -> str:
    """Ask for a pace."""
    return await ctx.choose("What pace would you like?", ["slow", "fast"])

@agent.skill
async def brief() -> Message:
    """Answer without a task."""
    return Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("in brief"),))
'''


@dataclass(frozen=True)
class Served:
    """A running `dragoman serve`, and what it said when it was ready."""

    process: subprocess.Popen[str]
    ready: Mapping[str, Any]

    @property
    def url(self) -> str:
        url: str = self.ready["url"]
        return url

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it, and wait; gives its exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


def start(*arguments: str, cwd: Path | None, **pipes: Any) -> subprocess.Popen[str]:
    """A `dragoman` that runs beside the test."""
    return subprocess.Popen(
        [sys.executable, "-m", "dragoman", *arguments], cwd=cwd, text=True, env=_environment(), **pipes
    )


def run(*arguments: str, cwd: Path | None = None, said: str = "") -> subprocess.CompletedProcess[str]:
    """A `dragoman` that runs to its end."""
    return subprocess.run(
        [sys.executable, "-m", "dragoman", *arguments],
        cwd=cwd,
        input=said,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=_environment(),
        check=False,
    )


@contextmanager
def serving(target: str, *options: str, cwd: Path) -> Iterator[Served]:
    """Serve `target` on a free port until the block is left."""
    process = start("serve", target, "--port", "0", "--json", *options, cwd=cwd, stdout=subprocess.PIPE)
    with ended(process):
        assert process.stdout is not None
        yield Served(process, json.loads(read_line(process, process.stdout)))


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """See that a process is gone, and its pipes are closed, when the block is left."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def read_line(process: subprocess.Popen[str], pipe: IO[str]) -> str:
    """The next line of a process that may be slow, but not for ever."""
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        return pipe.readline()
    finally:
        watchdog.cancel()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error::ResourceWarning"}
