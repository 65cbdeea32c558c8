"""What a type checker sees: run by mypy and pyright as much as by pytest."""

from collections.abc import AsyncIterator, Coroutine
from typing import Any, assert_type

from pydantic import BaseModel

from dragoman import Agent, Context, SyncContext


class Trip(BaseModel):
    city: str


agent = Agent("Typed")


@agent.skill
def hello(name: str = "world") -> str:
    return f"Hello, {name}!"


@agent.skill(tags=["travel"], default=True)
async def plan(trip: Trip, ctx: Context) -> AsyncIterator[str]:
    assert_type(await ctx.ask("where?"), str)
    assert_type(await ctx.ask("how many?", int), int)
    assert_type(await ctx.ask("which trip?", Trip), Trip)
    assert_type(await ctx.confirm("sure?"), bool)
    assert_type(await ctx.choose("which?", [1, 2]), int)
    assert_type(await ctx.choose("which?", {"a": trip}), Trip)
    yield trip.city


@agent.skill(id="book")
async def book(trip: Trip) -> int:
    return len(trip.city)


@agent.skill
def ask(ctx: SyncContext) -> None:
    assert_type(ctx.ask("where?"), str)
    assert_type(ctx.ask("how many?", int), int)
    assert_type(ctx.confirm("sure?"), bool)
    assert_type(ctx.choose("which?", ["a"]), str)


def test_a_skill_keeps_its_type():
    assert_type(hello(), str)
    call: Coroutine[Any, Any, int] = book(Trip(city="Rome"))
    call.close()
    assert hello(name="Ada") == "Hello, Ada!"
    assert list(agent.skills) == ["hello", "plan", "book", "ask"]
