"""What the webhook methods promise (I9)."""

from dataclasses import replace

from dragoman.store import PushDelivery, TaskStore
from dragoman.testing.store_contract.samples import (
    FOREIGN_SCOPES,
    SCOPE,
    StoreContract,
    accept,
    make_birth,
    make_commit,
    make_push,
)

NOW = 5_000


class PushContract(StoreContract):
    """Deliveries that are behind their log come up until they are not, or are dead."""

    async def test_a_webhook_is_created_with_a_clean_record(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=3))
        assert await store.put_push(SCOPE, "task", make_push(cursor=2)) is True
        config = make_push().config
        assert await get_pushes(store) == [PushDelivery(SCOPE, "task", "hook", config, cursor=2, last_seq=3)]

    async def test_a_webhook_may_come_with_a_commit(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push("a", cursor=1),)), make_commit(push=(make_push("b"),)))
        assert [(push.config_id, push.cursor, push.last_seq) for push in await get_pushes(store)] == [
            ("a", 1, 2),
            ("b", 0, 2),
        ]

    async def test_a_task_that_is_absent_has_no_webhooks(self, store: TaskStore) -> None:
        assert await store.put_push(SCOPE, "absent", make_push()) is False
        assert await store.list_push(SCOPE, "absent") is None
        assert await store.delete_push(SCOPE, "absent", "hook") is False

    async def test_a_task_may_have_no_webhooks(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        assert await get_pushes(store) == []

    async def test_webhooks_are_listed_by_id(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push("b"), make_push("c"))), make_birth("other"))
        await store.put_push(SCOPE, "task", make_push("a"))
        await store.put_push(SCOPE, "other", make_push("d"))
        assert [push.config_id for push in await get_pushes(store)] == ["a", "b", "c"]

    async def test_replacing_a_webhook_cleans_its_record(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_pushes(store)
        await store.record_push(
            replace(push, cursor=1, attempts=3, failing_since=4, last_error="no", is_dead=True)
        )
        await store.put_push(SCOPE, "task", make_push(config=b"{}"))
        assert await get_pushes(store) == [PushDelivery(SCOPE, "task", "hook", b"{}", cursor=0, last_seq=1)]

    async def test_a_commit_replaces_a_webhook_too(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_pushes(store)
        await store.record_push(replace(push, attempts=3, is_dead=True))
        await accept(store, make_commit(push=(make_push(config=b"{}"),)))
        assert await get_pushes(store) == [PushDelivery(SCOPE, "task", "hook", b"{}", cursor=0, last_seq=2)]

    async def test_a_webhook_that_is_removed_is_gone(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push("a"), make_push("b"))))
        assert await store.delete_push(SCOPE, "task", "a") is True
        assert [push.config_id for push in await get_pushes(store)] == ["b"]
        assert [push.config_id for push in await get_due(store)] == ["b"]

    async def test_removing_a_webhook_that_is_absent_is_no_error(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        assert await store.delete_push(SCOPE, "task", "absent") is True

    async def test_a_webhook_is_due_while_it_is_behind_its_log(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(cursor=1),)))
        assert await get_due(store) == []
        await accept(store, make_commit())
        [push] = await get_due(store)
        assert (push.cursor, push.last_seq) == (1, 2)
        assert push == (await get_pushes(store))[0]
        await store.record_push(replace(push, cursor=2))
        assert await get_due(store) == []

    async def test_a_webhook_is_due_when_its_time_has_come(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_due(store)
        await store.record_push(replace(push, attempts=1, next_attempt_at=NOW + 1))
        assert await store.due_push(SCOPE.agent, NOW, NOW, 10) == []
        assert len(await store.due_push(SCOPE.agent, NOW + 1, NOW + 1, 10)) == 1

    async def test_a_dead_webhook_is_never_due(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_due(store)
        await store.record_push(replace(push, is_dead=True))
        await accept(store, make_commit())
        assert await get_due(store) == []
        assert [push.is_dead for push in await get_pushes(store)] == [True]

    async def test_the_longest_due_comes_first(self, store: TaskStore) -> None:
        await accept(store, make_birth("a", push=(make_push(),)), make_birth("b", push=(make_push(),)))
        await accept(store, make_birth("c", push=(make_push(),)))
        for push in await get_due(store):
            at = {"a": 300, "b": 100, "c": 200}[push.task_id]
            await store.record_push(replace(push, next_attempt_at=at))
        assert [push.task_id for push in await get_due(store)] == ["b", "c", "a"]
        assert [push.task_id for push in await store.due_push(SCOPE.agent, NOW, NOW, 2)] == ["b", "c"]

    async def test_due_webhooks_are_of_one_agent_and_of_all_its_owners(self, store: TaskStore) -> None:
        births = [
            make_birth(scope.agent + scope.tenant + scope.owner, scope=scope, push=(make_push(),))
            for scope in (SCOPE, *FOREIGN_SCOPES)
        ]
        await accept(store, *births)
        due = await store.due_push(SCOPE.agent, NOW, NOW, 10)
        assert {push.scope for push in due} == {SCOPE, *FOREIGN_SCOPES[1:]}
        assert [push.scope for push in await store.due_push(FOREIGN_SCOPES[0].agent, NOW, NOW, 10)] == [
            FOREIGN_SCOPES[0]
        ]

    async def test_the_record_of_attempts_is_kept(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=2, push=(make_push(),)))
        [push] = await get_pushes(store)
        record = replace(push, cursor=1, attempts=4, next_attempt_at=6, failing_since=3, last_error="gone: é")
        await store.record_push(record)
        assert await get_pushes(store) == [record]

    async def test_the_record_of_a_removed_webhook_is_dropped(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_pushes(store)
        await store.delete_push(SCOPE, "task", "hook")
        await store.record_push(replace(push, cursor=1))
        assert await get_pushes(store) == []

    async def test_the_record_of_a_replaced_webhook_is_dropped(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_pushes(store)
        await store.put_push(SCOPE, "task", make_push(config=b'{"url":"https://new.example"}'))
        fresh = await get_pushes(store)
        await store.record_push(replace(push, cursor=1, is_dead=True))
        assert await get_pushes(store) == fresh

    async def test_a_cursor_does_not_go_back(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=3, push=(make_push(),)))
        [push] = await get_pushes(store)
        await store.record_push(replace(push, cursor=3))
        await store.record_push(replace(push, cursor=1))
        assert [push.cursor for push in await get_pushes(store)] == [3]

    async def test_what_is_due_is_the_callers_alone_until_its_lease_ends(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await store.due_push(SCOPE.agent, NOW, NOW + 10, 10)
        assert await store.due_push(SCOPE.agent, NOW, NOW + 10, 10) == []
        assert await store.due_push(SCOPE.agent, NOW + 9, NOW + 20, 10) == []
        assert await store.due_push(SCOPE.agent, NOW + 10, NOW + 20, 10) == [push]

    async def test_what_is_due_beyond_the_limit_is_left_to_others(self, store: TaskStore) -> None:
        await accept(store, *(make_birth(f"task-{n}", push=(make_push(),)) for n in range(3)))
        first = await store.due_push(SCOPE.agent, NOW, NOW + 10, 2)
        second = await store.due_push(SCOPE.agent, NOW, NOW + 10, 2)
        assert [len(first), len(second)] == [2, 1]
        assert {push.task_id for push in (*first, *second)} == {"task-0", "task-1", "task-2"}

    async def test_a_lease_does_not_show_in_the_record(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        before = await get_pushes(store)
        assert await store.due_push(SCOPE.agent, NOW, NOW + 10, 10) == before
        assert await get_pushes(store) == before

    async def test_recording_how_it_went_ends_the_lease(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await store.due_push(SCOPE.agent, NOW, NOW + 10, 10)
        await store.record_push(replace(push, attempts=1, next_attempt_at=NOW + 1))
        assert await store.due_push(SCOPE.agent, NOW, NOW + 10, 10) == []
        assert len(await store.due_push(SCOPE.agent, NOW + 1, NOW + 10, 10)) == 1

    async def test_what_is_appended_during_a_lease_is_due_after_it(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await store.due_push(SCOPE.agent, NOW, NOW + 10, 10)
        await accept(store, make_commit())
        assert await store.due_push(SCOPE.agent, NOW, NOW + 10, 10) == []
        await store.record_push(replace(push, cursor=1))
        assert [push.last_seq for push in await get_due(store)] == [2]

    async def test_a_webhook_that_is_replaced_is_free(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push("a"), make_push("b"))))
        leased = await store.due_push(SCOPE.agent, NOW, NOW + 10, 10)
        await store.put_push(SCOPE, "task", make_push("a", config=b"1"))
        assert [push.config for push in await get_due(store)] == [b"1"]
        await accept(store, make_commit(push=(make_push("b", config=b"2"),)))
        assert [push.config for push in await get_due(store)] == [b"1", b"2"]
        for push in leased:
            await store.record_push(replace(push, cursor=1))
        assert [push.cursor for push in await get_pushes(store)] == [0, 0]

    async def test_a_webhook_that_was_removed_and_made_again_is_free(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        await store.due_push(SCOPE.agent, NOW, NOW + 10, 10)
        await store.delete_push(SCOPE, "task", "hook")
        await store.put_push(SCOPE, "task", make_push())
        assert len(await get_due(store)) == 1

    async def test_dead_webhooks_are_listed_longest_failing_first(self, store: TaskStore) -> None:
        births = [make_birth(name, push=(make_push("a"), make_push("b"))) for name in ("one", "two")]
        await accept(store, *births)
        since = {("one", "a"): 3, ("two", "a"): 1, ("two", "b"): 2}
        for push in await get_due(store):
            if at := since.get((push.task_id, push.config_id)):
                await store.record_push(replace(push, is_dead=True, failing_since=at, last_error="gone"))
        dead = await store.dead_push(SCOPE.agent, 10)
        assert [(push.task_id, push.config_id) for push in dead] == [("two", "a"), ("two", "b"), ("one", "a")]
        assert {(push.scope, push.last_error, push.last_seq) for push in dead} == {(SCOPE, "gone", 1)}
        assert list(await store.dead_push(SCOPE.agent, 2)) == list(dead)[:2]

    async def test_dead_webhooks_are_of_one_agent_and_of_all_its_owners(self, store: TaskStore) -> None:
        for n, scope in enumerate((SCOPE, *FOREIGN_SCOPES)):
            await accept(store, make_birth(f"task-{n}", scope=scope, push=(make_push(),)))
            for push in await store.due_push(scope.agent, NOW, NOW, 10):
                await store.record_push(replace(push, is_dead=True))
        dead = await store.dead_push(SCOPE.agent, 10)
        assert {push.scope for push in dead} == {SCOPE, *FOREIGN_SCOPES[1:]}

    async def test_a_dead_webhook_that_is_replaced_lives(self, store: TaskStore) -> None:
        await accept(store, make_birth(push=(make_push(),)))
        [push] = await get_due(store)
        await store.record_push(replace(push, is_dead=True))
        await store.put_push(SCOPE, "task", make_push())
        assert await store.dead_push(SCOPE.agent, 10) == []


async def get_pushes(store: TaskStore) -> list[PushDelivery]:
    """The webhooks of the one task, which must be there."""
    pushes = await store.list_push(SCOPE, "task")
    assert pushes is not None
    return list(pushes)


async def get_due(store: TaskStore) -> list[PushDelivery]:
    """What is to be told now; a lease that ends at once keeps it from nobody."""
    return list(await store.due_push(SCOPE.agent, NOW, NOW, 100))
