"""The agent that is killed. What its steps do to the world is a line in a file each, so that it can be counted."""

import asyncio
import os
from datetime import timedelta
from uuid import uuid4

from dragoman import Agent, Context, Limits
from dragoman.agent import Attempt

EFFECTS = os.environ.get("CHAOS_EFFECTS", os.devnull)
LEASE = timedelta(seconds=float(os.environ.get("CHAOS_LEASE", "1")))
CHUNKS = 30
STEPS = 4

agent = Agent(
    "Mill",
    "Works while it is being killed",
    default_skill="steps",
    tags=["chaos"],
    limits=Limits(
        lease=LEASE,
        cancel_grace=timedelta(seconds=1),
        park_timeout=timedelta(milliseconds=500),
        chunk_delay=timedelta(seconds=1),  # so that a kill costs chunks that were shown
    ),
)


def leave_trace(attempt: Attempt, is_slow: bool = False) -> str:
    """Do something to the world that cannot be undone; gives what tells this time from any other."""
    trace = uuid4().hex
    file = os.open(EFFECTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{attempt.key} {attempt.number} {trace}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    return trace


async def leave_trace_slowly(attempt: Attempt) -> str:
    await asyncio.sleep(0.02)
    return leave_trace(attempt)


@agent.skill
async def steps(text: str, ctx: Context) -> str:
    """Make steps, one by one and side by side."""
    for number in range(STEPS):
        await ctx.progress(f"step {number}")
        await ctx.step(leave_trace)
        await ctx.sleep(ctx.random() / 20)
    async with asyncio.TaskGroup() as group:
        for _ in range(STEPS):
            group.create_task(ctx.step(leave_trace_slowly))
    return f"made steps for {text}"


@agent.skill
async def chunks(text: str, ctx: Context) -> None:
    """Stream text, with a step now and then."""
    async with ctx.artifact("text") as out:
        for number in range(CHUNKS):
            await out.write(f"{number} ")
            await asyncio.sleep(0.01)
            if number % 5 == 4:
                await ctx.step(leave_trace)
                await ctx.progress(f"{number} written")
    await ctx.progress(f"done for {text}")


@agent.skill
async def ask(text: str, ctx: Context) -> str:
    """Ask, make a step, and answer."""
    await ctx.progress("about to ask")
    answer = await ctx.ask(f"what about {text}?")
    await ctx.progress("answered")
    await ctx.step(leave_trace)
    return f"you said {answer}"


@agent.skill
async def spell(text: str, ctx: Context) -> None:
    """Write two letters, wait for ever, and go on only when run again."""
    async with ctx.artifact("text") as out:
        await out.write("a ")
        await ctx.step(leave_trace)
        await out.write("b ")
        await wait_in_first_run(f"{EFFECTS}-{ctx.task_id}")
        await out.write("c ")
    await ctx.progress("halfway")
    await ctx.progress(f"done for {text}")


async def wait_in_first_run(marker: str) -> None:
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    await asyncio.sleep(3600)


@agent.skill
async def slow(text: str, ctx: Context) -> str:
    """Work for longer than anybody waits."""
    for number in range(5000):
        await ctx.progress(f"tick {number}")
        await ctx.sleep(0.05)
    return f"never: {text}"
