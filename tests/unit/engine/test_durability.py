"""What is written, when, in how many transactions, and what becomes of it when the store fails (I1, I3, I4)."""

import asyncio
import logging
from datetime import timedelta

import pytest

from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.model import PushNotificationNotSupportedError, TaskPushNotificationConfig, UnavailableError
from dragoman.store import Outcome
from tests.unit.engine.kit import (
    ANYONE,
    CANCELED,
    COMPLETED,
    FAILED,
    INPUT_REQUIRED,
    WORKING,
    ScriptedHandler,
    Stage,
    Vault,
    drain,
    nothing,
    question,
    refold,
    said,
    serving,
    take,
    turns,
    until,
    why,
    write,
)

DOWN = UnavailableError("the store is down")


async def test_a_thousand_chunks_are_a_handful_of_transactions():
    async def work(turn: Turn) -> None:
        for number in range(1_000):
            write(turn, f"token {number} ", append=True)
            await turn.room()
            await asyncio.sleep(0)

    limits = Limits(chunk_delay=timedelta(seconds=60), max_gathered_bytes=64 * 1024)
    async with serving(work, limits=limits) as host:
        task = await host.send()
        assert len(task.artifacts[0].parts) == 1_000  # type: ignore[index]
        assert host.store.entries == 1_003
        assert len(host.store.batches) <= 8


async def test_chunks_are_written_after_a_while_without_any_other_event():
    stage = Stage()

    async def work(turn: Turn) -> None:
        write(turn, "chunk")
        await stage(turn)

    async with serving(work, limits=Limits(chunk_delay=timedelta(milliseconds=1))) as host:
        task = await host.begin()
        await until(lambda: host.store.entries == 3)
        assert (await host.store.read(task.id, 2, 1))[0].startswith(b'{"artifactUpdate"')
        stage.go.set()


async def test_appends_of_many_runs_share_a_transaction():
    stage = Stage()
    async with serving(stage) as host:
        sends = [asyncio.create_task(host.begin()) for _ in range(50)]
        await until(lambda: all(send.done() for send in sends))
        assert len(host.store.batches) <= 3
        stage.go.set()


async def test_the_log_has_no_holes_and_its_fold_is_the_task():
    async def work(turn: Turn) -> None:
        for number in range(20):
            write(turn, f"{number}", f"a{number % 3}", append=number % 4 > 0)
            if number % 5 == 0:
                turn.status(WORKING, question(turn, str(number)))
                await turns(3)

    async with serving(work) as host:
        items = await drain(await host.stream())
        task_id = items[0].event.task.id  # type: ignore[union-attr]
        assert len(await host.store.read(task_id, 0, 1_000)) == len(items)
        assert refold(items) == await host.get(task_id)


async def test_room_is_made_for_a_job_that_writes_faster_than_the_store():
    wrote = 0

    async def work(turn: Turn) -> None:
        nonlocal wrote
        for _ in range(100):
            write(turn, "x" * 1_000, append=True)
            wrote += 1
            await turn.room()

    limits = Limits(chunk_delay=timedelta(0), max_gathered_bytes=2_000)
    store = Vault()
    store.open.clear()
    async with serving(work, limits=limits, store=store) as host:
        sending = asyncio.create_task(host.send())
        await turns(100)
        assert wrote < 25
        store.open.set()
        assert (await sending).state is COMPLETED
        assert wrote == 100


async def test_a_job_that_makes_room_in_vain_is_not_left_waiting():
    ended = asyncio.Event()

    async def work(turn: Turn) -> None:
        try:
            while True:
                write(turn, "x" * 1_000, append=True)
                await turn.room()
        finally:
            ended.set()

    store = Vault()
    async with serving(work, limits=Limits(max_gathered_bytes=2_000), store=store) as host:
        task = await host.begin()
        store.failures.append(DOWN)
        await ended.wait()
        assert (await host.ended(task.id)).state is FAILED


@pytest.mark.parametrize("error", [DOWN, OSError("disk on fire")], ids=["unavailable", "unexpected"])
@pytest.mark.parametrize("writes", [False, True])
async def test_a_task_whose_first_transaction_fails_is_refused_as_unavailable(error: Exception, writes: bool):
    store = Vault()
    async with serving(nothing, store=store) as host:
        for attempt in (host.send, host.begin, lambda: _drain(host)):
            store.failures.append(error)
            store.fails_after_writing = writes
            with pytest.raises(UnavailableError):
                await attempt()
            store.failures.clear()
        store.fails_after_writing = False
        await until(lambda: host.is_idle and not host.engine._roster.unattended)
        tasks = (await host.list()).tasks
        assert len(tasks) == (3 if writes else 0)
        assert {task.state for task in tasks} <= {FAILED, COMPLETED}
        assert (await host.send()).state is COMPLETED


async def _drain(host) -> None:
    stream = await host.stream()
    try:
        await drain(stream)
    finally:
        await stream.aclose()


async def test_a_task_whose_log_cannot_be_written_once_is_failed_with_a_reason():
    stage = Stage()
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        await stage(turn)
        try:
            turn.status(WORKING, question(turn, "lost"))
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            with pytest.raises(RunEndedError):
                turn.status(WORKING)
            refused.append("stopped")
            raise

    store = Vault()
    async with serving(work, store=store) as host:
        stream = await host.stream()
        items = await take(stream, 2)
        task_id = items[0].event.task.id  # type: ignore[union-attr]
        waiting = asyncio.create_task(host.send(task_id=task_id))
        await until(lambda: host.lives[task_id].durable == 3)
        store.failures.append(DOWN)
        stage.go.set()
        with pytest.raises(UnavailableError):
            await drain(stream)
        await stream.aclose()
        with pytest.raises(UnavailableError):
            await waiting
        task = await host.ended(task_id)
        assert task.state is FAILED
        assert "cannot go on with it" in why(task)
        assert refused == ["stopped"]
        assert said(task) == ["hello", "hello"]
        await until(lambda: host.is_idle and not host.engine._roster.unattended)


async def test_a_task_whose_log_cannot_be_written_once_is_run_again_if_it_may_be():
    runs: list[str] = []

    async def work(turn: Turn) -> None:
        runs.append(turn.request.message.text)
        write(turn, "x")
        turn.status(WORKING, question(turn, "on it"))
        await turns(5)

    store = Vault()
    async with serving(ScriptedHandler(work, is_idempotent=True), store=store) as host:
        stream = await host.stream("job")
        await take(stream, 1)
        store.failures.append(DOWN)
        with pytest.raises(UnavailableError):
            await drain(stream)
        task = await host.ended(next(iter((await host.list()).tasks)).id)
        assert task.state is COMPLETED
        assert task.text == "x"
        assert runs == ["job", "job"]


async def test_a_parked_task_whose_log_is_lost_goes_on_waiting_for_its_caller():
    async def work(turn: Turn) -> None:
        write(turn, (await turn.ask(question(turn, "name?"))).text)

    store = Vault()
    async with serving(ScriptedHandler(work, is_idempotent=True), store=store) as host:
        task = await host.send("hi")
        store.failures.append(DOWN)
        with pytest.raises(UnavailableError):
            await host.send("lost", task_id=task.id)
        await until(lambda: host.is_idle and not host.engine._roster.unattended)
        assert (await host.get(task.id)).state is INPUT_REQUIRED
        done = await host.send("Ada", task_id=task.id)
        assert done.state is COMPLETED
        assert done.text == "Ada"
        assert said(done) == ["hi", "name?", "Ada"]


async def test_a_store_that_is_down_for_long_gets_its_tasks_settled_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
):
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store, limits=Limits(lease=timedelta(milliseconds=3))) as host:
        tasks = [await host.begin() for _ in range(5)]
        await until(lambda: len(stage.turns) == 5)
        store.is_down = True
        stage.go.set()
        with pytest.raises(UnavailableError):
            await host.send()
        with pytest.raises(UnavailableError):
            await host.get(tasks[0].id)
        await until(lambda: len(host.engine._roster.unattended) >= 5)
        await until(lambda: "is taken up when it does" in caplog.text)
        await until(lambda: "the lease on this process's tasks" in caplog.text)
        store.is_down = False
        for task in tasks:
            assert (await host.ended(task.id)).state is FAILED
        await until(lambda: host.is_idle and not host.engine._roster.unattended)


async def test_a_run_that_lost_its_lease_cannot_append_and_stops():
    stage = Stage()
    store = Vault()

    async def work(turn: Turn) -> None:
        await stage(turn)
        turn.status(WORKING, question(turn, "mine"))
        await asyncio.sleep(60)

    async with serving(work, store=store) as host:
        stream = await host.stream()
        task_id = next(iter(host.lives))
        await stage.begun.wait()
        await until(lambda: host.lives[task_id].durable == 2)
        await store.beat("other", host.clock().millis + 60_000)
        store._tasks[task_id].fence += 1  # another process has claimed it
        store._hold(store._tasks[task_id], "other")
        stage.go.set()
        with pytest.raises(UnavailableError):
            await drain(stream)
        await stream.aclose()
        await until(lambda: host.is_idle and not host.engine._roster.unattended)
        assert (await host.get(task_id)).state is WORKING


async def test_one_stale_task_harms_no_other_in_its_transaction():
    store = Vault()
    commit = store.commit

    async def refuse_the_first(batch):
        if len(batch) < 2:
            return await commit(batch)
        return [Outcome.STALE, *await commit(batch[1:])]

    async with serving(nothing, store=store) as host:
        store.commit = refuse_the_first  # type: ignore[method-assign]
        sends = [asyncio.create_task(host.send()) for _ in range(3)]
        await asyncio.wait(sends)
        outcomes = [send.exception() for send in sends]
        assert isinstance(outcomes[0], UnavailableError)
        assert outcomes[1:] == [None, None] or isinstance(outcomes[1], UnavailableError)
        await until(lambda: host.is_idle)


async def test_everyone_who_waits_for_a_lost_task_gets_an_error_of_their_own():
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store) as host:
        task = await host.begin()
        await stage.begun.wait()
        waiting = [asyncio.create_task(host.send(str(n), task_id=task.id)) for n in range(5)]
        await until(lambda: host.lives[task.id].durable == 7)
        store.failures.append(DOWN)
        stage.go.set()
        await asyncio.wait(waiting)
        errors = [send.exception() for send in waiting]
        assert all(isinstance(error, UnavailableError) for error in errors)
        assert len({id(error) for error in errors}) == 5


async def test_a_cancel_that_cannot_be_written_is_unavailable_and_the_task_ends_later():
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store) as host:
        task = await host.begin()
        await stage.begun.wait()
        store.failures.append(DOWN)
        with pytest.raises(UnavailableError):
            await host.cancel(task.id)
        assert (await host.ended(task.id)).state in {FAILED, CANCELED}


async def test_the_view_of_a_caller_is_never_older_than_what_it_was_told():
    """Statuses in quick succession while transactions take long: no answer goes back in time."""
    store = Vault()
    steps: asyncio.Queue[int] = asyncio.Queue()

    async def work(turn: Turn) -> None:
        while number := await steps.get():
            turn.status(WORKING, question(turn, str(number)))

    async with serving(work, store=store) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        seen: list[int] = []
        for number in range(1, 30):
            store.open.clear()
            steps.put_nowait(number)
            reading = asyncio.create_task(host.get(task.id))
            await turns(number % 5)
            asyncio.get_running_loop().call_soon(store.open.set)
            if number % 3 == 0:
                steps.put_nowait(number)
            view = await reading
            seen.append(int(view.status.message.text) if view.status.message else 0)
        store.open.set()
        assert seen == sorted(seen)
        steps.put_nowait(0)


async def test_a_blocking_answer_is_durable_when_it_is_given():
    store = Vault()
    async with serving(nothing, store=store) as host:
        task = await host.send()
        assert b"TASK_STATE_COMPLETED" in (await store.read(task.id, 0, 10))[-1]
        snapshot = await store.load(host.engine._roster.scope_of(ANYONE), task.id)
        assert snapshot is not None
        assert snapshot.snapshot_seq == snapshot.last_seq


async def test_long_logs_get_snapshots_on_the_way():
    async def work(turn: Turn) -> None:
        for _ in range(300):
            write(turn, "x" * 1_000, append=True)
            turn.status(WORKING)
            await turns(2)
        await turn.ask(question(turn, "?"))

    async with serving(work) as host:
        await host.send()
        taken = [commit.last for batch in host.store.batches for commit in batch if commit.snapshot]
        assert 2 <= len(taken) <= 8


async def test_an_inline_webhook_needs_an_agent_that_sends():
    push = TaskPushNotificationConfig(url="https://hook.example")
    async with serving(nothing) as host:
        for attempt in (lambda: host.send(push=push), lambda: host.stream(push=push)):
            with pytest.raises(PushNotificationNotSupportedError):
                await attempt()


async def test_what_the_engine_logs_about_a_broken_store_is_for_the_operator(
    caplog: pytest.LogCaptureFixture,
):
    store = Vault()
    async with serving(nothing, store=store) as host:
        store.failures.append(OSError("disk on fire"))
        with pytest.raises(UnavailableError) as caught:
            await host.send()
        assert "fire" not in str(caught.value)
    assert any(record.levelno == logging.ERROR and record.exc_info for record in caplog.records)


async def test_what_a_subscriber_has_seen_is_in_the_task_that_is_read_afterwards():
    """Also between the end of a run and its last transaction."""
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        write(turn, "seen")
        await go.wait()

    store = Vault()
    async with serving(work, store=store, limits=Limits(chunk_delay=timedelta(seconds=60))) as host:
        stream = await host.stream()
        items = await take(stream, 3)
        task_id = items[0].event.task.id  # type: ignore[union-attr]
        store.open.clear()
        go.set()
        await until(lambda: not host.runs)
        reading = asyncio.create_task(host.get(task_id))
        await turns()
        store.open.set()
        assert (await reading).text == "seen"
        await drain(stream)
