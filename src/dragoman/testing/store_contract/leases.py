"""What `beat`, `retire`, `claim` and `orphans` promise (I3)."""

import asyncio

import pytest

from dragoman.model import TaskState
from dragoman.store import Commit, Scope, StoredTask, TaskStore
from dragoman.testing.store_contract.samples import (
    ACCEPTED,
    FOREIGN_SCOPES,
    SCOPE,
    StoreContract,
    accept,
    load,
    make_birth,
    make_commit,
    number,
    post,
    read_all,
    refuse,
)

NOW = 5_000


class LeaseContract(StoreContract):
    """One holder at a time, and whoever lost the task cannot write to it."""

    async def test_a_task_that_nobody_holds_can_be_claimed(self, store: TaskStore) -> None:
        await accept(store, make_birth(state=TaskState.INPUT_REQUIRED))
        assert (await claim(store, "worker")).holder == "worker"
        assert (await load(store)).holder == "worker"

    async def test_a_claim_returns_the_task_as_it_is_stored(self, store: TaskStore) -> None:
        await accept(store, make_birth(scope=FOREIGN_SCOPES[1], count=2, snapshot=b"two"))
        await accept(store, make_commit(scope=FOREIGN_SCOPES[1], first=3, count=2))
        claimed = await claim(store, "worker")
        assert claimed == await store.load(FOREIGN_SCOPES[1], "task")
        assert (claimed.scope, claimed.fence, claimed.tail) == (FOREIGN_SCOPES[1], 2, number(2, 3))

    async def test_a_holder_can_claim_its_own_task(self, store: TaskStore) -> None:
        await store.beat("worker", NOW + 100)
        await accept(store, make_birth(holder="worker"))
        assert (await claim(store, "worker")).fence == 2

    async def test_a_task_of_a_live_process_cannot_be_claimed(self, store: TaskStore) -> None:
        await store.beat("worker", NOW + 1)
        await accept(store, make_birth(holder="worker"))
        before = await load(store)
        assert await store.claim("task", "rival", NOW) is None
        assert await load(store) == before

    @pytest.mark.parametrize("alive_until", [NOW - 1, NOW])
    async def test_a_task_of_a_dead_process_can_be_claimed(self, store: TaskStore, alive_until: int) -> None:
        await store.beat("worker", alive_until)
        await accept(store, make_birth(holder="worker"))
        assert (await claim(store, "rival")).holder == "rival"

    async def test_a_process_that_never_beat_is_dead(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        assert (await claim(store, "rival")).holder == "rival"

    async def test_a_later_heartbeat_replaces_the_earlier(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await store.beat("worker", NOW - 1)
        await store.beat("worker", NOW + 1)
        assert await store.claim("task", "rival", NOW) is None
        await store.beat("worker", NOW - 1)
        assert (await claim(store, "rival")).holder == "rival"

    async def test_what_a_retired_process_holds_is_orphaned(self, store: TaskStore) -> None:
        await store.beat("worker", NOW + 100)
        await accept(store, make_birth(holder="worker"))
        await store.retire("worker")
        assert await list_orphans(store) == ["task"]
        assert (await claim(store, "rival")).holder == "rival"

    async def test_a_process_that_is_unknown_can_retire(self, store: TaskStore) -> None:
        await store.retire("nobody")

    @pytest.mark.parametrize("state", [state for state in TaskState if state.is_terminal])
    async def test_a_terminal_task_cannot_be_claimed(self, store: TaskStore, state: TaskState) -> None:
        await accept(store, make_birth(state=state, holder="worker"))
        assert await store.claim("task", "worker", NOW) is None
        assert (await load(store)).fence == 1

    async def test_a_task_that_is_absent_cannot_be_claimed(self, store: TaskStore) -> None:
        assert await store.claim("absent", "worker", NOW) is None

    async def test_fences_grow(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        fences = [(await claim(store, holder)).fence for holder in ("a", "b", "b", "c")]
        assert fences == sorted(set(fences))
        assert fences[0] > 1

    async def test_a_holder_that_lost_the_task_cannot_append(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        claimed = await claim(store, "rival")
        await refuse(store, make_commit(fence=1, holder="worker"))
        await accept(store, make_commit(fence=claimed.fence, holder="rival"))
        assert await read_all(store) == [*number(2)]
        assert (await load(store)).holder == "rival"

    async def test_a_commit_that_releases_leaves_the_fence(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"), make_commit())
        assert (await load(store)).fence == 1

    async def test_one_of_many_rivals_gets_the_task(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="dead"))
        for number_ in range(20):
            await store.beat(f"rival-{number_}", NOW + 100)
        async with asyncio.TaskGroup() as group:
            claims = [group.create_task(store.claim("task", f"rival-{n}", NOW)) for n in range(20)]
        won = [claimed for task in claims if (claimed := task.result())]
        assert [stored.fence for stored in won] == [2]
        assert (await load(store)).holder == won[0].holder

    async def test_orphans_are_what_dead_processes_hold(self, store: TaskStore) -> None:
        await store.beat("alive", NOW + 1)
        await store.beat("dead", NOW)
        await accept(
            store,
            make_birth("of-the-dead", holder="dead"),
            make_birth("of-a-stranger", holder="stranger"),
            make_birth("of-the-living", holder="alive"),
            make_birth("parked", state=TaskState.INPUT_REQUIRED),
            make_birth("done", state=TaskState.COMPLETED, holder="dead"),
        )
        assert await list_orphans(store) == ["of-a-stranger", "of-the-dead"]

    async def test_a_task_that_was_taken_over_is_no_orphan(self, store: TaskStore) -> None:
        await store.beat("alive", NOW + 1)
        await accept(store, make_birth("taken", holder="dead"), make_birth("ended", holder="dead"))
        await claim(store, "alive", "taken")
        await accept(store, make_commit("ended", state=TaskState.FAILED))
        assert await list_orphans(store) == []

    async def test_a_task_that_nobody_holds_is_an_orphan_while_a_signal_waits(self, store: TaskStore) -> None:
        await accept(
            store, make_birth("told"), make_birth("quiet"), make_birth("other", scope=FOREIGN_SCOPES[0])
        )
        for task_id in ("told", "told"):
            assert await post(store, task_id, b"hear") is ACCEPTED
        assert await list_orphans(store) == ["told"]
        assert (await claim(store, "told", task_id="told")).holder == "told"
        await store.beat("told", NOW + 1)
        assert await list_orphans(store) == []

    async def test_what_was_told_to_a_task_that_has_ended_since_makes_no_orphan(
        self, store: TaskStore
    ) -> None:
        await accept(store, make_birth())
        assert await post(store, "task", b"hear") is ACCEPTED
        await accept(store, make_commit(state=TaskState.COMPLETED))
        assert await list_orphans(store) == []

    async def test_orphans_are_of_one_agent_and_of_all_its_owners(self, store: TaskStore) -> None:
        await accept(store, make_birth("ours", holder="dead"), *make_foreign("dead"))
        assert await list_orphans(store) == ["ours", "theirs-1", "theirs-2"]
        assert await list_orphans(store, FOREIGN_SCOPES[0].agent) == ["theirs-0"]

    async def test_orphans_are_limited(self, store: TaskStore) -> None:
        await accept(store, *(make_birth(f"task-{n}", holder="dead") for n in range(5)))
        assert len(set(await store.orphans(SCOPE.agent, NOW, 3))) == 3


async def claim(store: TaskStore, holder: str, task_id: str = "task") -> StoredTask:
    """Claim what must be there to be claimed."""
    claimed = await store.claim(task_id, holder, NOW)
    assert claimed is not None
    return claimed


async def list_orphans(store: TaskStore, agent: str = SCOPE.agent) -> list[str]:
    """Orphans, sorted, for the contract promises no order."""
    return sorted(await store.orphans(agent, NOW, 100))


def make_foreign(holder: str) -> list[Commit]:
    """A task in each foreign scope."""
    scopes: tuple[Scope, ...] = FOREIGN_SCOPES
    return [make_birth(f"theirs-{n}", scope=scope, holder=holder) for n, scope in enumerate(scopes)]
