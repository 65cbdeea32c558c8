"""What becomes of what a skill returns, yields and raises."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from dragoman.agent import Agent, Context, Progress, SyncContext
from dragoman.engine import Limits, RunEndedError
from dragoman.model import (
    Artifact,
    InvalidParamsError,
    Message,
    Part,
    Role,
    SkillError,
    Task,
    TaskState,
)
from dragoman.security import Principal
from tests.unit.agent.turns import FakeTurn, admit, run, say

WORKING, COMPLETED = TaskState.WORKING, TaskState.COMPLETED


class Offer(BaseModel):
    price: float
    valid_until: date = Field(alias="validUntil")


@dataclass
class Point:
    x: int


class Range(TypedDict):
    low: int


class Mood(StrEnum):
    GOOD = "good"


PNG = b"\x89PNG\r\n\x1a\n"

RESULTS: list[tuple[Any, Part]] = [
    ("hi", Part.of_text("hi")),
    ("", Part.of_text("")),
    (Mood.GOOD, Part.of_text("good")),
    (Offer(price=2, validUntil=date(2026, 5, 1)), Part.of_data({"price": 2.0, "validUntil": "2026-05-01"})),
    (Point(1), Part.of_data({"x": 1})),
    (Range(low=1), Part.of_data({"low": 1})),
    ({"a": [1, {"b": None}]}, Part.of_data({"a": [1, {"b": None}]})),
    ([1, "a"], Part.of_data([1, "a"])),
    ([], Part.of_data([])),
    ({"when": date(2026, 5, 1), "raw": b"hi"}, Part.of_data({"when": "2026-05-01", "raw": "aGk="})),
    ({"task": Part.of_text("x")}, Part.of_data({"task": {"text": "x"}})),
    (float("nan"), Part.of_data(None)),
    (3, Part.of_data(3)),
    (False, Part.of_data(False)),
    (PNG, Part.of_bytes(PNG, media_type="image/png")),
    (bytearray(b"?"), Part.of_bytes(b"?", media_type="application/octet-stream")),
    (b"RIFF....WEBP", Part.of_bytes(b"RIFF....WEBP", media_type="image/webp")),
    (Part.of_url("https://example.com"), Part.of_url("https://example.com")),
]


@pytest.mark.parametrize("value, part", RESULTS)
async def test_a_result_becomes_a_part_of_one_artifact(value, part):
    agent = Agent("Test")

    @agent.skill(id="it")
    async def give() -> Any:
        return value

    turn = await run(agent, say("go"))
    (artifact,) = turn.artifacts
    assert artifact.parts == (part,)
    assert (artifact.artifact_id, artifact.name) == ("artifact-1", "it")
    assert [last for _, _, last in turn.chunks] == [True]
    assert turn.statuses == []


async def test_nothing_returned_is_nothing_said():
    agent = Agent("Test")

    @agent.skill
    def rest() -> None: ...

    assert (await run(agent, say("go"))).events == []


async def test_parts_make_one_artifact_and_artifacts_stay_themselves():
    agent = Agent("Test")

    @agent.skill
    def parts() -> list[Part]:
        return [Part.of_text("a"), Part.of_bytes(b"b")]

    @agent.skill
    def artifacts() -> tuple[Artifact, ...]:
        return tuple(Artifact(artifact_id=name, parts=(Part.of_text(name),)) for name in "xy")

    turn = await run(agent, say("go", metadata={"skill": "parts"}))
    assert [len(artifact.parts) for artifact in turn.artifacts] == [2]
    turn = await run(agent, say("go", metadata={"skill": "artifacts"}))
    assert [artifact.artifact_id for artifact in turn.artifacts] == ["x", "y"]


@pytest.mark.parametrize(
    "modes, value, media_type",
    [
        (["text/markdown"], "# Hi", "text/markdown"),
        (["application/json"], "{}", "application/json"),
        (["image/png"], "text", ""),
        (["image/webp"], b"?", "image/webp"),
        (["image/*"], PNG, "image/png"),
        (["application/geo+json"], {"a": 1}, "application/geo+json"),
        (["text/plain"], {"a": 1}, ""),
        (["text/plain", "text/markdown"], "x", ""),
    ],
)
async def test_the_one_type_that_a_skill_declares_is_that_of_its_result(modes, value, media_type):
    agent = Agent("Test")

    @agent.skill(output_modes=modes)
    def give() -> Any:
        return value

    turn = await run(agent, say("go"))
    assert turn.artifacts[0].parts[0].media_type == media_type


@pytest.mark.parametrize(
    "accepted, part",
    [
        ([], Part.of_data({"a": 1})),
        (["application/json"], Part.of_data({"a": 1})),
        (["text/plain", "application/*"], Part.of_data({"a": 1})),
        (["image/png"], Part.of_data({"a": 1})),
        (["text/plain"], Part.of_text('{"a":1}')),
        (["text/*", "image/png"], Part.of_text('{"a":1}')),
    ],
)
async def test_data_is_written_out_for_a_caller_that_takes_only_text(accepted, part):
    agent = Agent("Test")

    @agent.skill
    def give() -> dict[str, int]:
        return {"a": 1}

    turn = FakeTurn(say("go"), accepted_output_modes=accepted)
    await admit(agent, say("go")).run(turn)
    assert turn.artifacts[0].parts == (part,)


async def test_a_path_is_read_with_its_name_and_type(tmp_path):
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b\n")
    agent = Agent("Test")

    @agent.skill
    def report() -> Path:
        return path

    turn = await run(agent, say("go"))
    assert turn.artifacts[0].parts == (Part.of_bytes(b"a,b\n", media_type="text/csv", filename="report.csv"),)


async def test_a_path_to_more_than_the_limit_is_not_read(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"12345")
    agent = Agent("Test")

    @agent.skill
    def report() -> Path:
        return path

    with pytest.raises(ValueError, match="big is larger than max_artifact_bytes, which is 4"):
        await run(agent, say("go"), limits=Limits(max_artifact_bytes=4))


async def test_what_is_not_json_is_an_error_of_the_skill():
    agent = Agent("Test")

    @agent.skill
    def give() -> Any:
        return threading.Lock()

    with pytest.raises(Exception, match="lock is not JSON; return a model"):
        await run(agent, say("go"))


# Messages


async def test_a_message_is_a_reply_without_a_task():
    agent = Agent("Test")

    @agent.skill
    async def answer(text: str, ctx: Context) -> Message:
        return ctx.reply(f"you said {text}")

    turn = await run(agent, say("hi"))
    assert turn.direct is not None
    assert (turn.direct.text, turn.direct.role, turn.direct.context_id) == (
        "you said hi",
        Role.AGENT,
        "context",
    )
    assert turn.direct.task_id == ""
    assert turn.events == []


async def test_a_message_completes_a_task_that_was_touched():
    agent = Agent("Test")

    @agent.skill
    async def answer(ctx: Context) -> Message:
        await ctx.progress("thinking")
        return Message(message_id="mine", role=Role.USER, parts=(Part.of_text("done"),))

    turn = await run(agent, say("hi"))
    assert turn.direct is None
    assert turn.statuses == [(WORKING, "thinking", None), (COMPLETED, "done", None)]
    final = turn.last_message
    assert final is not None
    assert (final.role, final.task_id, final.context_id) == (Role.AGENT, "task", "context")


async def test_a_message_that_was_not_announced_is_the_final_status():
    agent = Agent("Test")

    @agent.skill
    async def answer(ctx: Context) -> Any:
        return ctx.reply("done")

    assert (await run(agent, say("hi"))).statuses == [(COMPLETED, "done", None)]


# Streams


async def test_yielded_texts_are_chunks_of_one_artifact_that_is_closed():
    agent = Agent("Test")

    @agent.skill
    async def write() -> AsyncIterator[str]:
        for chunk in ("a", "", "b", "c"):
            yield chunk

    turn = await run(agent, say("go"))
    assert turn.chunks == [("a", False, False), ("b", True, False), ("c", True, False), ("", True, True)]
    assert [artifact.text for artifact in turn.artifacts] == ["abc"]
    assert turn.rooms == 4


async def test_other_things_yielded_are_artifacts_statuses_and_progress():
    agent = Agent("Test")

    @agent.skill
    async def work(ctx: Context) -> AsyncIterator[Any]:
        yield Progress("searching", 0.1)
        yield "one "
        yield {"a": 1}
        yield None
        yield ctx.reply("look")
        yield "two"
        yield Part.of_text("part")
        yield Progress(fraction=1)

    turn = await run(agent, say("go"))
    assert turn.statuses == [
        (WORKING, "searching", {"progress": 0.1}),
        (WORKING, "look", None),
        (WORKING, "", {"progress": 1}),
    ]
    assert [artifact.artifact_id for artifact in turn.artifacts] == ["artifact-1", "artifact-2", "artifact-3"]
    assert [artifact.text for artifact in turn.artifacts] == ["one two", "", "part"]


async def test_a_synchronous_generator_streams_and_may_return_a_result():
    agent = Agent("Test")

    @agent.skill
    def work() -> Any:
        yield "a"
        yield "b"
        return {"done": True}

    turn = await run(agent, say("go"))
    assert [artifact.parts[-1] for artifact in turn.artifacts] == [
        Part.of_text(""),
        Part.of_data({"done": True}),
    ]
    assert turn.artifacts[0].text == "ab"


async def test_a_stream_or_coroutine_that_is_returned_is_followed():
    agent = Agent("Test")

    async def stream() -> AsyncIterator[str]:
        yield "streamed"

    async def wait() -> str:
        return "awaited"

    @agent.skill
    def streams() -> AsyncIterator[str]:
        return stream()

    @agent.skill
    def waits() -> Awaitable[str]:
        return wait()

    for name, text in (("streams", "streamed"), ("waits", "awaited")):
        turn = await run(agent, say("go", metadata={"skill": name}))
        assert turn.artifacts[0].text == text


async def test_an_error_in_a_stream_leaves_it_open():
    agent = Agent("Test")

    @agent.skill
    async def work() -> AsyncIterator[str]:
        yield "a"
        raise SkillError("no more")

    job = admit(agent, say("go"))
    turn = FakeTurn(say("go"))
    with pytest.raises(SkillError):
        await job.run(turn)
    assert turn.chunks == [("a", False, False)]


# Errors


@pytest.mark.parametrize("error", [SkillError("no seats"), InvalidParamsError("no"), ZeroDivisionError()])
async def test_errors_reach_the_engine_as_they_are(error):
    agent = Agent("Test")

    @agent.skill
    def fail_in_thread() -> None:
        raise error

    @agent.skill
    async def fail() -> None:
        raise error

    for name in agent.skills:
        with pytest.raises(type(error)) as caught:
            await run(agent, say("go", metadata={"skill": name}))
        assert caught.value is error


async def test_a_skill_cannot_end_the_process():
    agent = Agent("Test")

    @agent.skill
    def leave_in_thread() -> None:
        raise SystemExit(1)

    @agent.skill
    async def leave() -> None:
        raise SystemExit(1)

    for name in agent.skills:
        with pytest.raises(RuntimeError, match="the skill tried to end the process"):
            await run(agent, say("go", metadata={"skill": name}))


async def test_a_stray_stop_iteration_is_an_error_like_another():
    agent = Agent("Test")

    @agent.skill
    def stop() -> str:
        return next(iter(()))

    with pytest.raises(RuntimeError, match="the skill raised StopIteration"):
        await run(agent, say("go"))


async def test_a_cancelled_helper_is_a_failure_and_not_a_cancel():
    agent = Agent("Test")

    @agent.skill
    async def work() -> None:
        helper = asyncio.create_task(asyncio.Event().wait())
        helper.cancel()
        await helper

    with pytest.raises(RuntimeError, match="something that the skill awaited was canceled"):
        await run(agent, say("go"))


# What the run provides


async def test_what_a_skill_asks_for_by_type_is_provided():
    agent = Agent("Test")

    @agent.skill
    async def look(
        message: Message, task: Task, who: Principal, ctx: Context, note: str = ""
    ) -> dict[str, Any]:
        assert ctx.message is message
        assert ctx.caller is who
        return {
            "text": message.text,
            "task": task.id,
            "who": who.subject,
            "note": note,
            "skill": ctx.skill.id,
        }

    turn = await run(agent, say("hi"))
    assert turn.artifacts[0].parts[0].data == {
        "text": "hi",
        "task": "task",
        "who": "",
        "note": "hi",
        "skill": "look",
    }


async def test_synchronous_skills_run_in_a_thread_with_the_context_of_the_call():
    agent = Agent("Test")
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("here")

    @agent.skill
    def look() -> list[Any]:
        return [threading.current_thread() is threading.main_thread(), variable.get()]

    turn = await run(agent, say("go"))
    assert turn.artifacts[0].parts[0].data == [False, "here"]


async def test_an_idempotent_skill_says_so():
    agent = Agent("Test")

    @agent.skill(idempotent=True)
    def look() -> None: ...

    assert admit(agent, say("go")).is_idempotent


# Cancellation


async def test_cancel_closes_a_generator_where_it_stands():
    agent = Agent("Test")
    closed: list[str] = []

    @agent.skill
    async def work() -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.Event().wait()
        finally:
            closed.append("closed")

    turn = FakeTurn(say("go"))
    async with asyncio.TaskGroup() as group:
        working = group.create_task(admit(agent, say("go")).run(turn))
        await turn.touched.wait()
        working.cancel()
    assert closed == ["closed"]
    assert turn.chunks == [("a", False, False)]


async def test_a_generator_that_is_refused_is_closed():
    agent = Agent("Test")
    closed: list[str] = []

    @agent.skill
    async def work() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("closed")

    turn = FakeTurn(say("go"))
    turn.is_ended = True
    with pytest.raises(RunEndedError):
        await admit(agent, say("go")).run(turn)
    assert closed == ["closed"]


async def test_cancel_reaches_a_synchronous_skill_at_its_next_word():
    agent = Agent("Test")
    started, go_on = threading.Event(), threading.Event()
    seen: list[Any] = []

    @agent.skill
    def work(ctx: SyncContext) -> None:
        started.set()
        go_on.wait()
        seen.append(ctx.is_canceled)
        try:
            ctx.progress("still here")
        except RunEndedError as error:
            seen.append(str(error))
            raise

    turn = FakeTurn(say("go"))
    working = asyncio.create_task(admit(agent, say("go")).run(turn))
    await asyncio.to_thread(started.wait)
    working.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert seen == [True, "the run has ended: it was canceled or timed out"]
    assert turn.events == []


async def test_cancel_reaches_a_synchronous_skill_that_waits_for_an_answer():
    agent = Agent("Test")
    seen: list[str] = []

    @agent.skill
    def work(ctx: SyncContext) -> None:
        try:
            ctx.ask("well?")
        except RunEndedError:
            seen.append("ended")
            raise

    turn = FakeTurn(say("go"))
    working = asyncio.create_task(admit(agent, say("go")).run(turn))
    await turn.waiting.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert seen == ["ended"]


async def test_cancel_closes_a_synchronous_generator():
    agent = Agent("Test")
    closed = threading.Event()
    go_on = threading.Event()

    @agent.skill
    def work(ctx: SyncContext) -> Iterator[str]:
        try:
            yield "a"
            go_on.wait()
            yield "b"
        finally:
            closed.set()

    turn = FakeTurn(say("go"))
    working = asyncio.create_task(admit(agent, say("go")).run(turn))
    await turn.touched.wait()
    working.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert closed.is_set()
    assert turn.chunks == [("a", False, False)]


async def test_a_synchronous_skill_that_cannot_be_told_holds_up_no_cancel():
    agent = Agent("Test")
    started, go_on = threading.Event(), threading.Event()

    @agent.skill
    def work() -> None:
        started.set()
        go_on.wait()

    working = asyncio.create_task(admit(agent, say("go")).run(FakeTurn(say("go"))))
    await asyncio.to_thread(started.wait)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    go_on.set()


async def test_a_synchronous_skill_that_does_not_stop_is_left_behind_after_the_grace():
    agent = Agent("Test")
    started, go_on = threading.Event(), threading.Event()

    @agent.skill
    def work(ctx: SyncContext) -> None:
        started.set()
        go_on.wait()

    job = admit(agent, say("go"), limits=Limits(cancel_grace=timedelta(milliseconds=1)))
    working = asyncio.create_task(job.run(FakeTurn(say("go"))))
    await asyncio.to_thread(started.wait)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    go_on.set()
