"""Messages to a task that exists: questions and answers, queues, and what is refused (I7, SPEC 2.1)."""

import asyncio
from datetime import timedelta

import pytest

from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.model import (
    InvalidParamsError,
    Message,
    TaskPushNotificationConfig,
    TaskState,
    UnavailableError,
    UnsupportedOperationError,
)
from tests.unit.engine.kit import (
    ANYONE,
    COMPLETED,
    INPUT_REQUIRED,
    QUICK,
    WORKING,
    Receiver,
    Stage,
    drain,
    message,
    nothing,
    question,
    said,
    serving,
    states,
    take,
    turns,
    until,
    why,
    write,
)


async def introduce(turn: Turn) -> None:
    """Asks for a name and an age."""
    name = await turn.ask(question(turn, "name?"))
    age = await turn.ask(question(turn, "age?"))
    write(turn, f"{name.text} is {age.text}")


def refusing(*errors: type[Exception]):
    return pytest.raises(errors)


async def test_a_question_parks_the_task_and_the_answer_goes_on():
    async with serving(introduce) as host:
        task = await host.send("hi")
        assert task.state is INPUT_REQUIRED
        assert why(task) == "name?"
        task = await host.send("Ada", task_id=task.id)
        assert task.state is INPUT_REQUIRED
        assert why(task) == "age?"
        task = await host.send("36", task_id=task.id, context_id=task.context_id)
        assert task.state is COMPLETED
        assert task.text == "Ada is 36"
        assert said(task) == ["hi", "name?", "Ada", "age?", "36"]
        assert {one.task_id for one in task.history} == {task.id}
        assert {one.context_id for one in task.history} == {task.context_id}
        await until(lambda: host.is_idle)


async def test_streams_of_a_conversation_end_at_each_question():
    async with serving(introduce) as host:
        items = await drain(await host.stream("hi"))
        assert states(items) == [TaskState.SUBMITTED, WORKING, INPUT_REQUIRED]
        task_id = items[0].event.task.id  # type: ignore[union-attr]
        items = await drain(await host.stream("Ada", task_id=task_id))
        assert states(items) == [INPUT_REQUIRED, WORKING, INPUT_REQUIRED]
        assert said(items[0].event.task) == ["hi", "name?", "Ada"]  # type: ignore[arg-type]
        items = await drain(await host.stream("36", task_id=task_id))
        assert states(items) == [INPUT_REQUIRED, WORKING, COMPLETED]


async def test_an_immediate_answer_returns_the_task_with_the_message_in_it():
    async with serving(introduce) as host:
        task = await host.send("hi")
        task = await host.begin("Ada", task_id=task.id)
        assert said(task)[:3] == ["hi", "name?", "Ada"]


async def test_a_task_may_wait_for_credentials_as_well():
    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "log in"), state=TaskState.AUTH_REQUIRED)

    async with serving(work) as host:
        stream = await host.stream()
        assert states(await take(stream, 3))[-1] is TaskState.AUTH_REQUIRED
        task = (await host.list()).tasks[0]
        assert task.state is TaskState.AUTH_REQUIRED
        await host.send("done", task_id=task.id)
        assert states(await drain(stream)) == [WORKING, COMPLETED]  # D-03: the stream was kept open


async def test_a_wrong_context_is_refused_and_leaves_the_task_waiting():
    async with serving(introduce) as host:
        task = await host.send("hi")
        with refusing(InvalidParamsError) as caught:
            await host.send("Ada", task_id=task.id, context_id="elsewhere")
        assert isinstance(caught.value, InvalidParamsError)
        assert caught.value.violations[0].field == "message.contextId"
        assert said(await host.get(task.id)) == ["hi"]
        assert (await host.send("Ada", task_id=task.id)).state is INPUT_REQUIRED


async def test_messages_to_a_working_task_are_read_in_order_by_its_one_run():
    read: list[str] = []
    stage = Stage()

    async def work(turn: Turn) -> None:
        await stage(turn)
        while len(read) < 5:
            read.append((await turn.next_message()).text)

    async with serving(work) as host:
        task = await host.begin("0")
        await stage.begun.wait()
        for number in range(1, 4):
            assert (await host.begin(str(number), task_id=task.id)).state is WORKING
        stage.go.set()
        await until(lambda: len(read) == 3)
        await host.begin("4", task_id=task.id)
        await until(lambda: len(read) == 4)
        done = await host.send("5", task_id=task.id)
        assert done.state is COMPLETED
        assert read == ["1", "2", "3", "4", "5"]
        assert said(done) == ["0", "1", "2", "3", "4", "5"]
        assert len(stage.turns) == 1


async def test_messages_that_the_job_never_reads_are_on_the_log_and_answered_with_the_end():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin("0")
        await stage.begun.wait()
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(host.send(str(n), task_id=task.id)) for n in (1, 2, 3)]
            await until(lambda: host.lives[task.id].history_length == 4)
            stage.go.set()
        assert all(send.result().state is COMPLETED for send in waiting)
        assert said(await host.get(task.id)) == ["0", "1", "2", "3"]


async def test_messages_to_a_task_that_waits_for_its_slot_are_queued():
    stage = Stage()
    read: list[str] = []

    async def work(turn: Turn) -> None:
        if turn.request.message.text == "first":
            await stage(turn)
        else:
            read.append((await turn.next_message()).text)

    async with serving(work, limits=Limits(max_runs=1)) as host:
        await host.begin("first")
        await stage.begun.wait()
        second = await host.begin("second")
        assert second.state is TaskState.SUBMITTED
        task = await host.begin("more", task_id=second.id)
        assert task.state is TaskState.SUBMITTED
        stage.go.set()
        assert said(await host.ended(second.id)) == ["second", "more"]
        assert read == ["more"]


async def test_the_queue_is_bounded_and_what_it_refuses_is_not_on_the_log():
    stage = Stage()
    async with serving(stage, limits=Limits(max_queued_messages=2)) as host:
        task = await host.begin("0")
        await stage.begun.wait()
        await host.begin("1", task_id=task.id)
        await host.begin("2", task_id=task.id)
        with refusing(UnavailableError) as caught:
            await host.begin("3", task_id=task.id)
        assert "try again" in str(caught.value)
        with refusing(UnavailableError):
            await host.stream("3", task_id=task.id)
        stage.go.set()
        assert said(await host.ended(task.id)) == ["0", "1", "2"]


async def test_a_task_with_a_full_history_takes_no_more_messages():
    async with serving(introduce, limits=Limits(max_history=3)) as host:
        task = await host.send("hi")
        task = await host.send("Ada", task_id=task.id)
        with refusing(UnsupportedOperationError):
            await host.send("36", task_id=task.id)
        assert (await host.get(task.id)).state is INPUT_REQUIRED


async def test_what_was_said_before_it_was_asked_is_the_answer():
    stage = Stage()

    async def work(turn: Turn) -> None:
        await stage(turn)
        write(turn, (await turn.ask(question(turn, "name?"))).text)

    async with serving(work) as host:
        stream = await host.stream("hi")
        await stage.begun.wait()
        task = (await anext(stream)).event.task
        assert task is not None
        await host.begin("Ada", task_id=task.id)
        stage.go.set()
        items = await drain(stream)
        assert INPUT_REQUIRED not in states(items)
        assert "name?" in [
            item.event.status_update.status.message.text
            for item in items
            if item.event.status_update and item.event.status_update.status.message
        ]
        assert (await host.get(task.id)).text == "Ada"


async def test_two_answers_at_once_are_both_kept_and_the_second_waits_for_the_next_question():
    async with serving(introduce) as host:
        task = await host.send("hi")
        async with asyncio.TaskGroup() as group:
            sends = [group.create_task(host.send(text, task_id=task.id)) for text in ("Ada", "36")]
        assert {send.result().state for send in sends} == {COMPLETED}
        done = await host.get(task.id)
        assert done.text == "Ada is 36"
        assert said(done) == ["hi", "name?", "Ada", "36"]


async def test_two_questions_at_once_are_asked_one_after_the_other():
    async def work(turn: Turn) -> None:
        async with asyncio.TaskGroup() as group:
            name = group.create_task(turn.ask(question(turn, "name?")))
            age = group.create_task(turn.ask(question(turn, "age?")))
        write(turn, f"{name.result().text} is {age.result().text}")

    async with serving(work, limits=Limits(max_runs=1)) as host:
        for _ in range(2):  # the second time shows that the slot came back
            task = await host.send("hi")
            assert why(task) == "name?"
            task = await host.send("Ada", task_id=task.id)
            assert task.state is INPUT_REQUIRED
            assert why(task) == "age?"
            task = await host.send("36", task_id=task.id)
            assert task.state is COMPLETED
            assert task.text == "Ada is 36"


async def test_an_answer_belongs_to_the_question_and_not_to_who_reads_along():
    read: list[str] = []

    async def listen(turn: Turn) -> None:
        read.append((await turn.next_message()).text)

    async def work(turn: Turn) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(turn))
            await asyncio.sleep(0)
            answer = await turn.ask(question(turn, "name?"))
        write(turn, answer.text)

    async with serving(work) as host:
        task = await host.send("hi")
        await host.begin("Ada", task_id=task.id)
        await host.begin("by the way", task_id=task.id)
        assert (await host.ended(task.id)).text == "Ada"
        assert read == ["by the way"]


async def test_a_question_that_nobody_answers_soon_waits_outside_of_memory_and_can_still_be_answered():
    async with serving(introduce, limits=Limits(park_timeout=timedelta(milliseconds=2))) as host:
        task = await host.begin("hi")
        await until(lambda: host.is_idle)
        assert (await host.get(task.id)).state is INPUT_REQUIRED
        answered = await host.send("Ada", task_id=task.id)
        assert answered.state is INPUT_REQUIRED
        assert said(answered) == ["hi", "name?", "Ada"]
        assert (await host.send("36", task_id=task.id)).state is COMPLETED


async def test_a_job_can_give_up_a_question_by_itself():
    async def work(turn: Turn) -> None:
        try:
            async with asyncio.timeout(0.002):
                await turn.ask(question(turn, "name?"))
        except TimeoutError:
            write(turn, "never mind")

    async with serving(work, limits=Limits(max_runs=1)) as host:
        for _ in range(2):
            items = await drain(await host.stream("hi"))
            task = await host.ended(items[0].event.task.id)  # type: ignore[union-attr]
            assert task.state is COMPLETED
            assert task.text == "never mind"


async def test_many_answers_are_never_lost_however_they_fall():
    count = 40
    read: list[str] = []

    async def work(turn: Turn) -> None:
        while len(read) < count:
            reading: Message = await (
                turn.ask(question(turn, "more?")) if len(read) % 3 else turn.next_message()
            )
            read.append(reading.text)

    async with serving(work, limits=Limits(max_queued_messages=count, max_runs=1)) as host:
        task = await host.begin("start")
        for number in range(count):
            await host.begin(str(number), task_id=task.id)
            await turns(number % 4)
        done = await host.ended(task.id)
        assert read == [str(number) for number in range(count)]
        told = [one.text for one in done.history if one.text not in {"more?", "start"}]
        assert told == read


async def test_a_blocking_follow_up_does_not_return_with_the_question_that_it_answers():
    stage = Stage()

    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "name?"))
        await stage(turn)

    async with serving(work) as host:
        task = await host.send("hi")
        answer = asyncio.create_task(host.send("Ada", task_id=task.id))
        await stage.begun.wait()
        await turns()
        assert not answer.done()
        stage.go.set()
        assert (await answer).state is COMPLETED


async def test_a_message_that_comes_while_the_task_ends_is_refused_or_queued_but_never_an_internal_error():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin("hi")
        await stage.begun.wait()
        stage.go.set()
        outcomes: list[str] = []
        for number in range(30):
            try:
                sent = await host.begin(str(number), task_id=task.id)
                outcomes.append(sent.state.name)
            except (UnsupportedOperationError, UnavailableError) as error:
                outcomes.append(type(error).__name__)
        assert set(outcomes) <= {"WORKING", "COMPLETED", "UnsupportedOperationError"}


async def test_a_task_that_ends_while_its_new_webhook_is_registered_refuses_the_message():
    stage = Stage()
    async with serving(stage, sender=Receiver()) as host:
        task = await host.begin("hi")
        await stage.begun.wait()
        put_push = host.store.put_push

        async def put_slowly(*args):
            stage.go.set()
            await until(lambda: host.lives[task.id].state.is_terminal)
            return await put_push(*args)

        host.store.put_push = put_slowly
        with refusing(UnsupportedOperationError):
            await host.send(task_id=task.id, push=TaskPushNotificationConfig(url="https://x.example"))


async def test_a_parked_task_keeps_no_events_in_memory_once_nobody_reads_them():
    async def work(turn: Turn) -> None:
        for number in range(100):
            write(turn, f"{number} " * 100, append=True)
        await turn.ask(question(turn, "more?"))

    async with serving(work, limits=QUICK) as host:
        items = await drain(await host.stream())
        live = host.lives[items[0].event.task.id]  # type: ignore[union-attr]
        await turns()
        assert live.window_bytes == 0
        task = await host.send("hi")
        assert host.lives[task.id].window_bytes == 0
        stream = await host.subscribe(task.id)
        snapshot = (await anext(stream)).event.task
        assert snapshot is not None
        assert snapshot.artifacts
        assert len(snapshot.artifacts[0].parts) == 100
        await host.begin("yes", task_id=task.id)
        assert states(await drain(stream)) == [WORKING, COMPLETED]


async def test_a_question_to_a_run_that_is_about_to_end_is_refused():
    refused: list[Exception] = []

    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            try:
                await turn.ask(question(turn, "really?"))
            except RunEndedError as error:
                refused.append(error)
            raise

    async with serving(work) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        assert (await host.cancel(task.id)).state is TaskState.CANCELED
        assert len(refused) == 1


async def test_a_message_that_cannot_be_written_is_refused():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin()
        with refusing(InvalidParamsError):
            await host.send(task_id=task.id, extensions=(object(),))
        stage.go.set()
        assert said(await host.ended(task.id)) == ["hello"]


async def test_nothing_is_kept_of_a_conversation_that_has_ended():
    async with serving(nothing) as host:
        for _ in range(20):
            await host.send()
        await until(lambda: host.is_idle)
        assert not host.engine._roster._watches
        assert not host.engine._roster.unattended


async def test_a_caller_who_missed_the_question_waits_for_the_next_rest():
    """The question is asked and answered before the caller who waits has had its look."""
    stage, more = Stage(), asyncio.Event()

    async def work(turn: Turn) -> None:
        await stage(turn)
        await turn.ask(question(turn, "name?"))
        await more.wait()

    async with serving(work) as host:
        waiting = asyncio.create_task(host.send("hi"))
        await stage.begun.wait()
        live = host.lives[stage.turn.task_id]
        await until(lambda: live.durable == 2)
        host.store.open.clear()
        stage.go.set()
        await until(lambda: host.store.waiting)
        live.changed.fire()
        await turns(3)
        answering = asyncio.create_task(host.begin("Ada", task_id=live.task_id))
        await until(lambda: live.tip == 5)
        host.store.open.set()
        assert (await answering).state is not None
        await turns()
        assert not waiting.done()
        more.set()
        assert (await waiting).state is COMPLETED


async def test_who_reads_along_gets_what_came_with_the_answer():
    read: list[str] = []

    async def listen(turn: Turn) -> None:
        read.append((await turn.next_message()).text)

    async def work(turn: Turn) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(turn))
            await asyncio.sleep(0)
            await turn.ask(question(turn, "name?"))

    async with serving(work) as host:
        task = await host.send("hi")
        run = host.runs[task.id]
        run.post(message("Ada"))
        run.post(message("by the way"))
        assert (await host.ended(task.id)).state is COMPLETED
        assert read == ["by the way"]


async def test_a_webhook_that_comes_with_a_refused_message_is_not_registered():
    stage = Stage()
    async with serving(stage, limits=Limits(max_queued_messages=0), sender=Receiver()) as host:
        task = await host.begin()
        with refusing(UnavailableError):
            await host.send(task_id=task.id, push=TaskPushNotificationConfig(url="https://x.example"))
        assert await host.store.list_push(host.engine._roster.scope_of(ANYONE), task.id) == []
        stage.go.set()


async def test_the_stream_of_an_answer_shows_the_task_when_the_answer_is_durable():
    async with serving(introduce) as host:
        task = await host.send("hi")
        host.store.open.clear()
        opening = asyncio.create_task(host.stream("Ada", task_id=task.id))
        await turns()
        assert not opening.done()
        host.store.open.set()
        stream = await opening
        first = (await anext(stream)).event.task
        assert first is not None
        assert said(first) == ["hi", "name?", "Ada"]
        assert states(await drain(stream)) == [WORKING, INPUT_REQUIRED]


async def test_a_subscriber_who_comes_as_the_last_one_goes_leaves_no_watch_behind():
    async with serving(introduce, limits=Limits(park_timeout=timedelta(milliseconds=2))) as host:
        roster = host.engine._roster
        task = await host.begin("hi")
        await until(lambda: host.is_idle)
        async with roster.visit(roster.scope_of(ANYONE), task.id) as live:
            for _ in range(2):
                async with roster.observe(live):
                    await turns()
            await turns()
            assert f"watch of task {task.id}" not in host.engine._nursery._children.values()
