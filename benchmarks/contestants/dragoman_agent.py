"""Dragoman's agent: a skill for each kind of work, chosen by name."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta

from dragoman import Agent, Artifact, Context, Limits, Message, Part

FAN_OUT_CHUNKS = 50
FAN_OUT_BYTES = 2000
STORES = {"memory": "memory:", "sqlite": "sqlite:///tasks.db"}

limits = Limits(
    max_streams_per_caller=5_000,
    max_runs=20_000,
    max_history=10_000,
    park_timeout=timedelta(seconds=float(os.environ.get("BENCH_PARK_SECONDS", "60"))),
)
agent = Agent(
    "Bench",
    "Does what it is measured at",
    default_skill="echo",
    limits=limits,
    store=STORES[os.environ.get("BENCH_STORE", "memory")],
)
gates: dict[str, asyncio.Event] = {}


def find_gate(name: str) -> asyncio.Event:
    return gates.setdefault(name, asyncio.Event())


@agent.skill
async def echo(text: str) -> str:
    """Say it again."""
    return text


@agent.skill
async def message(text: str, ctx: Context) -> Message:
    """Answer without a task."""
    return ctx.reply(text)


@agent.skill
async def stream(text: str) -> AsyncIterator[str]:
    """Stream as many chunks as the second word says."""
    for number in range(int(text.split()[1])):
        yield f"chunk {number} "


@agent.skill
async def artifacts(text: str) -> list[Artifact]:
    """Give as many artifacts as the second word says."""
    return [
        Artifact(artifact_id=f"a{number}", parts=(Part.of_text("x" * 20),))
        for number in range(int(text.split()[1]))
    ]


@agent.skill
async def file(content: bytes) -> bytes:
    """Give the file back."""
    return content


@agent.skill
async def hold(text: str, ctx: Context) -> None:
    """Wait for the gate to open, then write chunks."""
    _, name, *given = text.split()
    await find_gate(name).wait()
    async with ctx.artifact("chunks") as out:
        for _ in range(int(given[0]) if given else FAN_OUT_CHUNKS):
            await out.write("x" * FAN_OUT_BYTES)


@agent.skill(id="open")
async def open_gate(text: str) -> str:
    """Open a gate."""
    find_gate(text.split()[1]).set()
    return "open"


@agent.skill
async def ask(text: str, ctx: Context) -> None:
    """Go on asking."""
    while text != "enough":
        text = await ctx.ask("what else?")
