"""What lies outside a scope is absent (I11)."""

import pytest

from dragoman.store import ContextState, PushDelivery, Scope, TaskQuery, TaskStore
from dragoman.testing.store_contract.samples import (
    FOREIGN_SCOPES,
    SCOPE,
    StoreContract,
    accept,
    load,
    make_birth,
    make_commit,
    make_push,
    refuse,
)

anyone_else = pytest.mark.parametrize("scope", FOREIGN_SCOPES, ids=("agent", "tenant", "owner"))


class ScopeContract(StoreContract):
    """Another agent, another tenant, another owner: each sees nothing and changes nothing."""

    @anyone_else
    async def test_a_foreign_task_does_not_grow(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth())
        await refuse(store, make_commit(scope=scope))
        await accept(store, make_commit())

    @anyone_else
    async def test_a_foreign_task_is_not_loaded(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth())
        assert await store.load(scope, "task") is None

    @anyone_else
    async def test_a_foreign_task_is_not_listed_and_not_counted(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth("ours"), make_birth("theirs", scope=scope))
        for mine, task_id in ((SCOPE, "ours"), (scope, "theirs")):
            for query in (TaskQuery(limit=10), TaskQuery(limit=10, context_id="talk")):
                page = await store.list_tasks(mine, query)
                assert ([task.task_id for task in page.tasks], page.total) == ([task_id], 1)
                assert page.tasks[0].scope == mine

    async def test_a_scope_without_tasks_has_an_empty_page(self, store: TaskStore) -> None:
        page = await store.list_tasks(SCOPE, TaskQuery(limit=10))
        assert (page.tasks, page.total, page.has_more) == ((), 0, False)

    @anyone_else
    async def test_conversations_of_the_same_name_are_apart(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth("ours", context=ContextState("talk", b"ours")))
        assert await store.load_context(scope, "talk") is None
        await accept(store, make_birth("theirs", scope=scope, context=ContextState("talk", b"theirs")))
        assert await store.load_context(SCOPE, "talk") == b"ours"
        assert await store.load_context(scope, "talk") == b"theirs"

    @anyone_else
    async def test_a_foreign_task_gets_no_webhook(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth())
        assert await store.put_push(scope, "task", make_push()) is False
        assert await store.list_push(SCOPE, "task") == []

    @anyone_else
    async def test_webhooks_of_a_foreign_task_are_not_listed(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        assert await store.list_push(scope, "task") is None

    @anyone_else
    async def test_webhooks_of_a_foreign_task_are_not_removed(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        assert await store.delete_push(scope, "task", "hook") is False
        assert len(await store.list_push(SCOPE, "task") or ()) == 1

    @anyone_else
    async def test_deliveries_of_a_foreign_task_are_not_recorded(
        self, store: TaskStore, scope: Scope
    ) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        before = await store.list_push(SCOPE, "task")
        config = make_push().config
        await store.record_push(PushDelivery(scope, "task", "hook", config, cursor=1, last_seq=1, attempts=5))
        assert await store.list_push(SCOPE, "task") == before

    async def test_names_do_not_run_into_one_another(self, store: TaskStore) -> None:
        scopes = [Scope("a", "bc", "d"), Scope("ab", "c", "d"), Scope("a", "b", "cd"), Scope("a", "", "bcd")]
        for position, scope in enumerate(scopes):
            await accept(store, make_birth(f"task-{position}", scope=scope))
        for position, scope in enumerate(scopes):
            page = await store.list_tasks(scope, TaskQuery(limit=10))
            assert [task.task_id for task in page.tasks] == [f"task-{position}"]
            assert (await load(store, f"task-{position}", scope)).scope == scope
