"""What `load`, `read` and `load_context` promise."""

import pytest

from dragoman.store import ContextState, TaskStore
from dragoman.testing.store_contract.samples import (
    SCOPE,
    StoreContract,
    accept,
    load,
    make_birth,
    make_commit,
    number,
)


class ReadingContract(StoreContract):
    """The log in stretches, its fold, and what conversations remember."""

    async def test_a_task_that_is_absent_is_none(self, store: TaskStore) -> None:
        assert await store.load(SCOPE, "absent") is None

    async def test_without_a_snapshot_the_tail_is_the_whole_log(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=2))
        await accept(store, make_commit(first=3))
        stored = await load(store)
        assert (stored.snapshot, stored.snapshot_seq, stored.tail) == (None, 0, number(3))

    async def test_the_tail_begins_after_the_snapshot(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=2, snapshot=b"two"))
        await accept(store, make_commit(first=3))
        await accept(store, make_commit(first=4, count=2))
        stored = await load(store)
        assert (stored.snapshot, stored.snapshot_seq, stored.tail) == (b"two", 2, number(3, 3))

    async def test_a_newer_snapshot_replaces_the_older(self, store: TaskStore) -> None:
        await accept(store, make_birth(snapshot=b"one"))
        await accept(store, make_commit(count=3, snapshot=b"four"))
        stored = await load(store)
        assert (stored.snapshot, stored.snapshot_seq, stored.tail) == (b"four", 4, ())

    async def test_the_last_of_a_batch_stays(self, store: TaskStore) -> None:
        await accept(
            store,
            make_birth(snapshot=b"one", context=ContextState("talk", b"one")),
            make_commit(first=2, snapshot=b"two", context=ContextState("talk", b"two")),
            make_commit(first=3),
        )
        stored = await load(store)
        assert (stored.snapshot, stored.snapshot_seq, stored.tail) == (b"two", 2, number(1, 3))
        assert await store.load_context(SCOPE, "talk") == b"two"

    async def test_an_empty_snapshot_is_a_snapshot(self, store: TaskStore) -> None:
        await accept(store, make_birth(snapshot=b""))
        stored = await load(store)
        assert (stored.snapshot, stored.snapshot_seq) == (b"", 1)

    async def test_a_snapshot_does_not_shorten_the_log(self, store: TaskStore) -> None:
        await accept(store, make_birth(count=3, snapshot=b"three"))
        assert tuple(await store.read("task", 0, 10)) == number(3)

    @pytest.mark.parametrize(
        "after,limit,first,count",
        [
            (0, 100, 1, 9),
            (0, 2, 1, 2),
            (1, 3, 2, 3),
            (2, 3, 3, 3),
            (3, 6, 4, 6),
            (5, 1, 6, 1),
            (8, 5, 9, 1),
            (9, 5, 10, 0),
            (50, 5, 10, 0),
            (4, 0, 5, 0),
        ],
    )
    async def test_any_stretch_of_the_log_can_be_read(
        self, store: TaskStore, after: int, limit: int, first: int, count: int
    ) -> None:
        await accept(store, make_birth(count=3))
        await accept(store, make_commit(first=4, count=2), make_commit(first=6, count=1))
        await accept(store, make_commit(first=7, count=3))
        assert tuple(await store.read("task", after, limit)) == number(count, first)

    async def test_a_log_that_is_absent_is_empty(self, store: TaskStore) -> None:
        assert list(await store.read("absent", 0, 10)) == []

    async def test_a_conversation_that_is_absent_remembers_nothing(self, store: TaskStore) -> None:
        assert await store.load_context(SCOPE, "absent") is None

    async def test_what_a_conversation_remembers_replaces_what_was_there(self, store: TaskStore) -> None:
        await accept(store, make_birth(context=ContextState("talk", b"first")))
        await accept(store, make_commit(context=ContextState("talk", b"second")))
        assert await store.load_context(SCOPE, "talk") == b"second"

    async def test_tasks_of_one_conversation_share_what_it_remembers(self, store: TaskStore) -> None:
        await accept(store, make_birth("a", context=ContextState("talk", b"a")))
        await accept(store, make_birth("b", context=ContextState("talk", b"b")), make_birth("c"))
        assert await store.load_context(SCOPE, "talk") == b"b"

    async def test_a_commit_may_write_to_another_conversation(self, store: TaskStore) -> None:
        await accept(store, make_birth(context=ContextState("elsewhere", b"state")))
        assert await store.load_context(SCOPE, "elsewhere") == b"state"
        assert await store.load_context(SCOPE, "talk") is None
