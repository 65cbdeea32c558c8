"""What a skill does once: steps, their results and arguments, and what is recorded beside them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from dragoman import Agent, Context, SkillError, SyncContext
from dragoman.agent import Attempt, AuthoringError
from dragoman.agent.fingerprints import fingerprint
from dragoman.agent.results import form_of
from dragoman.engine.errors import NonDeterminismError, StepFailedError
from dragoman.engine.journal import StepRecord
from dragoman.model import Part
from tests.unit.agent.turns import run, say


class Trip(BaseModel):
    city: str
    days: frozenset[date] = frozenset()


@dataclass
class Booking:
    trip: Trip
    seat: bytes = b""


class Twice:
    """Runs a skill, and runs it again with what the first run recorded."""

    def __init__(self, work: Callable[[Context], Any]) -> None:
        self.agent = Agent("Steps")
        self.records: list[StepRecord] = []
        self.results: list[Any] = []

        @self.agent.skill
        async def skill(text: str, ctx: Context) -> None:
            self.results.append(await work(ctx))

    async def __call__(self) -> list[Any]:
        await run(self.agent, say("go"), records=self.records)
        await run(self.agent, say("go"), records=self.records)
        return self.results


async def test_a_step_is_done_once_and_its_result_comes_back_equal():
    done: list[str] = []

    async def book(city: str, *, seat: bytes) -> Booking:
        done.append(city)
        return Booking(Trip(city=city, days=frozenset({date(2026, 5, 1), date(2026, 5, 2)})), seat)

    first, second = await Twice(lambda ctx: ctx.step(book, "Rome", seat=b"12a"))()
    assert first == second == await book("Rome", seat=b"12a")
    assert done == ["Rome", "Rome"]  # the second is the line above


async def test_a_function_that_is_not_async_works_in_a_thread():
    import threading

    def where() -> str:
        return threading.current_thread().name

    assert await Twice(lambda ctx: ctx.step(where))() == ["dragoman-skill"] * 2


@pytest.mark.parametrize(
    "annotation, value",
    [
        (int, 3),
        (None, None),
        (tuple[int, str], (1, "a")),
        (set[str], {"a", "b"}),
        (bytes, b"\xff\x00"),
        (float, float("inf")),
        (datetime, datetime(2026, 5, 1, tzinfo=UTC)),
        (timedelta, timedelta(seconds=90)),
        (Literal["a"] | None, None),
        (list[Trip], [Trip(city="Rome")]),
        (Part, Part.of_bytes(b"\xff", media_type="image/png")),
        (list[Part] | None, [Part.of_data(None)]),
        (Any, {"a": [1, None, "b"]}),
    ],
)
def test_a_result_comes_back_as_its_annotation_says(annotation: Any, value: Any):
    form = form_of(annotation)
    assert form.load(form.dump(value)) == value


@pytest.mark.parametrize(
    "value", [(1, 2), {1: "a"}, {"a"}, b"a", datetime(2026, 5, 1, tzinfo=UTC), float("nan"), object()]
)
def test_a_result_without_annotation_is_json_or_refused(value: Any):
    with pytest.raises(AuthoringError, match="annotate"):
        form_of(Any).dump(value)


def test_a_result_that_is_not_what_its_annotation_says_is_refused():
    with pytest.raises(AuthoringError, match="cannot be kept"):
        form_of(int).dump("three")


def test_an_annotation_that_nothing_can_keep_is_refused_before_anything_is_done():
    with pytest.raises(AuthoringError, match="cannot return"):
        form_of(type("Socket", (), {}))


def test_equal_arguments_have_equal_fingerprints_and_others_have_not():
    assert fingerprint({"b": 1, "a": {"x", "y"}}) == fingerprint({"a": {"y", "x"}, "b": 1})
    assert fingerprint(Trip(city="Rome")) != fingerprint(Trip(city="Oslo"))
    assert fingerprint("a") != fingerprint("b")
    assert fingerprint(object()) == fingerprint(object())
    assert fingerprint(b"\xff", float("nan"), {1: 2}) == fingerprint(b"\xff", float("nan"), {1: 2})


async def test_other_arguments_than_in_the_first_run_are_refused():
    arguments = iter(["Rome", "Oslo"])
    with pytest.raises(NonDeterminismError):
        await Twice(lambda ctx: ctx.step(str.upper, next(arguments)))()


async def test_a_step_that_asks_for_the_attempt_gets_it_wherever_the_parameter_stands():
    def first(attempt: Attempt, city: str) -> str:
        return f"{city} {attempt.key} {attempt.number}"

    async def last(city: str, *, attempt: Attempt) -> str:
        return f"{city} {attempt.key}"

    def middle(city: str, attempt: Attempt, days: int = 1) -> str:
        return f"{city} {attempt.key} {days}"

    async def work(ctx: Context) -> list[str]:
        untyped: Any = ctx.step  # a checker knows of an attempt as first parameter only
        return [
            await ctx.step(first, "Rome"),
            await ctx.step(first, city="Rome"),
            await untyped(last, "Rome"),
            await untyped(middle, "Rome", 3),
            await untyped(middle, city="Rome"),
            await ctx.step(functools.partial(first, city="Oslo")),
        ]

    results = await Twice(work)()
    assert results[0] == results[1]
    assert results[0] == [
        "Rome task/0/0 1",
        "Rome task/0/1 1",
        "Rome task/0/2",
        "Rome task/0/3 3",
        "Rome task/0/4 1",
        "Oslo task/0/5 1",
    ]


async def test_a_step_is_repeated_as_often_as_it_may_and_then_fails():
    calls: list[int] = []

    async def fail() -> None:
        calls.append(1)
        raise LookupError("no seats")

    with pytest.raises(StepFailedError, match="LookupError: no seats"):
        await Twice(lambda ctx: ctx.step(fail, retries=2, pause=timedelta()))()
    assert len(calls) == 3


async def test_a_step_that_goes_well_in_the_end_is_a_success():
    calls: list[int] = []

    def work() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise LookupError
        return len(calls)

    assert await Twice(lambda ctx: ctx.step(work, retries=5, pause=0))() == [3, 3]


async def test_a_skill_error_is_not_repeated():
    calls: list[int] = []

    async def refuse() -> None:
        calls.append(1)
        raise SkillError("No seats")

    with pytest.raises(SkillError, match="No seats"):
        await Twice(lambda ctx: ctx.step(refuse, retries=5, pause=0))()
    assert len(calls) == 1


async def test_what_cannot_be_kept_is_not_done_again():
    calls: list[int] = []

    async def work():
        calls.append(1)
        return {1, 2}

    with pytest.raises(StepFailedError, match="cannot be kept"):
        await Twice(lambda ctx: ctx.step(work, retries=5, pause=0))()
    assert len(calls) == 1


async def test_no_step_is_made_inside_of_another():
    async def work(ctx: Context) -> str:
        async def inner() -> None:
            for act in (
                lambda: ctx.step(str.upper, "a"),
                lambda: ctx.ask("why?"),
                ctx.next_message,
                lambda: ctx.sleep(1),
            ):
                with pytest.raises(RuntimeError, match="inside of it"):
                    await act()
            for draw in (ctx.now, ctx.random, ctx.uuid):
                with pytest.raises(RuntimeError, match="inside of it"):
                    draw()

        await ctx.step(inner)
        return await ctx.step(str.upper, "a")

    assert await Twice(work)() == ["A", "A"]


async def test_time_and_chance_are_the_same_in_every_run():
    async def work(ctx: Context) -> list[Any]:
        await ctx.sleep(1.5)
        return [ctx.now(), ctx.random(), ctx.uuid()]

    first, second = await Twice(work)()
    assert first == second


async def test_a_step_has_the_name_of_its_function_or_its_own():
    twice = Twice(lambda ctx: ctx.step(str.upper, "a"))
    await twice()
    assert {record.name for record in twice.records} == {"str.upper"}
    twice = Twice(lambda ctx: ctx.step(str.upper, "a", name="shout"))
    await twice()
    assert {record.name for record in twice.records} == {"shout"}


@pytest.mark.parametrize("step", ["book", 3, None])
async def test_what_is_no_function_is_no_step(step: Any):
    with pytest.raises(AuthoringError, match="a step is a function"):
        await Twice(lambda ctx: ctx.step(step))()


async def test_a_coroutine_instead_of_a_function_is_no_step():
    async def book() -> None: ...

    coroutine: Any = book()
    with pytest.raises(AuthoringError, match="a step is a function"):
        await Twice(lambda ctx: ctx.step(coroutine))()
    coroutine.close()


async def test_a_synchronous_skill_makes_steps_too():
    agent, records, results = Agent("Sync"), list[StepRecord](), list[Any]()

    async def double(number: int) -> int:
        return number * 2

    @agent.skill
    def skill(text: str, ctx: SyncContext) -> None:
        ctx.sleep(0.5)
        results.append([ctx.step(double, 2), ctx.step(str.upper, text), ctx.random(), ctx.uuid(), ctx.now()])

    for _ in range(2):
        await run(agent, say("go"), records=records)
    assert results[0] == results[1]
    assert results[0][:2] == [4, "GO"]
    assert {record.branch for record in records} == {0}
