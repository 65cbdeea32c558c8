"""The agent that most of these tests talk to: one skill for each thing that an agent can do."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from dragoman import Agent, Context, Limits, Message, Part, Principal, Progress, SkillError
from dragoman.model import PermissionDeniedError, UnauthenticatedError
from dragoman.security import Credentials, EgressPolicy
from dragoman.server.webhooks import WebhookOptions

LOOPBACK = WebhookOptions(egress=EgressPolicy.allowing(["127.0.0.0/8"]))


class Gates:
    """Doors by name, which skills wait at and tests open: nothing sleeps."""

    def __init__(self) -> None:
        self._open: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._reached: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def open(self, name: str) -> None:
        self._open[name].set()

    async def passing(self, name: str) -> None:
        self._reached[name].set()
        await self._open[name].wait()

    async def reached(self, name: str) -> None:
        """Until a skill waits at the door."""
        await self._reached[name].wait()


class Parrot(Agent):
    """Echoes what it is told, unless another skill is named in the metadata."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("webhooks", LOOPBACK)
        options.setdefault(
            "limits", Limits(drain_timeout=timedelta())
        )  # what a test leaves at work is not waited for
        super().__init__("Parrot", "Says what it hears", default_skill="echo", tags=["test"], **options)
        self.gates = Gates()
        self.heard: list[Message] = []
        self.canceled: list[str] = []
        for skill in (echo, reply, chunks, ask, authorise, fail, crash, nothing, file, mirror, remember):
            self.skill(skill)
        self.skill(input_modes=["text/plain"])(letters)
        self.skill(self.hold)
        self.skill(self.release)
        self.skill(self.drip)
        self.skill(self.chat)
        self.skill(self.listen)

    async def hold(self, name: str, ctx: Context) -> str:
        """Work until the gate opens."""
        await ctx.progress("holding")
        try:
            await self.gates.passing(name)
        except asyncio.CancelledError:
            self.canceled.append(name)
            raise
        return "held"

    async def release(self, name: str) -> None:
        """Open a gate."""
        self.gates.open(name)

    async def drip(self, name: str) -> AsyncIterator[str]:
        """Say one word before the gate opens and one after."""
        yield "drip "
        await self.gates.passing(name)
        yield "drop"

    async def chat(self, name: str, ctx: Context) -> str:
        """Hear what else is said while working."""
        await self.gates.passing(name)
        more = await ctx.next_message()
        return f"{name}, {more.text}"

    async def listen(self, message: Message) -> str:
        """Keep the message for the test to look at."""
        self.heard.append(message)
        return "heard"


async def echo(text: str) -> str:
    """Say it again."""
    return text


async def reply(text: str, ctx: Context) -> Message:
    """Answer without a task."""
    return ctx.reply(text)


async def chunks() -> AsyncIterator[str | Progress]:
    """Say it piece by piece."""
    yield Progress("counting", 0.5)
    for piece in ("one ", "two ", "three"):
        yield piece


async def ask(ctx: Context) -> str:
    """Ask back."""
    answer = await ctx.ask("which one?")
    return f"you said {answer}"


async def authorise(ctx: Context) -> str:
    """Ask for credentials."""
    answer = await ctx.ask_auth("sign in at the desk")
    return f"thank you for {answer.text}"


async def fail() -> str:
    """Fail with words."""
    raise SkillError("no seats", data={"row": 7})


async def crash() -> str:
    """Fail without."""
    raise RuntimeError("the password is hunter2")


async def nothing() -> None:
    """Return nothing."""


async def file(file: Part) -> Part:
    """Give a file back."""
    return file


async def mirror(value: Any) -> Any:
    """Give data back."""
    return value


async def letters(text: str) -> str:
    """Take plain text only."""
    return text


async def remember(text: str, ctx: Context) -> list[str]:
    """Tell everything that was said in this conversation."""
    said = [*await ctx.state.get("said", []), text]
    await ctx.state.set("said", said)
    return said


async def admit_by_name(credentials: Credentials) -> Principal:
    """`Authorization: Bearer alice` is Alice; `guest` may do nothing, and nobody else gets in."""
    scheme, _, name = credentials.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or name not in {"alice", "bob", "guest"}:
        raise UnauthenticatedError(challenge='Bearer realm="parrot"')
    if name == "guest":
        raise PermissionDeniedError("the scope 'talk' is missing")
    return Principal(subject=name)
