"""Other agents, called as if they were functions."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from dragoman import Agent, Client, Context, Message, SkillError, SyncContext, TaskState
from dragoman.agent import CallFailedError
from dragoman.agent.calls import KEY_METADATA
from dragoman.client import TaskHandle
from dragoman.engine.errors import StepFailedError
from dragoman.engine.journal import StepRecord
from dragoman.model import BadResponse, InputRequiredError
from tests.unit.agent.turns import FakeTurn, admit, run, say


@dataclass
class Sum:
    total: int


class Desk:
    """An agent that is called, and what it has been asked."""

    def __init__(self) -> None:
        self.agent = Agent("Desk")
        self.asked: list[str] = []
        self.keys: list[Any] = []
        self.begun, self.canceled, self.go = asyncio.Event(), asyncio.Event(), asyncio.Event()
        for skill in (
            self.add,
            self.answer,
            self.stream,
            self.guess,
            self.refuse,
            self.wait,
            self.ask,
            self.log_in,
        ):
            self.agent.skill(skill)

    def add(self, numbers: list[int]) -> Sum:
        self.asked.append("add")
        return Sum(sum(numbers))

    async def answer(self, text: str, ctx: Context) -> Message:
        self.asked.append("answer")
        return ctx.reply(f"so: {text}")

    async def stream(self, text: str) -> AsyncIterator[str]:
        for letter in '{"total": 3}':
            yield letter

    def guess(self, text: str) -> str:
        return f"perhaps {text}"

    def refuse(self, text: str) -> None:
        raise SkillError("No seats")

    async def wait(self, text: str) -> str:
        self.asked.append("wait")
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.canceled.set()
            raise
        return "waited"

    async def log_in(self, text: str, ctx: Context) -> str:
        return f"welcome, {(await ctx.ask_auth('log in at https://login.example')).text}"

    async def ask(self, text: str, ctx: Context) -> str:
        self.asked.append("ask")
        return f"{await ctx.ask('How many?', int)} {text} for {await ctx.ask('Whom?')}"


@asynccontextmanager
async def desk_open() -> AsyncIterator[Desk]:
    desk = Desk()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(desk.agent.stop)
        yield desk


def caller(work: Callable[[Context], Any], results: list[Any]) -> Agent:
    agent = Agent("Caller")

    @agent.skill
    async def skill(text: str, ctx: Context) -> None:
        results.append(await work(ctx))

    return agent


async def call_twice(work: Callable[[Context], Any], **options: Any) -> list[Any]:
    """The results of a run, and of another one that starts from the top with its records."""
    results: list[Any] = []
    records: list[StepRecord] = []
    for _ in range(2):
        await run(caller(work, results), say("go"), records=records, **options)
    return results


async def test_an_agent_is_called_once_and_its_answer_has_a_type():
    async with desk_open() as desk:
        total = await call_twice(lambda ctx: ctx.call(desk.agent, [1, 2], Sum, skill="add"))
        assert total == [Sum(3), Sum(3)]
        assert desk.asked == ["add"]


async def test_a_message_a_stream_and_a_text_are_answers():
    async with desk_open() as desk, Client(desk.agent) as client:

        async def work(ctx: Context) -> list[Any]:
            return [
                await ctx.call(client, "yes", skill="answer"),
                await ctx.call(client, "x", Sum, skill="stream"),
                await ctx.call(client, "x", skill="guess"),
                await ctx.call(client, [1], skill="add"),
            ]

        expected = ["so: yes", Sum(3), "perhaps x", '{"total":1}']
        assert await call_twice(work) == [expected, expected]


async def test_an_answer_of_another_type_is_a_bad_response():
    async with desk_open() as desk:
        with pytest.raises(BadResponse, match="the answer of Desk does not fit"):
            await call_twice(lambda ctx: ctx.call(desk.agent, "x", Sum, skill="guess"))


async def test_a_task_that_fails_there_is_an_error_in_its_words():
    async with desk_open() as desk:

        async def work(ctx: Context) -> str:
            with pytest.raises(CallFailedError) as caught:
                await ctx.call(desk.agent, "x", skill="refuse")
            assert caught.value.task.state is TaskState.FAILED
            return str(caught.value)

        assert await call_twice(work) == ["Desk: the task is failed: No seats"] * 2


async def test_an_agent_that_cannot_be_asked_is_a_step_that_failed():
    async def work(ctx: Context) -> str:
        with pytest.raises(StepFailedError) as caught:
            await ctx.call(Agent("Empty"), "x")
        return caught.value.kind

    assert await call_twice(work) == ["InvalidParamsError"] * 2


async def test_a_question_without_anybody_to_answer_is_an_error():
    async with desk_open() as desk:

        async def work(ctx: Context) -> str:
            with pytest.raises(InputRequiredError) as caught:
                await ctx.call(desk.agent, "seats", skill="ask")
            return caught.value.task.text

        assert await call_twice(work) == ["How many?"] * 2
        assert desk.asked == ["ask"]


async def test_questions_go_to_our_own_caller_and_the_answers_back():
    async with desk_open() as desk:
        results: list[Any] = []
        agent = caller(lambda ctx: ctx.call(desk.agent, "seats", skill="ask", ask_caller=True), results)
        turn = await run(agent, say("go"), answers=[say("2"), say("Ada")])
        assert turn.asked == [(TaskState.INPUT_REQUIRED, "How many?"), (TaskState.INPUT_REQUIRED, "Whom?")]
        assert results == ["2 seats for Ada"]


async def test_what_they_ask_for_credentials_is_asked_as_such():
    async with desk_open() as desk:
        results: list[Any] = []
        agent = caller(lambda ctx: ctx.call(desk.agent, "x", skill="log_in", ask_caller=True), results)
        turn = await run(agent, say("go"), answers=[say("Ada")])
        assert turn.asked == [(TaskState.AUTH_REQUIRED, "log in at https://login.example")]
        assert results == ["welcome, Ada"]


async def begin(agent: Agent, records: list[StepRecord]) -> tuple[FakeTurn, asyncio.Task[None]]:
    turn = FakeTurn(say("go"), records=records)
    turn.steps.begin()
    return turn, asyncio.create_task(admit(agent, say("go")).run(turn))


async def test_a_run_that_starts_again_waits_for_the_task_that_the_first_one_began():
    async with desk_open() as desk, Client(desk.agent) as client:
        results: list[Any] = []
        records: list[StepRecord] = []
        agent = caller(lambda ctx: ctx.call(client, "x", skill="wait"), results)
        turn, running = await begin(agent, records)
        await desk.begun.wait()
        await until(lambda: turn.steps.notes)
        turn.is_abandoned = True  # somebody else has taken the task over
        running.cancel()
        await asyncio.wait({running})
        assert not desk.canceled.is_set()
        _, again = await begin(agent, records)
        desk.go.set()
        await again
        assert results == ["waited"]
        assert desk.asked == ["wait"]


async def test_their_task_is_canceled_with_ours():
    async with desk_open() as desk:
        agent = caller(lambda ctx: ctx.call(desk.agent, "x", skill="wait"), [])
        turn, running = await begin(agent, [])
        await desk.begun.wait()
        await until(lambda: turn.steps.notes)
        turn.is_canceled = True
        running.cancel()
        await asyncio.wait({running})
        await desk.canceled.wait()


async def test_their_task_is_canceled_with_ours_while_its_question_waits_for_our_caller():
    async with desk_open() as desk, Client(desk.agent) as client:
        agent = caller(lambda ctx: ctx.call(client, "seats", skill="ask", ask_caller=True), [])
        turn, running = await begin(agent, [])
        await turn.waiting.wait()
        [task] = [task async for task in client.list_tasks()]
        assert task.state is TaskState.INPUT_REQUIRED
        turn.is_canceled = True
        running.cancel()
        await asyncio.wait({running})
        assert (await client.get_task(task.id)).state is TaskState.CANCELED


async def test_their_task_goes_on_asking_when_ours_only_leaves_the_memory():
    async with desk_open() as desk, Client(desk.agent) as client:
        agent = caller(lambda ctx: ctx.call(client, "seats", skill="ask", ask_caller=True), [])
        turn, running = await begin(agent, [])
        await turn.waiting.wait()
        turn.is_abandoned = True
        running.cancel()
        await asyncio.wait({running})
        [task] = [task async for task in client.list_tasks()]
        assert task.state is TaskState.INPUT_REQUIRED


class Slow(Client):
    """Its answers to a send come when they may."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent)
        self.sent, self.go = asyncio.Event(), asyncio.Event()

    async def send(self, *args: Any, **options: Any) -> TaskHandle | Message:
        answer = await super().send(*args, **options)
        self.sent.set()
        await self.go.wait()
        return answer


async def test_a_task_that_was_just_sent_for_is_canceled_with_ours():
    async with desk_open() as desk, Slow(desk.agent) as client:
        turn, running = await begin(caller(lambda ctx: ctx.call(client, "x", skill="wait"), []), [])
        await client.sent.wait()
        turn.is_canceled = True
        running.cancel()
        client.go.set()
        await asyncio.wait({running})
        await desk.canceled.wait()
        assert running.cancelled()


async def test_a_task_that_was_just_sent_for_is_left_alone_by_a_run_that_is_given_up():
    async with desk_open() as desk, Slow(desk.agent) as client:
        turn, running = await begin(caller(lambda ctx: ctx.call(client, "x", skill="wait"), []), [])
        await client.sent.wait()
        turn.is_abandoned = True
        running.cancel()
        await asyncio.wait({running})
        assert not desk.canceled.is_set()
        [task] = [task async for task in client.list_tasks()]
        assert not task.state.is_terminal


class Noting(Client):
    """Notes the keys of what is sent, by what it says."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent)
        self.keys: list[tuple[str, str]] = []

    async def send(
        self, content: Any, *, metadata: Any = None, idempotency_key: str = "", **options: Any
    ) -> TaskHandle | Message:
        assert metadata == {KEY_METADATA: idempotency_key}
        self.keys.append((str(content), idempotency_key))
        return await super().send(content, metadata=metadata, idempotency_key=idempotency_key, **options)


async def test_every_attempt_at_a_call_carries_the_same_key_and_no_two_calls_do():
    async with desk_open() as desk, Noting(desk.agent) as client:

        async def work(ctx: Context) -> None:
            await ctx.call(client, "x", skill="guess")
            await ctx.call(client, "x", skill="guess")

        for _ in range(2):
            await run(caller(work, []), say("go"), records=[])
        first, second, *again = client.keys
        assert again == [first, second]
        assert first != second


async def test_another_text_at_the_same_place_has_another_key():
    async with desk_open() as desk, Noting(desk.agent) as client:
        for text in ("x", "y"):
            await run(caller(lambda ctx: ctx.call(client, ctx.message.text, skill="guess"), []), say(text))
        assert len({key for _, key in client.keys}) == 2


async def test_a_second_attempt_gets_the_task_of_the_first():
    """The process dies when the task exists, and nobody here knows of it yet."""
    async with desk_open() as desk, Client(desk.agent) as client:
        results: list[Any] = []
        attempted: list[StepRecord] = []
        agent = caller(lambda ctx: ctx.call(client, "x", skill="wait"), results)
        turn, running = await begin(agent, attempted)
        await desk.begun.wait()
        turn.is_abandoned = True
        running.cancel()
        await asyncio.wait({running})
        records = [record for record in attempted if record.note is None]
        _, again = await begin(agent, records)
        desk.go.set()
        await again
        assert results == ["waited"]
        assert desk.asked == ["wait"]
        assert len([task async for task in client.list_tasks()]) == 1


async def test_the_callers_own_message_is_passed_on_under_other_ids():
    async with desk_open() as desk:
        records: list[StepRecord] = []
        results: list[Any] = []
        agent = caller(lambda ctx: ctx.call(desk.agent, ctx.message, skill="guess"), results)
        message = replace(say("go"), context_id="context", task_id="task")  # as a later run finds it
        await run(agent, message, records=records)
        assert results == ["perhaps go"]


async def test_a_synchronous_skill_calls_agents_too():
    async with desk_open() as desk:
        results: list[Any] = []
        agent = Agent("Sync")

        @agent.skill
        def skill(text: str, ctx: SyncContext) -> None:
            results.append(ctx.call(desk.agent, [1, 2], Sum, skill="add"))

        await run(agent, say("go"))
        assert results == [Sum(3)]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the turn is a fake and rings no bell
            await asyncio.sleep(0)
