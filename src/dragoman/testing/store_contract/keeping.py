"""What is there again when the store is closed and opened."""

from dataclasses import replace
from pathlib import Path

from dragoman.model import TaskState
from dragoman.store import ContextState, KeyRecord, TaskQuery
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


class KeepingContract(StoreContract):
    """A closed store and the next one at the same place are one store."""

    async def test_tasks_are_kept_whole(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth(count=2, snapshot=b"two", holder="worker"))
            await accept(
                store, make_commit(first=3, count=2, state=TaskState.AUTH_REQUIRED, at=9, holder="worker")
            )
            before = await load(store)
        async with self.make_store(tmp_path) as store:
            assert await load(store) == before
            assert await read_all(store) == [*number(4)]

    async def test_lists_are_kept(self, tmp_path: Path) -> None:
        births = [make_birth(f"task-{n}", at=n % 3, context_id=f"talk-{n % 2}") for n in range(6)]
        queries = [
            TaskQuery(limit=4),
            TaskQuery(limit=4, context_id="talk-1"),
            TaskQuery(limit=1, after=(1, "task-4")),
        ]
        async with self.make_store(tmp_path) as store:
            await accept(store, *births)
            before = [await store.list_tasks(SCOPE, query) for query in queries]
        async with self.make_store(tmp_path) as store:
            assert [await store.list_tasks(SCOPE, query) for query in queries] == before

    async def test_scopes_are_kept_apart(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth())
        for scope in FOREIGN_SCOPES:
            async with self.make_store(tmp_path) as store:
                assert await store.load(scope, "task") is None
                await refuse(store, make_commit(scope=scope))

    async def test_conversations_are_kept(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth(context=ContextState("talk", b"memory")))
        async with self.make_store(tmp_path) as store:
            assert await store.load_context(SCOPE, "talk") == b"memory"

    async def test_a_log_goes_on_where_it_was(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth(), make_birth("other"))
        async with self.make_store(tmp_path) as store:
            await refuse(store, make_birth(), make_commit(first=1), make_commit(first=3))
            await accept(store, make_commit(), make_birth("third"))
            assert await read_all(store) == [*number(2)]
            assert await read_all(store, "third") == await read_all(store, "other") == [*number(1)]

    async def test_leases_and_heartbeats_are_kept(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await store.beat("alive", 200)
            await store.beat("dead", 50)
            await accept(
                store, make_birth("a", holder="alive"), make_birth("b", holder="dead"), make_birth("c")
            )
            claimed = await store.claim("c", "alive", 100)
        async with self.make_store(tmp_path) as store:
            assert await store.orphans(SCOPE.agent, 100, 10) == ["b"]
            assert await store.claim("a", "rival", 100) is None
            assert await load(store, "c") == claimed
            await refuse(store, make_commit("c", fence=1))

    async def test_webhooks_and_their_records_are_kept(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(
                store, make_birth(count=2, push=(make_push("a"), make_push("b"), make_push("c", cursor=2)))
            )
            [first, second] = await store.due_push(SCOPE.agent, 100, 100, 10)
            await store.record_push(
                replace(first, cursor=1, attempts=2, next_attempt_at=90, last_error="503")
            )
            await store.record_push(replace(second, is_dead=True))
            before = await store.list_push(SCOPE, "task")
        async with self.make_store(tmp_path) as store:
            assert await store.list_push(SCOPE, "task") == before
            assert [push.config_id for push in await store.due_push(SCOPE.agent, 100, 100, 10)] == ["a"]
            await accept(store, make_commit(first=3))
            assert [push.config_id for push in await store.due_push(SCOPE.agent, 100, 100, 10)] == ["c", "a"]

    async def test_keys_are_kept(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth(key=make_key()))
        async with self.make_store(tmp_path) as store:
            assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("task", make_key().digest)
            assert list(await store.commit([make_birth("late", key=make_key())])) == [DUPLICATE]

    async def test_signals_and_their_numbers_are_kept(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth(holder="worker"))
            for body in (b"one", b"two"):
                await post(store, body=body)
            [first, second] = await store.signals("worker", 10)
            await accept(store, make_commit(holder="worker", taken=(second.number,)))
        async with self.make_store(tmp_path) as store:
            assert list(await store.signals("worker", 10)) == [first]
            await post(store, body=b"three")
            assert [signal.number > second.number for signal in await store.signals("worker", 10)] == [
                False,
                True,
            ]

    async def test_delivery_leases_are_kept(self, tmp_path: Path) -> None:
        async with self.make_store(tmp_path) as store:
            await accept(store, make_birth(push=(make_push(),)))
            assert len(await store.due_push(SCOPE.agent, 100, 200, 10)) == 1
        async with self.make_store(tmp_path) as store:
            assert await store.due_push(SCOPE.agent, 199, 300, 10) == []
            assert len(await store.due_push(SCOPE.agent, 200, 300, 10)) == 1

    async def test_what_is_compacted_and_forgotten_stays_so(self, tmp_path: Path) -> None:
        ended = [
            make_birth(name, state=TaskState.COMPLETED, snapshot=b"all", at=at)
            for name, at in (("a", 1), ("b", 2))
        ]
        async with self.make_store(tmp_path) as store:
            await accept(store, *ended)
            assert await store.forget(SCOPE.agent, 2, 0, 10) == 1
            assert await store.compact(SCOPE.agent, 3, 10) == 1
            before = await load(store, "b")
        async with self.make_store(tmp_path) as store:
            assert await store.load(SCOPE, "a") is None
            assert await load(store, "b") == before
            assert await read_all(store, "b") == []
            assert await store.compact(SCOPE.agent, 3, 10) == 0
            assert list(await store.check()) == []
