"""An agent in a valley: it gives back what you call, counts it, and can be asked for more than that."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from dragoman import Agent, Context, Progress

agent = Agent("Valley", "Gives back what you call into it, and tells what it heard", tags=["echo"])

PAUSE = 0.02
"""Seconds between two words, so that a stream can be watched."""
FAR = 0.2
"""Seconds until the mountains answer once more."""


@dataclass
class Heard:
    """What a text is made of."""

    characters: int
    words: int
    longest: str


@agent.skill(default=True, examples=["Is anybody there?"])
async def echo(text: str) -> AsyncIterator[str | Heard]:
    """Give a text back word by word, and then what it is made of."""
    words = text.split()
    for number, word in enumerate(words):
        yield word if number == 0 else f" {word}"
        await asyncio.sleep(PAUSE)
    yield Heard(characters=len(text), words=len(words), longest=max(words, key=len, default=""))


@agent.skill(examples=["Hello, mountains!"])
async def mountains(text: str, times: int = 100) -> AsyncIterator[str | Progress]:
    """Give a text back again and again. That takes long: cancel it when you have heard enough."""
    for number in range(times):
        yield Progress(f"echo {number + 1} of {times}", number / times)
        yield f"{text} "
        await asyncio.sleep(FAR)


def reverse(text: str) -> str:
    return text[::-1]


VOICES: dict[str, Callable[[str], str]] = {"loud": str.upper, "quiet": str.lower, "backwards": reverse}


@agent.skill(examples=["Good morning"])
async def voice(text: str, ctx: Context) -> str:
    """Ask how a text should sound, and give it back like that."""
    change = await ctx.choose("How should it sound?", VOICES)
    return change(text)
