"""What becomes of tasks whose process stopped or died, and of a stop while everything is under way (I3, I4)."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dragoman.bus import LocalBus
from dragoman.engine import Call, Engine, Limits, Turn
from dragoman.engine.turn import RunTurn
from dragoman.model import (
    A2AError,
    AgentCapabilities,
    InvalidParamsError,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    TaskState,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.security import Principal
from dragoman.store import Commit, PushRegistration, TaskHeader, TaskStore
from dragoman.store.sqlite import SqliteTaskStore
from tests.unit.engine.kit import (
    ADA,
    ANYONE,
    CANCELED,
    COMPLETED,
    FAILED,
    INPUT_REQUIRED,
    QUICK,
    WORKING,
    Host,
    MovableClock,
    Receiver,
    ScriptedHandler,
    Stage,
    Vault,
    Work,
    drain,
    nothing,
    question,
    refold,
    said,
    say,
    serving,
    states,
    take,
    turns,
    until,
    why,
    write,
)

LOST = "the agent stopped while it worked on this task, and cannot go on with it; please send it again"


async def introduce(turn: Turn) -> None:
    name = await turn.ask(question(turn, "name?"))
    age = await turn.ask(question(turn, "age?"))
    write(turn, f"{name.text} is {age.text}")


def idempotent(work: Work) -> ScriptedHandler:
    return ScriptedHandler(work, is_idempotent=True)


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], TaskStore]:
    """Stores over the same data, one for each engine after the other."""
    vault = Vault()
    if request.param == "memory":
        return lambda: vault
    return lambda: SqliteTaskStore(tmp_path / "tasks.db")


@asynccontextmanager
async def dying(work: Work | ScriptedHandler, store: Vault) -> AsyncIterator[Host]:
    """An engine whose process dies: it tells the store nothing, and its lease has run out by the next look."""
    async with serving(work, store=store) as host:
        yield host
        kept = store._alive_until.copy(), {t: (r.holder, r.fence) for t, r in store._tasks.items()}
        store.is_down = True
    store.is_down = False
    assert kept[1] == {t: (r.holder, r.fence) for t, r in store._tasks.items()}
    store._alive_until.clear()


async def ask_or_linger(turn: Turn) -> None:
    text = turn.request.message.text
    if text == "ask":
        await introduce(turn)
    elif text == "work":
        write(turn, "half")
        await asyncio.sleep(60)


async def test_completed_parked_and_working_tasks_after_a_restart(make_store: Callable[[], TaskStore]):
    work = ask_or_linger
    async with serving(work, store=make_store()) as host:
        done = await host.send("done")
        parked = await host.send("ask")
        working = await host.begin("work")
        await host.reached(working.id, WORKING)
    async with serving(work, store=make_store()) as host:
        assert await host.get(done.id) == done
        lost = await host.ended(working.id)
        assert lost.state is FAILED
        assert why(lost) == LOST
        assert lost.text == "half"
        waiting = await host.get(parked.id)
        assert waiting.state is INPUT_REQUIRED
        assert why(waiting) == "name?"
        await until(lambda: host.is_idle)
        stored = await host.store.load(host.engine._roster.scope_of(ANYONE), parked.id)
        assert stored.holder == ""


async def test_a_working_task_runs_again_if_it_may_be(make_store: Callable[[], TaskStore]):
    runs: list[Turn] = []
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        runs.append(turn)
        write(turn, "result")
        await go.wait()

    ada = Call(
        Principal(subject="ada", tenant="acme", scopes=frozenset({"read", "write"}), claims={"email": "a@b"}),
        extensions=("urn:x",),
    )
    async with serving(idempotent(work), store=make_store()) as host:
        request = say("job", now=True, metadata={"skill": "x"})
        task = (await host.engine.send(ada, request)).task
        assert task is not None
        await until(lambda: runs)
    go.set()
    async with serving(idempotent(work), store=make_store()) as host:
        done = await host.ended(task.id, call=ada)
        assert done.state is COMPLETED
        assert done.text == "result"
        first, second = runs
        assert second.call == first.call
        assert second.request.metadata == {"skill": "x"}
        assert second.request.message.text == "job"
        assert (second.task_id, second.context_id) == (first.task_id, first.context_id)
        assert host.handler.admitted[0][1] == ada
        await until(lambda: host.is_idle)


async def test_a_parked_task_is_answered_after_a_restart_and_goes_on(make_store: Callable[[], TaskStore]):
    async with serving(idempotent(introduce), store=make_store()) as host:
        task = await host.send("hi")
    async with serving(idempotent(introduce), store=make_store()) as host:
        asked = await host.send("Ada", task_id=task.id)
        assert asked.state is INPUT_REQUIRED
        assert why(asked) == "age?"
    async with serving(idempotent(introduce), store=make_store()) as host:
        items = await drain(await host.stream("36", task_id=task.id))
        assert states(items)[-1] is COMPLETED
        done = await host.get(task.id)
        assert done.text == "Ada is 36"
        assert said(done) == ["hi", "name?", "Ada", "age?", "36"]


async def test_messages_that_the_dead_run_had_not_read_reach_the_next_one_in_order():
    read: list[str] = []
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        await go.wait()
        while len(read) < 3:
            read.append((await turn.next_message()).text)

    store = Vault()
    async with dying(idempotent(work), store) as host:
        task = await host.begin("0")
        await host.begin("1", task_id=task.id)
        await host.begin("2", task_id=task.id)
        await until(lambda: host.lives[task.id].is_level)
    go.set()
    async with serving(idempotent(work), store=store) as host:
        await until(lambda: read == ["1", "2"])
        done = await host.send("3", task_id=task.id)
        assert done.state is COMPLETED
        assert read == ["1", "2", "3"]
        assert said(done) == ["0", "1", "2", "3"]


async def test_what_was_said_before_does_not_count_against_the_queue():
    async def work(turn: Turn) -> None:
        for _ in range(6):
            await turn.ask(question(turn, "more?"))

    store = Vault()
    limits = Limits(max_queued_messages=1)
    async with serving(idempotent(work), store=store, limits=limits) as host:
        task = await host.send("0")
        for number in range(1, 5):
            await host.send(str(number), task_id=task.id)
    async with serving(idempotent(work), store=store, limits=limits) as host:
        assert (await host.send("5", task_id=task.id)).state is INPUT_REQUIRED
        assert (await host.send("6", task_id=task.id)).state is COMPLETED


async def test_an_answer_to_a_task_that_cannot_go_on_is_told_so():
    store = Vault()
    async with serving(introduce, store=store) as host:
        tasks = [await host.send("hi") for _ in range(3)]
    without_skill = ScriptedHandler(introduce, refusal=InvalidParamsError("no such skill"))
    async with serving(without_skill, store=store) as host:
        answered = await host.send("Ada", task_id=tasks[0].id)
        assert answered.state is FAILED
        assert why(answered) == LOST
        assert (await host.begin("Ada", task_id=tasks[1].id)).state is FAILED
        [item] = await drain(await host.stream("Ada", task_id=tasks[2].id))
        assert states([item]) == [FAILED]
        for task in tasks:
            with pytest.raises(UnsupportedOperationError):
                await host.send(task_id=task.id)
        await until(lambda: host.is_idle)


async def test_a_task_that_the_agent_would_not_admit_today_is_failed():
    store = Vault()
    stage = Stage()
    async with serving(idempotent(stage), store=store) as host:
        first = await host.begin()
    handler = ScriptedHandler(stage, is_idempotent=True, refusal=InvalidParamsError("no such skill"))
    async with serving(handler, store=store) as host:
        assert why(await host.ended(first.id)) == LOST
    handler.refusal = KeyError("secret")
    async with dying(idempotent(stage), store) as host:
        second = await host.begin()
        await until(lambda: host.lives[second.id].is_level)
    async with serving(handler, store=store) as host:
        assert why(await host.ended(second.id)) == LOST


async def test_two_answers_at_once_to_a_parked_task_of_a_dead_process_make_one_run():
    runs: list[Turn] = []

    async def work(turn: Turn) -> None:
        runs.append(turn)
        await introduce(turn)

    store = Vault()
    async with dying(idempotent(work), store) as host:
        task = await host.send("hi")
    async with serving(idempotent(work), store=store, limits=QUICK) as host:
        async with asyncio.TaskGroup() as group:
            sends = [group.create_task(host.send(text, task_id=task.id)) for text in ("Ada", "36")]
        assert {send.result().state for send in sends} <= {COMPLETED, INPUT_REQUIRED}
        assert len(runs) == 2  # one in each life
        assert (await host.get(task.id)).text == "Ada is 36"


@pytest.mark.parametrize("delay", range(8))
async def test_an_answer_and_the_sweep_at_once_make_one_run(delay: int):
    store = Vault()
    runs: list[Turn] = []
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        runs.append(turn)
        await go.wait()
        await turn.next_message()

    async with dying(idempotent(work), store) as host:
        task = await host.begin("hi")
        await until(lambda: runs and host.lives[task.id].is_level)
    go.set()
    async with serving(idempotent(work), store=store) as host:
        await turns(delay)
        assert (await host.send("go on", task_id=task.id)).state is COMPLETED
        assert len(runs) == 2


async def test_cancelling_tasks_that_nobody_runs():
    store = Vault()
    async with dying(introduce, store) as host:
        parked = await host.send("hi")
        twice = await host.send("hi")
    async with serving(introduce, store=store) as host:
        assert (await host.cancel(parked.id)).state is CANCELED
        async with asyncio.TaskGroup() as group:
            cancels = [group.create_task(_cancel(host, twice.id)) for _ in range(3)]
        outcomes = sorted(cancel.result() for cancel in cancels)
        assert outcomes == ["CANCELED", "refused", "refused"]
        stored = await store.read(twice.id, 0, 100)
        assert sum(b"TASK_STATE_CANCELED" in entry for entry in stored) == 1
        with pytest.raises(TaskNotCancelableError):
            await host.cancel(parked.id)
        await until(lambda: host.is_idle and not host.engine._roster.unattended)


async def _cancel(host: Host, task_id: str) -> str:
    try:
        return (await host.cancel(task_id)).state.name
    except TaskNotCancelableError:
        return "refused"


async def test_answer_and_cancel_at_once_of_a_task_that_nobody_runs():
    store = Vault()
    async with dying(idempotent(introduce), store) as host:
        tasks = [await host.send("hi") for _ in range(6)]
    async with serving(idempotent(introduce), store=store) as host:
        for delay, task in enumerate(tasks):
            answering = asyncio.create_task(host.begin("Ada", task_id=task.id))
            await turns(delay)
            assert (await host.cancel(task.id)).state is CANCELED
            await asyncio.wait([answering])
            assert answering.exception() is None or isinstance(
                answering.exception(), UnsupportedOperationError
            )
        await until(lambda: host.is_idle)


@pytest.mark.parametrize("shares_bus", [True, False])
async def test_messages_and_cancels_reach_the_process_that_runs_the_task(shares_bus: bool):
    async def work(turn: Turn) -> None:
        write(turn, (await turn.next_message()).text)
        turn.status(WORKING, question(turn, "heard"))
        await asyncio.sleep(60)

    store, bus = Vault(), LocalBus()
    other_bus = bus if shares_bus else LocalBus()
    async with (
        serving(work, store=store, bus=bus) as host,
        serving(work, store=store, bus=other_bus) as other,
    ):
        task = await host.begin()
        told = await other.begin("Ada", task_id=task.id)
        assert said(told) == ["hello", "Ada"]
        await until(lambda: host.lives[task.id].task().text == "Ada")
        assert not other.runs
        assert (await other.cancel(task.id)).state is CANCELED
        with pytest.raises(UnsupportedOperationError):
            await other.send(task_id=task.id)
        await until(lambda: host.is_idle and other.is_idle)


@pytest.mark.parametrize("crowd", [2, 50])
async def test_many_sends_under_one_key_make_one_task_whichever_process_gets_them(crowd: int):
    store = Vault()
    runs: list[str] = []

    async def work(turn: Turn) -> None:
        runs.append(turn.task_id)
        write(turn, "done")

    call = replace(ANYONE, idempotency_key="k1")
    async with serving(work, store=store) as host, serving(work, store=store) as other:
        sends = [one.send("pay", call=call) for _ in range(crowd) for one in (host, other)]
        async with asyncio.TaskGroup() as group:
            sending = [group.create_task(send) for send in sends]
        tasks = [sent.result() for sent in sending]
        assert len({task.id for task in tasks}) == 1
        assert all(task == tasks[0] and task.state is COMPLETED for task in tasks)
        assert runs == [tasks[0].id]
        with pytest.raises(InvalidParamsError, match="another request"):
            await host.send("pay more", call=call)
    async with serving(work, store=store) as later:
        assert (await later.send("pay", call=call)).id == tasks[0].id
        items = await drain(await later.stream("pay", call=call))
        assert refold(items) == tasks[0]
    assert len(runs) == 1


async def test_a_message_under_one_key_is_heard_once():
    store = Vault()
    async with serving(introduce, store=store) as host:
        task = await host.send("hi")
        call = replace(ANYONE, idempotency_key="k2")
        first = await host.send("Ada", call=call, task_id=task.id)
        assert first.state is INPUT_REQUIRED
        again = await host.send("Ada", call=call, task_id=task.id)
        assert said(again) == said(first)


@pytest.mark.parametrize("shares_bus", [True, False])
async def test_a_subscriber_in_another_process_sees_the_same_events(shares_bus: bool):
    orders: asyncio.Queue[Callable[[Turn], None] | None] = asyncio.Queue()

    async def work(turn: Turn) -> None:
        while (order := await orders.get()) is not None:
            order(turn)

    store, bus = Vault(), LocalBus()
    async with (
        serving(work, store=store, bus=bus, limits=QUICK) as host,
        serving(work, store=store, bus=bus if shares_bus else LocalBus(), limits=QUICK) as other,
    ):
        here = await host.stream()
        task_id = next(iter(host.lives))
        await until(lambda: host.lives[task_id].durable == 2)
        streams = [await other.subscribe(task_id) for _ in range(3)]
        await streams[0].aclose()
        await host.begin("and", task_id=task_id)
        orders.put_nowait(lambda turn: write(turn, "one "))
        orders.put_nowait(lambda turn: turn.status(WORKING, question(turn, "on it")))
        orders.put_nowait(lambda turn: write(turn, "two", append=True))
        orders.put_nowait(None)
        if not shares_bus:
            await host.ended(task_id)
            other.bus.ring(task_id)
        seen = [await drain(stream) for stream in streams[1:]]
        whole = await drain(here)
        for items in seen:
            assert [item.json for item in items[1:]] == [
                item.json for item in whole if item.seq > items[0].seq
            ]
            assert states(items)[-1] is COMPLETED
        await until(lambda: other.is_idle and not other.engine._roster._watches)


async def test_a_subscriber_elsewhere_waits_out_a_store_that_is_down(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    store, bus = Vault(), LocalBus()
    async with serving(stage, store=store, bus=bus) as host, serving(stage, store=store, bus=bus) as other:
        task = await host.begin()
        await until(lambda: host.lives[task.id].durable == 2)
        stream = await other.subscribe(task.id)
        await take(stream, 1)
        store.is_down = True
        bus.ring(task.id)
        await until(lambda: "wait until it does" in caplog.text)
        store.is_down = False
        stage.go.set()
        assert states(await drain(stream)) == [COMPLETED]


async def test_a_subscriber_follows_a_task_from_a_process_that_dies_into_the_next():
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        write(turn, "x")
        await go.wait()

    store, bus, clock = Vault(), LocalBus(), MovableClock()
    limits = Limits(lease=timedelta(milliseconds=3), chunk_delay=timedelta(0))
    dead = Engine(
        name="agent",
        handler=idempotent(work),
        store=store,
        bus=bus,
        capabilities=AgentCapabilities(streaming=True),
        limits=Limits(),
        clock=clock,
    )
    await dead.start()
    task = (await dead.send(ANYONE, say(now=True))).task
    assert task is not None
    await until(lambda: len(store._tasks[task.id].log) == 3 or dead._roster.lives[task.id].undurable_bytes)
    async with serving(idempotent(work), store=store, bus=bus, clock=clock, limits=limits) as host:
        stream = await host.subscribe(task.id)
        await take(stream, 1)
        store._alive_until.pop(dead._roster.holder)
        clock.advance(timedelta(seconds=1))
        store._alive_until[dead._roster.holder] = 0
        await until(lambda: host.runs)
        go.set()
        items = await drain(stream)
        assert states(items)[-1] is COMPLETED
        assert (await host.get(task.id)).state is COMPLETED
        await dead.stop()


async def test_more_orphans_than_one_sweep_takes_are_all_settled():
    store = Vault()
    stage = Stage()
    async with dying(stage, store) as host:
        for _ in range(230):
            await host.begin()
        await until(lambda: all(live.is_level for live in host.lives.values()))
    async with serving(stage, store=store) as host:
        await until(lambda: all(row.header.state is FAILED for row in store._tasks.values()))
        await until(lambda: host.is_idle)


async def test_a_log_that_cannot_be_read_keeps_no_other_task_from_being_settled(
    caplog: pytest.LogCaptureFixture,
):
    store = Vault()
    stage = Stage()
    async with dying(stage, store) as host:
        tasks = [await host.begin() for _ in range(3)]
        await until(lambda: all(live.is_level for live in host.lives.values()))
    store._tasks[tasks[0].id].log = [b"{}"]
    async with serving(stage, store=store) as host:
        for task in tasks[1:]:
            assert (await host.ended(task.id)).state is FAILED
        await until(lambda: host.is_idle and not host.engine._roster.unattended)
    assert f"task {tasks[0].id} was left behind, and cannot be taken up" in caplog.text


async def test_a_sweep_that_fails_halfway_is_made_up_for():
    store = Vault()
    stage = Stage()
    async with dying(stage, store) as host:
        tasks = [await host.begin() for _ in range(4)]
        await until(lambda: all(live.is_level for live in host.lives.values()))
    claim, left = store.claim, 2

    async def claim_twice(*args):
        nonlocal left
        left -= 1
        stored = await claim(*args)
        if left < 0 and left > -4:
            raise UnavailableError("the connection broke after the claim")
        return stored

    store.claim = claim_twice  # type: ignore[method-assign]
    async with serving(stage, store=store, limits=Limits(lease=timedelta(milliseconds=3))) as host:
        for task in tasks:
            assert (await host.ended(task.id)).state is FAILED
        await until(lambda: not host.engine._roster.unattended)


async def test_an_answer_whose_caller_hangs_up_in_the_middle_leaves_the_task_waiting():
    store = Vault()
    async with dying(idempotent(introduce), store) as host:
        task = await host.send("hi")
    async with serving(idempotent(introduce), store=store) as host:
        await until(lambda: not store._held)
        for delay in range(6):
            answering = asyncio.create_task(host.begin(f"{delay}", task_id=task.id))
            await turns(delay)
            answering.cancel()
            await asyncio.wait([answering])
            host.engine._roster.left.set()
            await until(lambda: not host.engine._roster.unattended)
            found = await host.get(task.id)
            if found.state is not INPUT_REQUIRED or why(found) != "name?":
                break
        else:
            assert (await host.send("Ada", task_id=task.id)).state is INPUT_REQUIRED


async def ask_on(turn: Turn) -> None:
    await turn.ask(question(turn, "?"))


async def chatter(turn: Turn) -> None:
    while True:
        write(turn, "x", append=True)
        await asyncio.sleep(0)


async def listen(turn: Turn) -> None:
    await turn.next_message()


async def clean_up(turn: Turn) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)
        turn.status(FAILED)


async def be_quick(turn: Turn) -> None:
    await turns(3)


async def test_stopping_while_everything_is_under_way_and_starting_again():
    ways = itertools.cycle([ask_on, chatter, listen, clean_up, be_quick])

    async def work(turn: Turn) -> None:
        await next(ways)(turn)

    store = Vault()
    limits = Limits(max_runs=20, chunk_delay=timedelta(milliseconds=1), cancel_grace=timedelta(seconds=1))
    async with serving(work, store=store, limits=limits) as host:
        tasks = [await host.begin() for _ in range(40)]
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(_outcome(host.send(task_id=task.id))) for task in tasks[:10]]
            callers += [group.create_task(_outcome(host.send())) for _ in range(10)]
            callers += [group.create_task(_outcome(_read(host, task.id))) for task in tasks[10:20]]
            callers += [group.create_task(_outcome(host.cancel(task.id))) for task in tasks[20:25]]
            await turns(8)
            await host.engine.stop()
            await host.engine.stop()
        allowed = {"done", "UnavailableError", "UnsupportedOperationError", "TaskNotCancelableError"}
        assert {caller.result() for caller in callers} <= allowed
        assert host.is_idle
    assert not any(b"cannot go on" in row.log[-1] for row in store._tasks.values())
    async with serving(nothing, store=store, limits=limits) as host:
        await until(lambda: not store._held)
        for task in tasks:
            found = await host.get(task.id)
            assert found.state.is_terminal or found.state is INPUT_REQUIRED
        await until(lambda: host.is_idle)


async def _outcome(call) -> str:
    try:
        await call
    except A2AError as error:
        return type(error).__name__
    return "done"


async def _read(host: Host, task_id: str) -> None:
    stream = await host.subscribe(task_id)
    try:
        await drain(stream)
    finally:
        await stream.aclose()


async def test_a_cancel_under_way_is_recorded_before_the_process_stops():
    stage = Stage()
    store = Vault()

    async def work(turn: Turn) -> None:
        try:
            await stage(turn)
        finally:
            await asyncio.sleep(60)

    limits = Limits(cancel_grace=timedelta(seconds=60))
    async with serving(work, store=store, limits=limits) as host:
        task = await host.begin()
        await stage.begun.wait()
        canceling = asyncio.create_task(host.cancel(task.id))
        await turns()
        assert not canceling.done()
        await host.engine.stop()
        assert (await canceling).state is CANCELED
    assert store._tasks[task.id].header.state is CANCELED


async def test_stopping_is_bounded_when_a_skill_ignores_cancellation(caplog: pytest.LogCaptureFixture):
    stage = Stage()

    async def work(turn: Turn) -> None:
        while not stage.go.is_set():
            try:
                await stage(turn)
            except asyncio.CancelledError:
                continue

    store = Vault()
    async with serving(work, store=store, leaves_tasks=True) as host:
        task = await host.begin()
        await stage.begun.wait()
    assert "ignores cancellation" in caplog.text
    assert store._tasks[task.id].header.state is WORKING
    stage.go.set()
    await until(lambda: not host.engine._nursery._children)
    assert host.engine._nursery._keeper is not None
    await host.engine._nursery._keeper


@pytest.mark.parametrize("may_reply", [False, True])
async def test_stopping_before_a_run_took_a_single_step(may_reply: bool):
    async with serving(ScriptedHandler(nothing, may_reply=may_reply)) as host:
        sending = asyncio.create_task(host.send())
        await until(lambda: host.runs)
        await host.engine.stop()
        await asyncio.wait([sending])
        assert sending.exception() is None or isinstance(sending.exception(), UnavailableError)


async def test_stopping_with_a_store_that_is_down_closes_all_the_same(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    store = Vault()
    closed: list[str] = []

    class Bus(LocalBus):
        async def __aexit__(self, *exc_info: object) -> None:
            closed.append("bus")

    async with serving(stage, store=store, bus=Bus()) as host:
        await host.begin()
        store.is_down = True
    assert closed == ["bus"]
    assert not host.engine.is_running
    assert "others wait for the lease to run out" in caplog.text


async def test_stopping_does_not_wait_for_ever_for_a_store_that_takes_nothing(
    caplog: pytest.LogCaptureFixture,
):
    store = Vault()
    async with serving(nothing, store=store, limits=Limits(lease=timedelta(milliseconds=5))) as host:
        store.open.clear()
        sending = asyncio.create_task(host.send())
        await until(lambda: store.waiting)
    with pytest.raises(UnavailableError):
        await sending
    assert "does not take what was said last" in caplog.text


async def test_a_start_that_fails_closes_what_it_opened():
    opened: list[str] = []

    class Closing(Vault):
        async def __aexit__(self, *exc_info: object) -> None:
            opened.append("store closed")

    class Bus(LocalBus):
        async def __aexit__(self, *exc_info: object) -> None:
            opened.append("bus closed")

    store = Closing()
    store.is_down = True
    engine = Engine(
        name="agent",
        handler=ScriptedHandler(nothing),
        store=store,
        bus=Bus(),
        capabilities=AgentCapabilities(),
    )
    before = asyncio.all_tasks()
    with pytest.raises(UnavailableError):
        await engine.start()
    assert opened == ["bus closed", "store closed"]
    assert asyncio.all_tasks() == before
    await engine.stop()
    store.is_down = False
    await engine.start()
    await engine.start()
    assert engine.is_running
    await engine.stop()


async def test_the_lease_is_kept_while_the_engine_runs():
    store, clock = Vault(), MovableClock()
    async with serving(nothing, store=store, clock=clock, limits=Limits(lease=timedelta(milliseconds=3))):
        [until_first] = store._alive_until.values()
        clock.advance(timedelta(seconds=10))
        await until(lambda: next(iter(store._alive_until.values())) > until_first + 9_000)
    assert store._alive_until == {}


async def test_webhooks_of_a_task_survive_its_process():
    store, receiver = Vault(), Receiver()
    stage = Stage()
    async with dying(stage, store) as host:
        task = await host.begin()
        await until(lambda: host.lives[task.id].is_level)
    scope = host.engine._roster.scope_of(ANYONE)
    await store.put_push(scope, task.id, PushRegistration("p", b'{"url":"https://x.example"}', 2))
    async with serving(stage, store=store, sender=receiver) as host:
        await host.ended(task.id)
        host.bus.ring("push")
        await until(lambda: receiver.got)
        assert b"TASK_STATE_FAILED" in receiver.got[0][2]


async def test_tasks_of_another_agent_in_the_same_store_are_left_alone():
    store = Vault()
    stage = Stage()
    async with dying(stage, store) as host:
        task = await host.begin()
        await until(lambda: host.lives[task.id].is_level)
    async with serving(stage, store=store, name="other") as other:
        await turns(50)
        assert store._tasks[task.id].header.state is WORKING
        with pytest.raises(TaskNotFoundError):
            await other.get(task.id)


async def test_a_task_that_ended_elsewhere_while_it_was_looked_up_is_seen_to_have_ended():
    """Another process ends it between the look at the store and the claim."""
    store = Vault()
    async with dying(introduce, store) as host:
        answered, canceled = [await host.send("hi") for _ in range(2)]
    async with serving(introduce, store=store) as host:
        await until(lambda: not store._held)
        claim = store.claim

        async def end_first(task_id, *args):
            row = store._tasks[task_id]
            status = b'{"statusUpdate":{"taskId":"t","contextId":"c","status":{"state":"TASK_STATE_FAILED"}}}'
            await store.commit(
                [
                    Commit(
                        scope=row.owned.scope,
                        task_id=task_id,
                        fence=row.fence,
                        first=row.last_seq + 1,
                        entries=(status,),
                        header=TaskHeader(TaskState.FAILED, 0),
                    )
                ]
            )
            return await claim(task_id, *args)

        store.claim = end_first  # type: ignore[method-assign]
        with pytest.raises(UnsupportedOperationError):
            await host.send("Ada", task_id=answered.id)
        with pytest.raises(TaskNotCancelableError):
            await host.cancel(canceled.id)
        await until(lambda: host.is_idle)


async def test_recovery_looks_again_after_an_error_that_no_store_should_raise(
    caplog: pytest.LogCaptureFixture,
):
    store = Vault()
    orphans, failing = store.orphans, 2

    async def odd_orphans(*args):
        nonlocal failing
        failing -= 1
        if failing >= 0:
            raise OSError("odd")
        return await orphans(*args)

    store.orphans = odd_orphans  # type: ignore[method-assign]
    caplog.set_level(logging.ERROR)
    async with serving(nothing, store=store, limits=Limits(lease=timedelta(milliseconds=3))) as host:
        await until(lambda: failing < 0)
        assert (await host.send(call=ADA)).state is COMPLETED


async def test_a_stop_that_is_cancelled_leaves_nothing_running():
    store = Vault()
    async with serving(nothing, store=store) as host:
        store.open.clear()
        sending = asyncio.create_task(host.send())
        await until(lambda: store.waiting)
        stopping = asyncio.create_task(host.engine.stop())
        await turns()
        stopping.cancel()
        await asyncio.wait([stopping, sending])
        assert stopping.cancelled()
        assert isinstance(sending.exception(), UnavailableError)
        assert not host.engine._nursery._children


async def test_the_lease_is_renewed_after_an_error_that_no_store_should_raise(
    caplog: pytest.LogCaptureFixture,
):
    store = Vault()
    beat, beats = store.beat, 0

    async def odd_beat(*args):
        nonlocal beats
        beats += 1
        if beats == 2:
            raise OSError("odd")
        await beat(*args)

    store.beat = odd_beat  # type: ignore[method-assign]
    async with serving(nothing, store=store, limits=Limits(lease=timedelta(milliseconds=3))):
        await until(lambda: beats > 3)
    assert "could not be renewed" in caplog.text


async def test_rings_that_are_lost_cost_a_subscriber_elsewhere_only_time(monkeypatch: pytest.MonkeyPatch):
    class Deaf(LocalBus):
        def ring(self, topic: str) -> None:
            """Nobody hears it."""

    monkeypatch.setattr("dragoman.engine.roster._LOOK_EVERY_SECONDS", 0.001)
    stage = Stage()
    store = Vault()
    async with (
        serving(stage, store=store, bus=Deaf()) as host,
        serving(stage, store=store, bus=Deaf()) as other,
    ):
        task = await host.begin()
        stream = await other.subscribe(task.id)
        stage.go.set()
        items = await drain(stream)
        assert states(items)[-1] is COMPLETED
        assert [item.seq for item in items[1:]] == list(range(items[0].seq + 1, items[-1].seq + 1))


async def test_two_who_catch_up_at_once_read_each_entry_once():
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store) as host, serving(stage, store=store) as other:
        task = await host.begin()
        stream = await other.subscribe(task.id)
        await until(lambda: len(store._tasks[task.id].log) == 2)
        live = other.lives[task.id]
        await until(lambda: live.tip == 2)
        write(stage.turn, "x")
        stage.turn.status(WORKING)
        await until(lambda: len(store._tasks[task.id].log) == 4)
        read, held = store.read, asyncio.Event()

        async def read_slowly(*args):
            entries = await read(*args)
            await held.wait()
            return entries

        store.read = read_slowly  # type: ignore[method-assign]
        catching = [asyncio.create_task(other.engine._roster.catch_up(live)) for _ in range(3)]
        await turns()
        held.set()
        await asyncio.wait(catching)
        assert live.tip == live.visible == 4
        stage.go.set()
        other.bus.ring(task.id)
        await until(lambda: len(store._tasks[task.id].log) == 5)
        other.bus.ring(task.id)
        assert [item.seq for item in await drain(stream)][1:] in ([3, 4, 5], [2, 3, 4, 5])


async def test_a_message_whose_task_is_lost_while_its_webhook_is_registered_is_answered_by_what_becomes_of_it():
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store, sender=Receiver()) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        put_push = store.put_push

        async def lose_meanwhile(*args):
            store.failures.append(UnavailableError())
            stage.turn.status(WORKING)
            await until(lambda: not store.failures)
            return await put_push(*args)

        store.put_push = lose_meanwhile  # type: ignore[method-assign]
        lost = await host.send(task_id=task.id, push=TaskPushNotificationConfig(url="https://x.example"))
        assert (lost.state, why(lost), said(lost)) == (FAILED, LOST, ["hello"])
        assert len(await store.list_push(host.engine._roster.scope_of(ANYONE), task.id) or ()) == 1


async def test_what_is_left_behind_while_the_store_is_down_is_counted_and_bounded(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("dragoman.engine.roster._MOST_UNATTENDED", 3)
    store = Vault()
    async with serving(nothing, store=store) as host:
        store.is_down = True
        for _ in range(6):
            with pytest.raises(UnavailableError):
                await host.send()
        assert len(host.engine._roster.unattended) == 3
        assert host.is_idle


async def test_a_run_that_somebody_else_cancels_says_nothing():
    """Such as asyncio.run() does with every task when the program ends."""
    stage = Stage()
    store = Vault()
    async with serving(idempotent(stage), store=store) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        host.runs[task.id]._working.cancel()
        await until(lambda: not host.runs)
        assert store._tasks[task.id].header.state is WORKING
    stage.go.set()
    async with serving(idempotent(stage), store=store) as host:
        assert (await host.ended(task.id)).state is COMPLETED


async def test_a_run_that_is_thrown_away_says_nothing():
    """Such as the interpreter does with coroutines when it ends."""
    store = Vault()
    async with serving(Stage(), store=store) as host:
        task = await host.begin()
        live = host.lives[task.id]
        await until(lambda: live.is_level)
        coroutine = host.runs[task.id]._work(RunTurn(host.runs[task.id]))
        coroutine.send(None)
        tip = live.tip
        coroutine.close()
        assert live.tip == tip


async def test_nothing_follows_a_task_elsewhere_once_its_last_subscriber_has_left():
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store) as host, serving(stage, store=store) as other:
        task = await host.begin()
        await until(lambda: len(store._tasks[task.id].log) == 2)
        children = len(other.engine._nursery._children)
        for _ in range(5):
            streams = [await other.subscribe(task.id) for _ in range(2)]
            await turns()
            assert len(other.engine._nursery._children) == children + 1
            for stream in streams:
                await stream.aclose()
            await turns()
            assert len(other.engine._nursery._children) == children
            assert other.is_idle


async def test_a_cancel_whose_task_is_lost_and_taken_up_again_meanwhile_does_not_hit_the_new_run():
    stage = Stage()
    store = Vault()
    async with serving(idempotent(stage), store=store) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        claim, held = store.claim, asyncio.Event()

        async def claim_slowly(*args):
            stored = await claim(*args)
            await held.wait()
            return stored

        store.claim = claim_slowly  # type: ignore[method-assign]
        live = host.lives[task.id]
        store.failures.append(UnavailableError())
        stage.turn.status(WORKING)
        await until(lambda: live.error is not None)
        await turns()
        canceling = asyncio.create_task(host.engine._recovery.cancel(live))
        await turns()
        held.set()
        await asyncio.wait([canceling])
        assert isinstance(canceling.exception(), UnavailableError)
        stage.go.set()
        assert (await host.ended(task.id)).state is COMPLETED


async def test_an_end_that_is_being_written_is_not_fenced_off_by_the_next_caller():
    store = Vault()
    async with dying(introduce, store) as host:
        task = await host.send("hi")
    async with serving(introduce, store=store) as host:
        await until(lambda: not store._held)
        store.open.clear()
        first = asyncio.create_task(host.cancel(task.id))
        await until(lambda: host.lives and not host.lives[task.id].is_level)
        second = asyncio.create_task(host.cancel(task.id))
        third = asyncio.create_task(host.send("Ada", task_id=task.id))
        reading = asyncio.create_task(host.get(task.id))
        host.engine._roster.unattended[task.id] = None
        host.engine._roster.left.set()
        await turns()
        store.open.set()
        await asyncio.wait([first, second, third, reading])
        assert first.result().state is CANCELED
        assert isinstance(second.exception(), TaskNotCancelableError)
        assert isinstance(third.exception(), UnsupportedOperationError)
        assert reading.result().state is CANCELED
        await until(lambda: host.is_idle)
