"""What `compact`, `forget`, `sizes` and `check` promise."""

from dataclasses import replace

import pytest

from dragoman.model import TaskState
from dragoman.store import (
    Commit,
    ContextState,
    IdempotencyKey,
    KeyRecord,
    PushRegistration,
    Scope,
    TaskQuery,
    TaskStore,
)
from dragoman.testing.store_contract.samples import (
    DUPLICATE,
    FOREIGN_SCOPES,
    SCOPE,
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
    refuse,
)

AGENT = SCOPE.agent
LATER = 5_000
TERMINAL = [state for state in TaskState if state.is_terminal]
every_end = pytest.mark.parametrize("state", TERMINAL)


class UpkeepContract(StoreContract):
    """What has ended shrinks, then goes with all that belongs to it, and nothing else does."""

    @every_end
    async def test_a_compacted_task_is_its_snapshot(self, store: TaskStore, state: TaskState) -> None:
        await accept(store, make_birth(count=3, snapshot=b"three"))
        await accept(store, make_commit(first=4, count=2, state=state, snapshot=b"five"))
        before = await load(store)
        assert await store.compact(AGENT, LATER, 10) == 1
        assert await load(store) == before
        assert (before.snapshot, before.last_seq, before.tail) == (b"five", 5, ())
        assert await read_all(store) == list(await store.read("task", 3, 10)) == []
        assert (await store.list_tasks(SCOPE, TaskQuery(limit=9))).tasks == (before,)

    async def test_a_task_is_compacted_once(self, store: TaskStore) -> None:
        await accept(store, make_end())
        assert [await store.compact(AGENT, LATER, 10) for _ in range(2)] == [1, 0]

    @pytest.mark.parametrize("ended_before,count", [(1000, 0), (1001, 1)])
    async def test_a_task_is_compacted_when_it_ended_before_then(
        self, store: TaskStore, ended_before: int, count: int
    ) -> None:
        await accept(store, make_end())
        assert await store.compact(AGENT, ended_before, 10) == count
        assert len(await read_all(store)) == (not count)

    @pytest.mark.parametrize("state", [state for state in TaskState if not state.is_terminal])
    async def test_a_task_that_has_not_ended_is_left_alone(self, store: TaskStore, state: TaskState) -> None:
        await accept(store, make_birth(state=state, snapshot=b"one"))
        assert await store.compact(AGENT, LATER, 10) == await store.forget(AGENT, LATER, LATER, 10) == 0
        assert await read_all(store) == [*number(1)]

    async def test_a_task_whose_snapshot_is_older_than_its_log_is_not_compacted(
        self, store: TaskStore
    ) -> None:
        await accept(store, make_end("bare", snapshot=None), make_birth("behind", snapshot=b"one"))
        await accept(store, make_commit("behind", state=TaskState.COMPLETED))
        assert await store.compact(AGENT, LATER, 10) == 0
        assert await read_all(store, "behind") == [*number(2)]

    async def test_a_task_is_not_compacted_before_its_webhooks_were_told_all(self, store: TaskStore) -> None:
        await accept(store, make_end(push=(make_push("told", cursor=1), make_push("behind"))))
        assert await store.compact(AGENT, LATER, 10) == 0
        [push] = await store.due_push(AGENT, LATER, LATER, 10)
        await store.record_push(replace(push, cursor=1))
        assert await store.compact(AGENT, LATER, 10) == 1

    async def test_a_dead_webhook_keeps_no_entries(self, store: TaskStore) -> None:
        await accept(store, make_end(push=(make_push(),)))
        [push] = await store.due_push(AGENT, LATER, LATER, 10)
        await store.record_push(replace(push, is_dead=True))
        assert await store.compact(AGENT, LATER, 10) == 1
        assert [push.is_dead for push in await store.dead_push(AGENT, 10)] == [True]

    async def test_at_most_so_many_tasks_are_compacted(self, store: TaskStore) -> None:
        await accept(store, *(make_end(f"task-{n}") for n in range(5)))
        assert [await store.compact(AGENT, LATER, 2) for _ in range(4)] == [2, 2, 1, 0]

    async def test_tasks_of_another_agent_are_left_alone(self, store: TaskStore) -> None:
        await accept(store, *make_everywhere())
        assert await store.compact(AGENT, LATER, 10) == 3
        assert await store.forget(AGENT, LATER, LATER, 10) == 3
        [left] = (await store.list_tasks(FOREIGN_SCOPES[0], TaskQuery(limit=9))).tasks
        assert len(await read_all(store, left.task_id)) == 1
        for scope in (SCOPE, *FOREIGN_SCOPES[1:]):
            assert (await store.list_tasks(scope, TaskQuery(limit=9))).total == 0

    async def test_a_compacted_task_takes_no_more_entries(self, store: TaskStore) -> None:
        await accept(store, make_end())
        await store.compact(AGENT, LATER, 10)
        before = await load(store)
        await refuse(store, make_commit(), make_commit(count=0), make_end())
        assert await load(store) == before

    async def test_a_forgotten_task_is_absent(self, store: TaskStore) -> None:
        await accept(store, make_end(count=3), make_birth("other"))
        assert await store.forget(AGENT, LATER, 0, 10) == 1
        assert await store.load(SCOPE, "task") is None
        assert await read_all(store) == []
        assert await store.claim("task", "worker", LATER) is None
        await refuse(store, make_commit(first=4))
        assert await read_all(store, "other") == [*number(1)]

    async def test_a_compacted_task_can_be_forgotten(self, store: TaskStore) -> None:
        await accept(store, make_end())
        await store.compact(AGENT, LATER, 10)
        assert await store.forget(AGENT, LATER, 0, 10) == 1
        assert await store.load(SCOPE, "task") is None

    @pytest.mark.parametrize("ended_before,count", [(1000, 0), (1001, 1)])
    async def test_a_task_is_forgotten_when_it_ended_before_then(
        self, store: TaskStore, ended_before: int, count: int
    ) -> None:
        await accept(store, make_end())
        assert await store.forget(AGENT, ended_before, 0, 10) == count

    @every_end
    async def test_forgotten_tasks_are_counted_and_listed_no_more(
        self, store: TaskStore, state: TaskState
    ) -> None:
        births = [make_end(f"task-{n}", state=state, at=n, context_id=f"talk-{n % 2}") for n in range(6)]
        await accept(store, *births, make_birth("live", at=9, context_id="talk-0"))
        assert await store.forget(AGENT, 4, 0, 10) == 4
        assert await list_totals(store, TaskQuery(limit=9)) == (["live", "task-5", "task-4"], 3)
        assert await list_totals(store, TaskQuery(limit=9, state=state)) == (["task-5", "task-4"], 2)
        assert await list_totals(store, TaskQuery(limit=9, context_id="talk-0")) == (["live", "task-4"], 2)

    async def test_webhooks_and_signals_of_a_forgotten_task_go_with_it(self, store: TaskStore) -> None:
        pushes = (make_push("live"), make_push("dead"))
        await accept(store, make_birth(push=pushes))
        await post(store)
        for push in await store.due_push(AGENT, 1, 1, 10):
            await store.record_push(replace(push, is_dead=push.config_id == "dead"))
        await accept(store, make_commit(state=TaskState.FAILED))
        assert await store.forget(AGENT, LATER, 0, 10) == 1
        assert await store.list_push(SCOPE, "task") is None
        assert list(await store.due_push(AGENT, LATER, LATER, 10)) == []
        assert list(await store.dead_push(AGENT, 10)) == []
        assert list(await store.signals_of("task")) == []
        sizes = await store.sizes()
        assert [sizes[name] for name in ("tasks", "webhooks", "dead_webhooks", "signals")] == [0, 0, 0, 0]

    async def test_what_a_conversation_remembers_goes_with_its_last_task(self, store: TaskStore) -> None:
        await accept(
            store,
            make_end("first", context=ContextState("talk", b"memory")),
            make_end("last", at=2000),
            make_end("elsewhere", context_id="walk", at=3000, context=ContextState("walk", b"kept")),
            make_end("theirs", scope=FOREIGN_SCOPES[2], context=ContextState("talk", b"theirs")),
        )
        assert await store.forget(AGENT, 2000, 0, 1000) == 2
        assert await store.load_context(SCOPE, "talk") == b"memory"
        assert await store.load_context(FOREIGN_SCOPES[2], "talk") is None
        assert await store.forget(AGENT, 2001, 0, 1000) == 1
        assert await store.load_context(SCOPE, "talk") is None
        assert await store.load_context(SCOPE, "walk") == b"kept"

    async def test_the_key_of_a_forgotten_task_stays_until_it_expires(self, store: TaskStore) -> None:
        key = make_key(expires_at=4000)
        await accept(store, make_end(key=key))
        assert await store.forget(AGENT, LATER, 3999, 10) == 1
        assert await store.find_key(SCOPE, "key", 3999) == KeyRecord("task", key.digest)
        assert list(await store.commit([make_birth("again", at=3999, key=key)])) == [DUPLICATE]
        assert await store.forget(AGENT, LATER, 4000, 10) == 1
        assert (await store.sizes())["keys"] == 0
        await accept(store, make_birth("again", at=3999, key=key))

    async def test_the_limit_is_for_tasks_and_keys_together(self, store: TaskStore) -> None:
        await accept(store, *(make_end(f"task-{n}", key=make_key(f"key-{n}")) for n in range(5)))
        assert [await store.forget(AGENT, LATER, LATER, 4) for _ in range(4)] == [4, 4, 2, 0]
        sizes = await store.sizes()
        assert (sizes["tasks"], sizes["keys"]) == (0, 0)

    async def test_a_key_that_was_used_again_expires_at_its_new_time(self, store: TaskStore) -> None:
        await accept(store, make_birth("a", key=make_key(expires_at=1500)))
        await accept(store, make_birth("b", at=1500, key=make_key(expires_at=3000)))
        assert await store.forget(AGENT, 0, 2999, 10) == 0
        assert await store.find_key(SCOPE, "key", 2999) == KeyRecord("b", make_key().digest)
        assert await store.forget(AGENT, 0, 3000, 10) == 1

    async def test_heartbeats_that_ended_long_ago_are_forgotten(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="gone"))
        for holder, alive_until in (("gone", 99), ("late", 100), ("alive", 900)):
            await store.beat(holder, alive_until)
        await store.forget(AGENT, 100, 200, 10)
        assert (await store.sizes())["processes"] == 2
        await store.forget(AGENT, LATER, 200, 10)
        assert (await store.sizes())["processes"] == 1
        assert await store.orphans(AGENT, 200, 10) == ["task"]

    async def test_an_id_is_free_again_when_its_task_is_forgotten(self, store: TaskStore) -> None:
        await accept(store, make_end(count=5, push=(make_push(),)))
        await store.forget(AGENT, LATER, 0, 10)
        await accept(store, make_birth(scope=FOREIGN_SCOPES[1], count=2))
        assert await read_all(store) == [*number(2)]
        assert (await load(store, scope=FOREIGN_SCOPES[1])).snapshot is None
        assert await store.list_push(FOREIGN_SCOPES[1], "task") == []

    async def test_nothing_is_forgotten_of_an_empty_store(self, store: TaskStore) -> None:
        assert await store.compact(AGENT, LATER, 10) == await store.forget(AGENT, LATER, LATER, 10) == 0

    async def test_sizes_say_how_much_there_is(self, store: TaskStore) -> None:
        context = ContextState("talk", b"memory")
        await accept(
            store, make_birth(context=context, key=make_key(), push=(make_push("a"), make_push("b")))
        )
        await accept(store, make_birth("other", scope=FOREIGN_SCOPES[0]))
        [dead, _] = await store.due_push(AGENT, LATER, LATER, 10)
        await store.record_push(replace(dead, is_dead=True))
        await store.beat("worker", LATER)
        for _ in range(3):
            await post(store)
        expected = {
            "tasks": 2,
            "conversations": 1,
            "webhooks": 2,
            "dead_webhooks": 1,
            "keys": 1,
            "signals": 3,
            "processes": 1,
        }
        sizes = await store.sizes()
        assert {name: sizes[name] for name in expected} == expected
        assert sizes.get("bytes", 1) > 0

    async def test_nothing_is_wrong_with_what_the_store_wrote(self, store: TaskStore) -> None:
        assert list(await store.check()) == []
        await accept(store, *make_everywhere(), make_birth(count=3, key=make_key(), push=(make_push(),)))
        await accept(store, make_commit(first=4, count=0), make_commit(first=4, holder="worker"))
        await accept(store, make_end("compact", at=1), make_end("forgotten", at=0))
        await post(store)
        assert await store.claim("task", "rival", 0) is not None
        await store.forget(AGENT, 1, 0, 10)
        await store.compact(AGENT, 2, 10)
        assert list(await store.check()) == []


def make_end(
    task_id: str = "task",
    *,
    scope: Scope = SCOPE,
    context_id: str = "talk",
    count: int = 1,
    state: TaskState = TaskState.COMPLETED,
    at: int = 1000,
    snapshot: bytes | None = b"all",
    context: ContextState | None = None,
    push: tuple[PushRegistration, ...] = (),
    key: IdempotencyKey | None = None,
) -> Commit:
    """A task that ends with its first commit."""
    return make_birth(
        task_id,
        scope=scope,
        context_id=context_id,
        count=count,
        state=state,
        at=at,
        snapshot=snapshot,
        context=context,
        push=push,
        key=key,
    )


def make_everywhere() -> list[Commit]:
    """A task that has ended in each scope."""
    return [make_end(f"ended-{n}", scope=scope) for n, scope in enumerate((SCOPE, *FOREIGN_SCOPES))]


async def list_totals(store: TaskStore, query: TaskQuery) -> tuple[list[str], int]:
    """Ids on the page, and the total."""
    page = await store.list_tasks(SCOPE, query)
    return [task.task_id for task in page.tasks], page.total
