"""SendMessage and SendStreamingMessage: tasks, direct replies, and how long a caller waits (SPEC 2.1, 2.2)."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace as replace_struct

from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.model import (
    Artifact,
    ContentTypeNotSupportedError,
    InternalError,
    InvalidParamsError,
    Part,
    TaskNotFoundError,
    TaskState,
    UnavailableError,
    UnsupportedOperationError,
)
from tests.unit.engine.kit import (
    ADA,
    ANYONE,
    COMPLETED,
    FAILED,
    WORKING,
    ScriptedHandler,
    Stage,
    drain,
    message,
    nothing,
    question,
    said,
    say,
    serving,
    states,
    turns,
    until,
    why,
    write,
)


async def greet(turn: Turn) -> None:
    turn.status(WORKING, question(turn, "thinking"))
    write(turn, "Hello, ")
    write(turn, "world!", append=True)


async def test_a_blocking_send_returns_the_completed_task_with_artifacts_and_history():
    async with serving(greet) as host:
        task = await host.send("hi")
        assert task.state is COMPLETED
        assert task.text == "Hello, world!"
        assert said(task) == ["hi"]
        assert task.history[0].task_id == task.id
        assert task.history[0].context_id == task.context_id


async def test_blocking_is_the_default_without_any_configuration():
    async with serving(greet) as host:
        request = replace_struct(say(), configuration=None)
        reply = await host.engine.send(ANYONE, request)
        assert reply.task is not None
        assert reply.task.state is COMPLETED


async def test_an_immediate_send_returns_before_the_work_is_done():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin()
        assert not task.state.is_settled
        stage.go.set()
        assert (await host.ended(task.id)).state is COMPLETED


async def test_a_job_that_returns_nothing_completes_its_task_without_artifacts():
    async with serving(nothing) as host:
        task = await host.send()
        assert task.state is COMPLETED
        assert not task.artifacts
        assert task.status.message is None


async def test_a_stream_begins_with_the_task_and_ends_with_its_terminal_status():
    async with serving(greet) as host:
        items = await drain(await host.stream())
        assert items[0].event.task is not None
        assert states(items) == [TaskState.SUBMITTED, WORKING, WORKING, COMPLETED]
        assert [item.seq for item in items] == [1, 2, 3, 4, 5, 6]


async def test_a_direct_reply_makes_no_task():
    async def reply(turn: Turn) -> None:
        turn.reply(question(turn, "hello"))

    async with serving(ScriptedHandler(reply, may_reply=True)) as host:
        answer = await host.ask()
        assert answer.text == "hello"
        assert answer.task_id == ""
        assert answer.context_id != ""
        assert (await host.ask(now=True)).text == "hello"
        [item] = await drain(await host.stream())
        assert item.event.message is not None
        assert item.seq == 0
        assert (await host.list()).total_size == 0
        await until(lambda: host.is_idle)


async def test_a_job_that_may_reply_can_make_a_task_instead():
    async with serving(ScriptedHandler(greet, may_reply=True)) as host:
        assert (await host.send()).text == "Hello, world!"
        assert (await host.begin()).id
        assert states(await drain(await host.stream()))[0] is TaskState.SUBMITTED


async def test_a_job_that_may_reply_and_returns_nothing_completes_a_task():
    async with serving(ScriptedHandler(nothing, may_reply=True)) as host:
        assert (await host.send()).state is COMPLETED


async def test_a_job_that_may_reply_and_fails_first_fails_a_task():
    async def fail(turn: Turn) -> None:
        raise ValueError("secret")

    async with serving(ScriptedHandler(fail, may_reply=True)) as host:
        task = await host.send()
        assert task.state is FAILED
        assert "secret" not in why(task)


async def test_after_a_direct_reply_the_job_cannot_touch_a_task_nor_reply_again():
    refused: list[str] = []

    async def reply(turn: Turn) -> None:
        turn.reply(question(turn, "hello"))
        for attempt in (turn.task, lambda: turn.status(WORKING), lambda: turn.reply(question(turn, "again"))):
            try:
                attempt()
            except RunEndedError as error:
                refused.append(type(error).__name__)

    async with serving(ScriptedHandler(reply, may_reply=True)) as host:
        assert (await host.ask()).text == "hello"
        await until(lambda: host.is_idle)
        assert refused == ["RunEndedError"] * 3


async def test_a_job_that_touched_its_task_and_then_replies_fails_the_task():
    async def confused(turn: Turn) -> None:
        turn.status(WORKING)
        turn.reply(question(turn, "hello"))

    async with serving(ScriptedHandler(confused, may_reply=True)) as host:
        assert (await host.send()).state is FAILED
    async with serving(confused) as host:
        assert (await host.send()).state is FAILED


async def test_reading_the_memory_of_a_conversation_does_not_touch_the_task():
    async def remember(turn: Turn) -> None:
        state = await turn.load_state()
        turn.reply(question(turn, repr(state)))

    async with serving(ScriptedHandler(remember, may_reply=True)) as host:
        assert (await host.ask()).text == "None"


async def test_a_conversation_remembers_between_its_tasks():
    async def count(turn: Turn) -> None:
        seen = int(await turn.load_state() or b"0") + 1
        turn.save_state(b"%d" % seen)
        assert await turn.load_state() == b"%d" % seen
        write(turn, str(seen))

    async with serving(count) as host:
        first = await host.send()
        second = await host.send(context_id=first.context_id)
        other = await host.send()
        assert [first.text, second.text, other.text] == ["1", "2", "1"]
        assert second.context_id == first.context_id
        assert other.context_id != first.context_id


async def test_what_the_handler_refuses_makes_no_task():
    async with serving(ScriptedHandler(nothing, refusal=ContentTypeNotSupportedError())) as host:
        with pytest.raises(ContentTypeNotSupportedError):
            await host.send()
        with pytest.raises(ContentTypeNotSupportedError):
            await host.stream()
        assert (await host.list()).total_size == 0
        assert host.is_idle


async def test_a_handler_that_breaks_is_an_internal_error_without_its_words():
    async with serving(ScriptedHandler(nothing, refusal=KeyError("secret"))) as host:
        with pytest.raises(InternalError, match=r"internal error \(ref [0-9a-f]{8}\)") as caught:
            await host.send()
        assert "secret" not in str(caught.value)


async def test_a_request_that_cannot_be_written_is_refused():
    async with serving(nothing) as host:
        bad = say(metadata={"when": object()})
        with pytest.raises(InvalidParamsError):
            await host.engine.send(ANYONE, bad)
        assert host.is_idle


async def test_a_send_to_an_unknown_task_is_refused():
    async with serving(nothing) as host:
        with pytest.raises(TaskNotFoundError):
            await host.send(task_id="no-such-task")
        with pytest.raises(TaskNotFoundError):
            await host.stream(task_id="no-such-task")
        assert host.is_idle


async def test_a_send_to_a_task_that_has_ended_is_refused():
    async with serving(nothing) as host:
        task = await host.send()
        with pytest.raises(UnsupportedOperationError):
            await host.send(task_id=task.id)
        await until(lambda: host.is_idle)


async def test_a_new_task_keeps_the_context_that_its_caller_named():
    async with serving(nothing) as host:
        assert (await host.send(context_id="ours")).context_id == "ours"


async def test_a_blocking_send_returns_the_task_as_it_stands_when_the_caller_has_waited_long_enough():
    stage = Stage()
    limits = Limits(block_timeout=timedelta(milliseconds=5))
    async with serving(stage, limits=limits) as host:
        task = await host.send()
        assert task.state is WORKING
        stage.go.set()
        assert (await host.ended(task.id)).state is COMPLETED


async def test_a_caller_that_hangs_up_leaves_the_task_alone_and_nothing_behind():
    stage = Stage()
    async with serving(stage) as host:
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(host.send()) for _ in range(3)]
            await until(lambda: len(stage.turns) == 3)
            for caller in callers:
                caller.cancel()
        assert all(live.users == 0 for live in host.lives.values())
        task_ids = [turn.task_id for turn in stage.turns]
        stage.go.set()
        for task_id in task_ids:
            assert (await host.ended(task_id)).state is COMPLETED
        await until(lambda: host.is_idle)


async def test_a_caller_that_hangs_up_while_it_waits_for_the_store_leaves_nothing_behind():
    async with serving(nothing) as host:
        host.store.open.clear()
        caller = asyncio.create_task(host.begin())
        await until(lambda: host.store.waiting)
        [live] = host.lives.values()
        await turns()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert live._viewers == 0
        assert not live.changed._waiters or all(not w.cancelled() for w in live.changed._waiters)
        host.store.open.set()
        await until(lambda: host.is_idle)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 9, None])
async def test_history_length_limits_the_history_of_every_answer(length: int | None):
    async def converse(turn: Turn) -> None:
        await turn.ask(question(turn, "name?"))

    async with serving(converse) as host:
        task = await host.send("hi")
        answered = await host.send("Ada", task_id=task.id, history_length=length)
        whole = ["hi", "name?", "Ada"]
        kept = whole if length is None else whole[max(0, 3 - length) :]
        assert said(answered) == kept
        assert said(await host.get(task.id, history_length=length)) == kept
        listed = (await host.list(history_length=length)).tasks[0]
        assert said(listed) == kept


async def test_a_negative_history_length_is_refused_everywhere():
    async with serving(nothing) as host:
        task = await host.send()
        for attempt in (
            lambda: host.send(history_length=-1),
            lambda: host.get(task.id, history_length=-1),
            lambda: host.list(history_length=-5),
        ):
            with pytest.raises(InvalidParamsError):
                await attempt()


async def test_an_engine_that_does_not_run_is_unavailable():
    async with serving(nothing) as host:
        task = await host.send()
    for attempt in (
        host.send,
        host.stream,
        host.list,
        lambda: host.get(task.id),
        lambda: host.cancel(task.id),
        lambda: host.subscribe(task.id),
    ):
        with pytest.raises(UnavailableError):
            await attempt()


async def test_parts_of_an_artifact_are_counted():
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        for parts in ((), (Part.of_text("x"),) * 3):
            try:
                turn.artifact(Artifact(artifact_id="a", parts=parts))
            except ValueError as error:
                refused.append(str(error))

    async with serving(work, limits=Limits(max_parts=2)) as host:
        assert (await host.send()).state is COMPLETED
    assert refused == ["an artifact has 1 to 2 parts, not 0", "an artifact has 1 to 2 parts, not 3"]


async def test_a_turn_knows_its_request_and_its_caller():
    seen: list[Turn] = []

    async def work(turn: Turn) -> None:
        seen.append(turn)
        assert turn.task().id == turn.task_id
        assert turn.task().context_id == turn.context_id
        composed = turn.compose([Part.of_text("x")], metadata={"k": 1})
        assert (composed.task_id, composed.context_id) == (turn.task_id, turn.context_id)
        assert composed.metadata == {"k": 1}

    async with serving(work) as host:
        request = say("hi", metadata={"skill": "x"})
        reply = await host.engine.send(ADA, request)
        assert reply.task is not None
        assert reply.task.state is COMPLETED
        assert seen[0].request is request
        assert seen[0].call is ADA
        assert not seen[0].is_canceled


async def test_the_same_message_id_twice_makes_two_tasks():
    async with serving(nothing) as host:
        first = await host.send(message_id="same")
        second = await host.send(message_id="same")
        assert first.id != second.id


async def test_metadata_of_a_status_joins_that_of_the_task():
    async def work(turn: Turn) -> None:
        turn.status(WORKING, metadata={"a": 1, "b": 1})
        turn.status(COMPLETED, message(), metadata={"b": 2})

    async with serving(work) as host:
        assert (await host.send()).metadata == {"a": 1, "b": 2}
