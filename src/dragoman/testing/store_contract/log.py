"""What `commit` promises."""

import pytest
from msgspec.structs import replace

from dragoman.model import TaskState
from dragoman.store import ContextState, Scope, TaskHeader, TaskStore
from dragoman.testing.store_contract.samples import (
    ACCEPTED,
    FOREIGN_SCOPES,
    SCOPE,
    STALE,
    StoreContract,
    accept,
    load,
    make_birth,
    make_commit,
    make_push,
    number,
    read_all,
    refuse,
)


class LogContract(StoreContract):
    """Numbers without holes, one writer, all or nothing."""

    async def test_an_empty_batch_has_no_outcomes(self, store: TaskStore) -> None:
        assert list(await store.commit(())) == []

    async def test_a_commit_creates_a_task_with_all_that_it_says(self, store: TaskStore) -> None:
        birth = make_birth(count=2, at=1234, holder="worker", snapshot=b"fold")
        await accept(store, replace(birth, fence=7))
        stored = await load(store)
        assert (stored.scope, stored.task_id, stored.context_id) == (SCOPE, "task", "talk")
        assert stored.header == TaskHeader(TaskState.WORKING, 1234)
        assert (stored.fence, stored.holder, stored.last_seq) == (7, "worker", 2)
        assert (stored.snapshot, stored.snapshot_seq, stored.tail) == (b"fold", 2, ())

    @pytest.mark.parametrize("first", [0, 2])
    async def test_numbers_start_at_one(self, store: TaskStore, first: int) -> None:
        await refuse(store, replace(make_birth(), first=first))
        assert await store.load(SCOPE, "task") is None

    @pytest.mark.parametrize("first", [1, 2, 4])
    async def test_numbers_have_no_holes(self, store: TaskStore, first: int) -> None:
        await accept(store, make_birth(count=2))
        await refuse(store, make_commit(first=first))
        assert await read_all(store) == [*number(2)]

    @pytest.mark.parametrize("fence", [0, 2])
    async def test_a_wrong_fence_is_stale(self, store: TaskStore, fence: int) -> None:
        await accept(store, make_birth())
        await refuse(store, make_commit(fence=fence))
        assert await read_all(store) == [*number(1)]

    @pytest.mark.parametrize("scope", [SCOPE, *FOREIGN_SCOPES])
    async def test_a_task_is_created_once(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth(at=1))
        await refuse(store, replace(make_birth(at=2), scope=scope))
        assert (await load(store)).header.status_at == 1

    async def test_a_task_that_is_absent_does_not_grow(self, store: TaskStore) -> None:
        await refuse(store, make_commit(), make_commit(first=1))
        assert await store.load(SCOPE, "task") is None

    async def test_a_stale_commit_changes_nothing(self, store: TaskStore) -> None:
        await accept(
            store, make_birth(holder="worker", snapshot=b"old", context=ContextState("talk", b"old"))
        )
        before = await load(store)
        await refuse(
            store,
            make_commit(
                fence=2,
                state=TaskState.FAILED,
                at=2000,
                snapshot=b"new",
                context=ContextState("talk", b"new"),
                push=(make_push(),),
            ),
        )
        assert await load(store) == before
        assert await store.load_context(SCOPE, "talk") == b"old"
        assert await store.list_push(SCOPE, "task") == []

    async def test_a_stale_commit_harms_no_other_of_its_batch(self, store: TaskStore) -> None:
        batch = (make_birth("a"), make_commit("absent"), make_birth("b"))
        assert list(await store.commit(batch)) == [ACCEPTED, STALE, ACCEPTED]
        assert await read_all(store, "a") == await read_all(store, "b") == [*number(1)]

    async def test_a_batch_may_hold_several_commits_of_one_task(self, store: TaskStore) -> None:
        await accept(store, make_birth(), make_commit(first=2, count=2, at=2000), make_commit(first=4))
        await accept(store, make_commit(first=5, holder="worker"), make_commit(first=6, snapshot=b"six"))
        await accept(store, make_commit(first=7, holder="worker"))
        stored = await load(store)
        assert await read_all(store) == [*number(7)]
        assert (stored.last_seq, stored.holder, stored.header.status_at) == (7, "worker", 1000)
        assert (stored.snapshot, stored.snapshot_seq, stored.tail) == (b"six", 6, number(1, 7))

    async def test_a_commit_is_judged_by_those_before_it_in_the_batch(self, store: TaskStore) -> None:
        batch = (make_birth(), make_commit(first=3), make_commit(first=2), make_commit(first=3), make_birth())
        assert list(await store.commit(batch)) == [ACCEPTED, STALE, ACCEPTED, ACCEPTED, STALE]
        assert await read_all(store) == [*number(3)]

    async def test_a_commit_without_entries_changes_the_rest(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await accept(store, make_commit(count=0, state=TaskState.INPUT_REQUIRED, at=3000, snapshot=b"one"))
        stored = await load(store)
        assert (stored.last_seq, stored.snapshot_seq, stored.holder) == (1, 1, "")
        assert stored.header == TaskHeader(TaskState.INPUT_REQUIRED, 3000)
        assert await read_all(store) == [*number(1)]

    async def test_a_holder_keeps_the_task_until_a_commit_names_none(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await accept(store, make_commit(first=2, holder="worker"))
        assert (await load(store)).holder == "worker"
        await accept(store, make_commit(first=3))
        assert (await load(store)).holder == ""

    @pytest.mark.parametrize("state", [state for state in TaskState if state.is_terminal])
    async def test_a_terminal_header_releases_the_task(self, store: TaskStore, state: TaskState) -> None:
        await accept(store, make_birth(holder="worker"), make_commit(holder="worker", state=state))
        assert (await load(store)).holder == ""

    @pytest.mark.parametrize("state", list(TaskState))
    async def test_every_state_is_kept(self, store: TaskStore, state: TaskState) -> None:
        await accept(store, make_birth(state=state))
        assert (await load(store)).header.state is state

    async def test_a_raw_line_feed_is_refused_before_anything_is_written(self, store: TaskStore) -> None:
        torn = replace(make_birth("torn"), entries=(b'"whole"', b'{\n"n":1}'))
        with pytest.raises(ValueError, match="entry 2 of task 'torn'"):
            await store.commit([make_birth(), torn])
        assert await store.load(SCOPE, "task") is None

    async def test_entries_come_back_byte_for_byte(self, store: TaskStore) -> None:
        entries = (b"", b'"\\n"', bytes(set(range(256)) - {10}), b"", b'"\r"', b"")
        await accept(store, replace(make_birth(), entries=entries))
        assert (await load(store)).tail == entries
