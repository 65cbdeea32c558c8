"""What a type checker sees: run by mypy and pyright as much as by pytest."""

from collections.abc import AsyncIterator, Coroutine
from typing import Any, assert_type

from pydantic import BaseModel

from dragoman import Agent, Context, SyncContext
from dragoman.agent import Attempt


class Trip(BaseModel):
    city: str


def pay(attempt: Attempt, price: int, currency: str = "EUR") -> float:
    return float(price)


async def reserve(city: str, nights: int = 1) -> Trip:
    return Trip(city=city)


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
    assert_type(await ctx.step(reserve, "Rome", nights=3), Trip)
    assert_type(await ctx.step(reserve, "Rome", retries=3), Trip)
    assert_type(await ctx.step(pay, 3, currency="USD"), float)
    assert_type(await ctx.step(pay, 3, name="payment"), float)
    await ctx.step(reserve, 3)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]
    assert_type(await ctx.call("http://hotels", trip), str)
    assert_type(await ctx.call("http://hotels", trip, Trip, ask_caller=True), Trip)
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
    assert_type(ctx.step(reserve, "Rome"), Trip)
    assert_type(ctx.step(pay, 3), float)
    assert_type(ctx.step(pay, 3, retries=3), float)
    assert_type(ctx.call("http://hotels", "Rome", Trip), Trip)


def test_a_skill_keeps_its_type():
    assert_type(hello(), str)
    call: Coroutine[Any, Any, int] = book(Trip(city="Rome"))
    call.close()
    assert hello(name="Ada") == "Hello, Ada!"
    assert list(agent.skills) == ["hello", "plan", "book", "ask"]
