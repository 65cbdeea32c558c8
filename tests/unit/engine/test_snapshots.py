"""What is written of a task beside its log stays in proportion to what was said."""

from datetime import timedelta

from dragoman.engine import Limits, Turn
from dragoman.engine.live import LiveTask, load_task
from dragoman.model import TaskStatus
from dragoman.store import Commit
from tests.unit.engine.kit import (
    ANYONE,
    COMPLETED,
    INPUT_REQUIRED,
    WORKING,
    Host,
    MovableClock,
    message,
    nothing,
    question,
    said,
    serving,
    write,
)

REPLIES = 300


async def ask_for_ever(turn: Turn) -> None:
    answer = None
    while answer is None or answer.text != "enough":
        answer = await turn.ask(question(turn, "what else?"))


def snapshots(host: Host) -> list[Commit]:
    return [commit for batch in host.store.batches for commit in batch if commit.snapshot is not None]


async def test_a_long_conversation_is_not_written_anew_at_each_turn():
    async with serving(ask_for_ever, limits=Limits(max_history=10_000)) as host:
        task = await host.send()
        scope = host.engine._roster.scope_of(ANYONE)
        for number in range(REPLIES):
            task = await host.send(f"number {number}", task_id=task.id)
            stored = await host.store.load(scope, task.id)
            assert stored is not None
            assert load_task(stored) == await host.get(task.id)
            assert sum(map(len, stored.tail)) <= len(stored.snapshot or b"") / 4 + 2_000
        written = sum(len(entry) for batch in host.store.batches for one in batch for entry in one.entries)
        assert len(snapshots(host)) < REPLIES / 5
        assert sum(len(commit.snapshot or b"") for commit in snapshots(host)) < 5 * written
        assert (await host.send("enough", task_id=task.id)).state is COMPLETED
        assert snapshots(host)[-1].last == host.store.batches[-1][-1].last


async def test_a_task_that_comes_and_goes_between_its_turns_gets_its_snapshots_all_the_same():
    async with serving(ask_for_ever) as host:
        task = await host.send()
        store, scope = host.store, host.engine._roster.scope_of(ANYONE)
        longest = 0
        for number in range(REPLIES):
            stored = await store.load(scope, task.id)
            assert stored is not None
            longest = max(longest, len(stored.tail))
            await store.commit([take_turn(LiveTask.revive(stored, max_window_bytes=0), number)])
        assert said(await host.get(task.id))[-REPLIES:] == [f"number {number}" for number in range(REPLIES)]
        assert longest < REPLIES


def take_turn(live: LiveTask, number: int) -> Commit:
    live.receive(message(f"number {number}", task_id=live.task_id, context_id=live.context_id))
    live.set_status(TaskStatus(state=WORKING))
    live.set_status(TaskStatus(state=INPUT_REQUIRED))
    commit = live.take_commit()
    assert commit is not None
    return commit


async def test_a_few_large_entries_are_written_once():
    async def echo(turn: Turn) -> None:
        write(turn, "x" * 100_000)

    clock = MovableClock()
    limits = Limits(compact_after=timedelta(hours=1), retention=timedelta(days=1))
    async with serving(echo, clock=clock, limits=limits) as host:
        task = await host.send()
        assert (task.state, len(task.text), snapshots(host)) == (COMPLETED, 100_000, [])
        assert await host.get(task.id) == task
        assert (await host.list(include_artifacts=True)).tasks == (task,)
        clock.advance(timedelta(hours=2))
        await host.engine._upkeep.tidy()
        assert await host.get(task.id) == task
        clock.advance(timedelta(days=2))
        await host.engine._upkeep.tidy()
        assert (await host.list()).total_size == 0


async def test_many_large_entries_are_not_read_one_by_one():
    async def work(turn: Turn) -> None:
        for _ in range(20):
            write(turn, "x" * 10_000, append=True)

    async with serving(work) as host:
        task = await host.send()
        stored = await host.store.load(host.engine._roster.scope_of(ANYONE), task.id)
        assert stored is not None
        assert (stored.snapshot_seq, stored.tail) == (stored.last_seq, ())


async def test_a_small_task_that_has_ended_is_read_from_its_snapshot():
    async with serving(nothing) as host:
        task = await host.send()
        stored = await host.store.load(host.engine._roster.scope_of(ANYONE), task.id)
        assert stored is not None
        assert (stored.snapshot_seq, stored.tail) == (stored.last_seq, ())
        assert said(load_task(stored)) == ["hello"]
