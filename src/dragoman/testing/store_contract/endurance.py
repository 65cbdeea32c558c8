"""What holds under load, under strange values, and before and after the store's life."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dragoman.model import UnavailableError
from dragoman.store import ContextState, KeyRecord, PushDelivery, Scope, TaskQuery, TaskStore
from dragoman.testing.store_contract.samples import (
    ACCEPTED,
    DUPLICATE,
    SCOPE,
    STALE,
    StoreContract,
    accept,
    load,
    make_birth,
    make_commit,
    make_key,
    make_push,
    number,
    post,
    read_all,
)

PUSH = make_push()
DELIVERY = PushDelivery(SCOPE, "task", "hook", PUSH.config, cursor=1, last_seq=1)

CALLS: dict[str, Callable[[TaskStore], Awaitable[object]]] = {
    "commit": lambda store: store.commit([make_birth()]),
    "load": lambda store: store.load(SCOPE, "task"),
    "read": lambda store: store.read("task", 0, 1),
    "list_tasks": lambda store: store.list_tasks(SCOPE, TaskQuery(limit=1)),
    "load_context": lambda store: store.load_context(SCOPE, "talk"),
    "beat": lambda store: store.beat("worker", 1),
    "retire": lambda store: store.retire("worker"),
    "claim": lambda store: store.claim("task", "worker", 1),
    "orphans": lambda store: store.orphans("greeter", 1, 1),
    "find_key": lambda store: store.find_key(SCOPE, "key", 1),
    "post": lambda store: store.post(SCOPE, "task", b"", limit=1, now=1),
    "signals": lambda store: store.signals("worker", 1),
    "signals_of": lambda store: store.signals_of("task"),
    "put_push": lambda store: store.put_push(SCOPE, "task", PUSH),
    "list_push": lambda store: store.list_push(SCOPE, "task"),
    "delete_push": lambda store: store.delete_push(SCOPE, "task", "hook"),
    "due_push": lambda store: store.due_push("greeter", 1, 2, 1),
    "record_push": lambda store: store.record_push(DELIVERY),
    "dead_push": lambda store: store.dead_push("greeter", 1),
    "compact": lambda store: store.compact("greeter", 1, 1),
    "forget": lambda store: store.forget("greeter", 1, 1, 1),
    "sizes": lambda store: store.sizes(),
    "check": lambda store: store.check(),
}

every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
strange_text = pytest.mark.parametrize(
    "text", ["", "a\0b", "Zoë 🦉 שלום", "'; DROP TABLE tasks; --", "%_\\", "line\nfeed", "x" * 10_000],
    ids=["empty", "nul", "unicode", "sql", "wildcards", "line-feed", "long"],
)  # fmt: skip


class EnduranceContract(StoreContract):
    """Callers that come all at once or go away, values of any size, and the store's own life."""

    async def test_commits_of_many_tasks_at_once_are_all_kept(self, store: TaskStore) -> None:
        async with asyncio.TaskGroup() as group:
            for task in range(40):
                group.create_task(grow(store, f"task-{task}", commits=10))
        for task in range(40):
            assert await read_all(store, f"task-{task}") == [*number(30)]
        assert (await store.list_tasks(SCOPE, TaskQuery(limit=1))).total == 40

    async def test_one_of_many_commits_for_the_same_place_is_accepted(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        async with asyncio.TaskGroup() as group:
            rivals = [group.create_task(store.commit([make_commit(at=n)])) for n in range(20)]
        won = [n for n, rival in enumerate(rivals) if rival.result()[0].value == "accepted"]
        stored = await load(store)
        assert (len(won), stored.last_seq) == (1, 2)
        assert stored.header.status_at == won[0]

    async def test_a_task_is_never_seen_half_written(self, store: TaskStore) -> None:
        await accept(store, make_birth(snapshot=b"1"))
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(grow_with_snapshots(store, commits=60))
            while not writing.done():
                stored = await load(store)
                assert stored.snapshot == b"%d" % stored.snapshot_seq
                assert stored.tail == number(stored.last_seq - stored.snapshot_seq, stored.snapshot_seq + 1)
                await asyncio.sleep(0)

    async def test_a_commit_whose_caller_is_cancelled_happened_whole_or_not_at_all(
        self, store: TaskStore
    ) -> None:
        await accept(store, make_birth())
        for _ in range(20):
            last = (await load(store)).last_seq
            committing = asyncio.create_task(store.commit([make_commit(first=last + 1, count=5)]))
            await asyncio.sleep(0)
            committing.cancel()
            await asyncio.wait([committing])
            await accept(store, make_birth(f"after-{last}-{id(committing)}"))
            log = await read_all(store)
            assert log == [*number(len(log))]
            assert (len(log) - last) in {0, 5}

    async def test_a_read_whose_caller_is_cancelled_disturbs_no_other(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        reading = [asyncio.create_task(store.load(SCOPE, "task")) for _ in range(10)]
        await asyncio.sleep(0)
        for task in reading[::2]:
            task.cancel()
        await asyncio.wait(reading)
        assert [await task for task in reading[1::2]] == [await load(store)] * 5

    async def test_big_entries_snapshots_and_states_are_kept(self, store: TaskStore) -> None:
        big = b'"%s"' % (b"\xc3\xa9" * 2_621_440)
        birth = make_birth(snapshot=big, context=ContextState("talk", big))
        await accept(store, replace(birth, entries=(big, b'"small"', big)))
        assert await read_all(store) == [big, b'"small"', big]
        assert (await load(store)).snapshot == big
        assert await store.load_context(SCOPE, "talk") == big

    async def test_a_task_may_have_many_entries(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=20_000))
        assert await store.read("task", 19_998, 10) == [*number(2, 19_999)]
        assert len((await load(store)).tail) == 20_000

    async def test_a_batch_may_hold_many_commits(self, store: TaskStore) -> None:
        births = [make_birth(f"task-{n:04}", snapshot=b"%d" % n, at=n) for n in range(3_000)]
        await accept(store, *births)
        page = await store.list_tasks(SCOPE, TaskQuery(limit=3_000))
        assert [task.snapshot for task in page.tasks] == [b"%d" % n for n in reversed(range(3_000))]

    @strange_text
    async def test_names_may_hold_anything(self, store: TaskStore, text: str) -> None:
        scope = Scope(agent=text, tenant=text, owner=text)
        push = make_push(text)
        context = ContextState(text, text.encode())
        await accept(store, make_birth(scope=scope, context_id=text, context=context, push=(push,)))
        await accept(
            store, make_birth("plain", scope=scope, context_id="a", context=ContextState("a", b"plain"))
        )
        stored = await load(store, "task", scope)
        assert (stored.scope, stored.context_id) == (scope, text)
        assert await store.load_context(scope, text) == text.encode()
        page = await store.list_tasks(scope, TaskQuery(limit=9, context_id=text or "a"))
        assert [task.task_id for task in page.tasks] == ["task" if text else "plain"]
        due = await store.due_push(text, 1, 2, 10)
        assert [(delivery.scope, delivery.config_id) for delivery in due] == [(scope, text)]

    @strange_text
    async def test_keys_and_signals_may_hold_anything(self, store: TaskStore, text: str) -> None:
        scope = Scope(agent=text, tenant=text, owner=text)
        key = make_key(text, digest=text.encode())
        await accept(store, make_birth(scope=scope, holder=text or "worker", key=key))
        assert await store.find_key(scope, text, 1000) == KeyRecord("task", text.encode())
        assert list(await store.commit([make_birth("other", scope=scope, key=key)])) == [DUPLICATE]
        assert await post(store, body=text.encode(), scope=scope, key=key) is DUPLICATE
        assert await post(store, body=text.encode(), scope=scope, key=make_key(text + "!")) is ACCEPTED
        assert [signal.body for signal in await store.signals(text or "worker", 9)] == [text.encode()]

    async def test_a_signal_may_be_big(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        big = b"\xff\0" * 2_621_440
        assert await post(store, body=big) is ACCEPTED
        assert [signal.body for signal in await store.signals_of("task")] == [big]

    async def test_one_of_many_commits_with_one_key_is_accepted(self, store: TaskStore) -> None:
        async with asyncio.TaskGroup() as group:
            births = [make_birth(f"task-{n}", key=make_key()) for n in range(50)]
            rivals = [group.create_task(store.commit([birth])) for birth in births]
        won = [n for n, rival in enumerate(rivals) if rival.result()[0] is ACCEPTED]
        assert len(won) == 1
        assert sum(rival.result()[0] is DUPLICATE for rival in rivals) == 49
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord(f"task-{won[0]}", make_key().digest)

    async def test_signals_posted_all_at_once_stay_within_the_limit(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        async with asyncio.TaskGroup() as group:
            posts = [group.create_task(post(store, body=b"%d" % n, limit=5)) for n in range(20)]
        accepted = [b"%d" % n for n, posted in enumerate(posts) if posted.result() is ACCEPTED]
        assert sorted(signal.body for signal in await store.signals_of("task")) == sorted(accepted)
        assert len(accepted) == 5

    async def test_nobody_delivers_what_another_delivers(self, store: TaskStore) -> None:
        await accept(store, *(make_birth(f"task-{n}", push=(make_push(),)) for n in range(30)))
        async with asyncio.TaskGroup() as group:
            rivals = [group.create_task(store.due_push(SCOPE.agent, 1, 2, 10)) for _ in range(6)]
        taken = [push.task_id for rival in rivals for push in rival.result()]
        assert sorted(taken) == sorted(f"task-{n}" for n in range(30))

    @strange_text
    async def test_ids_that_name_nothing_are_absent(self, store: TaskStore, text: str) -> None:
        await accept(store, make_birth(), make_birth("a"))
        assert await store.load(SCOPE, text) is None
        assert list(await store.read(text, 0, 10)) == []
        assert await store.load_context(SCOPE, text) is None
        assert await store.list_push(SCOPE, text) is None
        assert await store.find_key(SCOPE, text, 0) is None
        assert await post(store, text + "?") is STALE
        assert list(await store.signals_of(text)) == list(await store.signals(text, 9)) == []
        assert (await store.list_tasks(SCOPE, TaskQuery(limit=9, context_id=text or "b"))).total == 0

    async def test_the_store_says_where_it_is(self, store: TaskStore) -> None:
        assert store.location

    async def test_entering_twice_is_an_error(self, store: TaskStore) -> None:
        with pytest.raises(RuntimeError):
            await store.__aenter__()
        await accept(store, make_birth())

    @every_call
    async def test_a_closed_store_is_unavailable(
        self, tmp_path: Path, call: Callable[[TaskStore], Awaitable[object]]
    ) -> None:
        store = self.make_store(tmp_path)
        async with store:
            await accept(store, make_birth())
        with pytest.raises(UnavailableError):
            await call(store)

    @every_call
    async def test_a_store_that_was_not_entered_is_unavailable(
        self, tmp_path: Path, call: Callable[[TaskStore], Awaitable[object]]
    ) -> None:
        with pytest.raises(UnavailableError):
            await call(self.make_store(tmp_path))

    async def test_closing_finishes_the_writes_under_way(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as group, self.make_store(tmp_path) as store:
            commits = [group.create_task(store.commit([make_birth(f"task-{n}")])) for n in range(20)]
            await asyncio.sleep(0)
        assert [task.result()[0].value for task in commits] == ["accepted"] * 20


async def grow(store: TaskStore, task_id: str, commits: int) -> None:
    """A task that gets three entries at a time."""
    await accept(store, make_birth(task_id, count=3))
    for position in range(1, commits):
        await accept(store, make_commit(task_id, first=position * 3 + 1, count=3))


async def grow_with_snapshots(store: TaskStore, commits: int) -> None:
    """A task whose every third commit has a snapshot that names its number."""
    for seq in range(2, commits + 2):
        snapshot = b"%d" % seq if seq % 3 == 0 else None
        await accept(store, make_commit(first=seq, snapshot=snapshot))
        await asyncio.sleep(0)
