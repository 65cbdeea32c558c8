"""Whatever a job raises, its task ends, and the caller learns no more than it may (I4, I12, DESIGN section 6)."""

import asyncio
import logging

import pytest

from dragoman.engine import IllegalTransitionError, Limits, RunEndedError, Turn
from dragoman.engine.entries import LogEntry
from dragoman.engine.live import LiveTask
from dragoman.model import (
    Artifact,
    InvalidParamsError,
    Part,
    SkillError,
    Task,
    TaskState,
    TaskStatus,
    UnavailableError,
)
from dragoman.store import Scope
from tests.unit.engine.kit import (
    COMPLETED,
    FAILED,
    INPUT_REQUIRED,
    WORKING,
    ScriptedHandler,
    Work,
    drain,
    message,
    question,
    serving,
    states,
    text_artifact,
    turns,
    until,
    why,
    write,
)


class OddError(BaseException):
    """What some libraries raise past every `except Exception`."""


def raising(error: BaseException) -> Work:
    async def work(turn: Turn) -> None:
        raise error

    return work


async def test_a_skill_error_fails_the_task_with_its_words_and_data():
    async with serving(raising(SkillError("No seats", data={"left": 0}))) as host:
        task = await host.send()
        assert task.state is FAILED
        assert task.status.message is not None
        assert [part.text for part in task.status.message.parts[:1]] == ["No seats"]
        assert task.status.message.parts[1].data == {"left": 0}
        assert task.status.message.task_id == task.id


async def test_a_skill_error_without_data_has_one_part():
    async with serving(raising(SkillError("No seats"))) as host:
        task = await host.send()
        assert task.status.message is not None
        assert len(task.status.message.parts) == 1


async def test_an_a2a_error_fails_the_task_with_its_message():
    async with serving(raising(InvalidParamsError("the month is not a month"))) as host:
        task = await host.send()
        assert task.state is FAILED
        assert why(task) == "the month is not a month"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("secret"),
        TimeoutError("secret"),
        asyncio.CancelledError("secret"),
        OddError("secret"),
        SystemExit("secret"),
        RunEndedError("secret"),
        IllegalTransitionError("secret"),
        StopAsyncIteration("secret"),
        ExceptionGroup("secret", [ValueError("secret"), KeyError("secret")]),
        BaseExceptionGroup("secret", [OddError("secret")]),
        MemoryError("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("may_reply", [False, True])
async def test_any_other_error_fails_the_task_with_a_reference_only(
    error: BaseException, may_reply: bool, caplog: pytest.LogCaptureFixture
):
    async with serving(ScriptedHandler(raising(error), may_reply=may_reply)) as host:
        task = await host.send()
        assert task.state is FAILED
        assert why(task).startswith("internal error (ref ")
        reference = why(task).removeprefix("internal error (ref ").removesuffix(")")
        await until(lambda: host.is_idle)
    [record] = [record for record in caplog.records if reference in record.getMessage()]
    assert record.exc_info is not None
    assert "secret" in logging.Formatter().format(record) or isinstance(error, asyncio.CancelledError)


async def test_the_agent_serves_on_after_a_skill_that_exits():
    async with serving(raising(SystemExit(1))) as host:
        assert (await host.send()).state is FAILED
        assert (await host.send()).state is FAILED


async def test_the_one_error_of_a_task_group_is_told_like_the_error_itself():
    async def work(turn: Turn) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse())

    async def refuse() -> None:
        raise SkillError("No seats")

    async with serving(work) as host:
        assert why(await host.send()) == "No seats"


async def test_a_cancelled_helper_of_the_skill_fails_its_task():
    async def work(turn: Turn) -> None:
        helper = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        helper.cancel()
        await helper

    async with serving(work) as host:
        assert (await host.send()).state is FAILED


async def test_a_timeout_of_the_skills_own_is_not_that_of_the_run():
    async def work(turn: Turn) -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(60)

    async with serving(work) as host:
        assert why(await host.send()).startswith("internal error")


@pytest.mark.parametrize("data", [object(), {"x": object()}, "\ud800", {(1, 2): 3}])
async def test_data_that_is_not_json_does_not_keep_the_task_from_failing(data: object):
    async with serving(raising(SkillError("No seats", data=data))) as host:
        task = await host.send()
        assert task.state is FAILED
        assert why(task).startswith("internal error")


async def test_words_that_are_not_text_do_not_keep_the_task_from_failing(monkeypatch: pytest.MonkeyPatch):
    # What is logged cannot be encoded either, which xdist does not survive.
    monkeypatch.setattr(logging.getLogger("dragoman.engine"), "disabled", True)
    async with serving(raising(SkillError("\ud800"))) as host:
        assert why(await host.send()).startswith("internal error")
    async with serving(raising(SkillError(12))) as host:  # type: ignore[arg-type]
        assert why(await host.send()).startswith("internal error")


async def test_what_cannot_be_written_is_refused_and_leaves_the_log_as_it_was():
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        for bad in (
            lambda: turn.status(WORKING, question(turn, "\ud800")),
            lambda: turn.status(WORKING, metadata={"x": object()}),
            lambda: turn.status(WORKING, message(), metadata=["no object"]),  # type: ignore[arg-type]
            lambda: turn.status(WORKING, turn.compose([Part.of_text(12)])),  # type: ignore[arg-type]
            lambda: write(turn, "\ud800"),
        ):
            try:
                bad()
            except ValueError as error:
                refused.append(str(error))
        write(turn, "good")

    async with serving(work) as host:
        items = await drain(await host.stream())
        assert len(refused) == 5
        assert all(text.startswith("the task's log cannot take this") for text in refused)
        assert states(items) == [TaskState.SUBMITTED, WORKING, COMPLETED]
        assert [item.seq for item in items] == [1, 2, 3, 4]
        [task] = (await host.list(include_artifacts=True)).tasks
        assert task.text == "good"


async def test_what_a_skill_changes_after_it_said_it_is_not_changed_in_the_task():
    async def work(turn: Turn) -> None:
        data = {"rows": [1]}
        turn.artifact(Artifact(artifact_id="a", parts=(Part.of_data(data),)))
        data["rows"].append(2)
        await turn.ask(question(turn, "more?"))

    async with serving(work) as host:
        task = await host.send()
        assert task.artifacts
        assert task.artifacts[0].parts[0].data == {"rows": [1]}
        stream = await host.subscribe(task.id)
        first = await anext(stream)
        assert b'"rows":[1]' in first.json
        await stream.aclose()


async def test_an_error_after_a_terminal_status_changes_nothing():
    async def work(turn: Turn) -> None:
        turn.status(COMPLETED, question(turn, "done"))
        raise ValueError("too late")

    async with serving(work) as host:
        items = await drain(await host.stream())
        assert states(items) == [TaskState.SUBMITTED, WORKING, COMPLETED]
        await until(lambda: host.is_idle)
        assert why((await host.list()).tasks[0]) == "done"


async def test_an_error_after_a_direct_reply_changes_nothing(caplog: pytest.LogCaptureFixture):
    for error in (ValueError("too late"), SkillError("too late")):

        async def work(turn: Turn, error: Exception = error) -> None:
            turn.reply(question(turn, "done"))
            await asyncio.sleep(0)
            raise error

        async with serving(ScriptedHandler(work, may_reply=True)) as host:
            assert (await host.ask()).text == "done"
            await until(lambda: host.is_idle)
            assert (await host.list()).total_size == 0


@pytest.mark.parametrize("state", [COMPLETED, FAILED, TaskState.REJECTED, TaskState.CANCELED])
async def test_a_job_that_ends_its_task_itself_has_no_more_say(state: TaskState):
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        turn.status(state, question(turn, "done"))
        for attempt in (
            lambda: turn.status(WORKING),
            lambda: turn.status(COMPLETED),
            lambda: write(turn, "late"),
            lambda: turn.save_state(b"late"),
        ):
            try:
                attempt()
            except RunEndedError:
                refused.append("refused")
        for waiting in (turn.room(), turn.ask(question(turn, "?")), turn.next_message()):
            with pytest.raises(RunEndedError):
                await waiting

    async with serving(work) as host:
        task = await host.send()
        assert task.state is state
        assert why(task) == "done"
        await until(lambda: host.is_idle)
        assert len(refused) == 4
        assert not (await host.get(task.id)).artifacts


@pytest.mark.parametrize("state", [TaskState.SUBMITTED, TaskState.UNSPECIFIED])
async def test_an_illegal_transition_is_refused_and_fails_a_job_that_does_not_mind(state: TaskState):
    async def work(turn: Turn) -> None:
        turn.status(state)

    async with serving(work) as host:
        assert why(await host.send()).startswith("internal error")


async def test_a_state_that_waits_does_not_keep_a_job_that_returns_from_completing():
    async def work(turn: Turn) -> None:
        turn.status(INPUT_REQUIRED, question(turn, "?"))

    async with serving(work) as host:
        task = await host.begin()
        assert (await host.ended(task.id)).state is COMPLETED


async def test_asking_in_a_state_that_does_not_wait_is_a_mistake():
    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "?"), state=COMPLETED)

    async with serving(work) as host:
        assert (await host.send()).state is FAILED


async def test_artifacts_beyond_the_limit_fail_the_task_and_stay_bounded_for_a_job_that_goes_on():
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        for _ in range(100):
            try:
                write(turn, "x" * 400, append=True)
            except SkillError as error:
                refused.append(error.message)
        await turns(1)
        write(turn, "x", append=True)

    async with serving(work, limits=Limits(max_artifact_bytes=1_500)) as host:
        task = await host.send()
        assert task.state is FAILED
        assert why(task) == "the task's artifacts are larger than this agent allows"
        assert len(task.text) < 1_500
        assert len(refused) > 90


async def test_a_job_that_is_told_that_it_has_no_more_say_may_just_fail():
    async def work(turn: Turn) -> None:
        turn.status(COMPLETED)
        turn.status(WORKING)

    async with serving(work) as host:
        items = await drain(await host.stream())
        assert states(items)[-1] is COMPLETED
        await until(lambda: host.is_idle)


def test_a_live_task_takes_nothing_after_its_end():
    live = LiveTask.begin(
        LogEntry(task=Task(id="t", context_id="c", status=TaskStatus(state=TaskState.SUBMITTED))),
        scope=Scope("agent", "", ""),
        holder="h",
        now=0,
        push=(),
        max_window_bytes=1,
    )
    live.set_status(TaskStatus(state=COMPLETED))
    with pytest.raises(RunEndedError):
        live.add_artifact(text_artifact("x"), append=False, last_chunk=False, metadata=None)
    with pytest.raises(IllegalTransitionError):
        live.set_status(TaskStatus(state=WORKING))
    assert live.tip == 2
    live.break_off(UnavailableError())
    with pytest.raises(RunEndedError):
        live.receive(message())
    assert live.take_commit() is None
