"""What `post`, `signals`, `signals_of` and `Commit.taken` promise."""

import pytest

from dragoman.model import TaskState
from dragoman.store import KeyRecord, Outcome, Scope, Signal, TaskStore
from dragoman.testing.store_contract.samples import (
    ACCEPTED,
    DUPLICATE,
    FOREIGN_SCOPES,
    SCOPE,
    STALE,
    StoreContract,
    accept,
    make_birth,
    make_commit,
    make_key,
    post,
    refuse,
)

KEY = make_key()


class SignalContract(StoreContract):
    """What is left for a task waits, in order, until it is taken once."""

    async def test_signals_reach_whoever_runs_the_task_in_order(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"), make_birth("other", holder="worker"))
        for n, task_id in enumerate(("task", "other", "task")):
            assert await post(store, task_id, b"\0%d" % n) is ACCEPTED
        signals = await store.signals("worker", 10)
        assert [(signal.task_id, signal.body) for signal in signals] == [
            ("task", b"\0000"),
            ("other", b"\0001"),
            ("task", b"\0002"),
        ]
        numbers = [signal.number for signal in signals]
        assert numbers == sorted(set(numbers))

    async def test_signals_are_limited_and_the_oldest_come_first(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        for n in range(5):
            await post(store, body=b"%d" % n)
        assert [signal.body for signal in await store.signals("worker", 2)] == [b"0", b"1"]
        assert list(await store.signals("worker", 0)) == []

    async def test_signals_of_one_task_are_found_whoever_runs_it(self, store: TaskStore) -> None:
        await accept(store, make_birth("held", holder="worker"), make_birth("parked"))
        for task_id in ("held", "parked", "held"):
            await post(store, task_id)
        assert await list_tasks_of(store, "held") == ["held", "held"]
        assert await list_tasks_of(store, "parked") == ["parked"]
        assert await list_tasks_of(store, "absent") == []

    async def test_a_process_gets_no_signals_of_others_and_none_of_parked_tasks(
        self, store: TaskStore
    ) -> None:
        await accept(store, make_birth("ours", holder="us"), make_birth("theirs", holder="them"))
        await accept(store, make_birth("parked"))
        for task_id in ("ours", "theirs", "parked"):
            await post(store, task_id)
        assert [signal.task_id for signal in await store.signals("us", 10)] == ["ours"]
        assert [signal.task_id for signal in await store.signals("them", 10)] == ["theirs"]
        assert list(await store.signals("", 10)) == list(await store.signals("nobody", 10)) == []

    async def test_signals_stay_until_they_are_taken(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await post(store)
        assert await store.signals("worker", 10) == await store.signals("worker", 10)
        await accept(store, make_commit(holder="worker"))
        assert len(await store.signals("worker", 10)) == 1

    async def test_signals_follow_their_task_from_holder_to_holder(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="first"))
        await post(store)
        await accept(store, make_commit())
        assert list(await store.signals("first", 10)) == []
        assert await store.claim("task", "second", 1) is not None
        await post(store)
        assert list(await store.signals("second", 10)) == list(await store.signals_of("task"))
        assert len(await store.signals("second", 10)) == 2
        assert await store.claim("task", "third", 1) is not None
        assert list(await store.signals("second", 10)) == []
        assert len(await store.signals("third", 10)) == 2

    async def test_a_commit_takes_signals(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        for n in range(3):
            await post(store, body=b"%d" % n)
        numbers = [signal.number for signal in await store.signals("worker", 10)]
        await accept(store, make_commit(holder="worker", taken=(numbers[0], numbers[2])))
        assert [signal.body for signal in await store.signals("worker", 10)] == [b"1"]
        assert [signal.body for signal in await store.signals_of("task")] == [b"1"]

    async def test_a_commit_without_entries_takes_signals_too(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await post(store)
        [signal] = await store.signals("worker", 10)
        await accept(store, make_commit(count=0, holder="worker", taken=(signal.number,)))
        assert list(await store.signals("worker", 10)) == []

    async def test_a_commit_that_is_stale_takes_nothing(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await post(store)
        [signal] = await store.signals("worker", 10)
        await refuse(store, make_commit(fence=7, holder="worker", taken=(signal.number,)))
        assert list(await store.signals("worker", 10)) == [signal]

    async def test_signals_that_are_gone_or_of_other_tasks_are_passed_over(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"), make_birth("other", holder="worker"))
        await post(store)
        await post(store, "other")
        [ours, theirs] = await store.signals("worker", 10)
        await accept(store, make_commit(taken=(ours.number, theirs.number, theirs.number + 7)))
        await accept(store, make_commit(first=3, taken=(ours.number,)))
        assert list(await store.signals("worker", 10)) == [theirs]

    async def test_numbers_are_never_used_again(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        numbers: list[int] = []
        for first in range(2, 7):
            await post(store)
            [signal] = await store.signals("worker", 10)
            numbers.append(signal.number)
            await accept(store, make_commit(first=first, holder="worker", taken=(signal.number,)))
        assert numbers == sorted(set(numbers))

    async def test_a_task_that_is_absent_gets_no_signal(self, store: TaskStore) -> None:
        assert await post(store, "absent", key=KEY) is STALE
        assert list(await store.signals_of("absent")) == []

    @pytest.mark.parametrize("scope", FOREIGN_SCOPES, ids=("agent", "tenant", "owner"))
    async def test_a_foreign_task_gets_no_signal(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth(holder="worker"))
        assert await post(store, scope=scope) is STALE
        assert list(await store.signals_of("task")) == []

    @pytest.mark.parametrize("state", [state for state in TaskState if state.is_terminal])
    async def test_a_task_that_has_ended_gets_no_signal(self, store: TaskStore, state: TaskState) -> None:
        await accept(store, make_birth(state=state))
        assert await post(store) is STALE

    async def test_signals_that_came_before_the_end_stay(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"))
        await post(store)
        await accept(store, make_commit(state=TaskState.COMPLETED, holder="worker"))
        assert list(await store.signals("worker", 10)) == []
        assert len(await store.signals_of("task")) == 1

    async def test_a_task_that_waits_for_an_answer_gets_signals(self, store: TaskStore) -> None:
        await accept(store, make_birth(state=TaskState.INPUT_REQUIRED))
        assert await post(store) is ACCEPTED

    async def test_no_more_than_the_limit_wait_for_one_task(self, store: TaskStore) -> None:
        await accept(store, make_birth(holder="worker"), make_birth("other", holder="worker"))
        assert [await post(store, limit=2) for _ in range(3)] == [ACCEPTED, ACCEPTED, STALE]
        assert await post(store, "other", limit=2) is ACCEPTED
        [first, *_] = await store.signals_of("task")
        await accept(store, make_commit(taken=(first.number,)))
        assert [await post(store, limit=2) for _ in range(2)] == [ACCEPTED, STALE]
        assert await post(store, "other", limit=0) is STALE

    async def test_a_signal_under_a_key_that_is_used_is_a_duplicate(self, store: TaskStore) -> None:
        await accept(store, make_birth(), make_birth("other"))
        assert await post(store, key=KEY) is ACCEPTED
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("task", KEY.digest)
        assert await post(store, key=KEY) is DUPLICATE
        assert await post(store, "other", key=make_key(digest=b"other")) is DUPLICATE
        assert [len(await store.signals_of(task_id)) for task_id in ("task", "other")] == [1, 0]
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("task", KEY.digest)

    @pytest.mark.parametrize("at,outcome", [(1999, DUPLICATE), (2000, ACCEPTED)])
    async def test_a_signal_may_use_a_key_that_has_expired(
        self, store: TaskStore, at: int, outcome: Outcome
    ) -> None:
        await accept(store, make_birth("old", key=KEY), make_birth())
        assert await post(store, now=at, key=make_key(expires_at=9000)) is outcome
        found = await store.find_key(SCOPE, "key", 2000)
        assert found == (KeyRecord("task", KEY.digest) if outcome is ACCEPTED else None)

    async def test_the_key_is_looked_at_before_the_task(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        assert await post(store, limit=1, key=KEY) is ACCEPTED
        assert await post(store, limit=1, key=KEY) is DUPLICATE
        await accept(store, make_commit(state=TaskState.COMPLETED))
        assert await post(store, key=KEY) is DUPLICATE
        assert await post(store, "absent", key=KEY) is DUPLICATE

    async def test_a_signal_that_is_refused_uses_no_key(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        assert await post(store, limit=0, key=KEY) is STALE
        assert await post(store, "absent", key=KEY) is STALE
        assert await store.find_key(SCOPE, "key", 1000) is None
        assert await post(store, key=KEY) is ACCEPTED

    @pytest.mark.parametrize("scope", FOREIGN_SCOPES, ids=("agent", "tenant", "owner"))
    async def test_keys_of_signals_are_of_one_scope(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth(), make_birth("theirs", scope=scope))
        assert await post(store, key=KEY) is ACCEPTED
        assert await post(store, "theirs", scope=scope, key=KEY) is ACCEPTED
        assert await store.find_key(scope, "key", 1000) == KeyRecord("theirs", KEY.digest)


async def list_tasks_of(store: TaskStore, task_id: str) -> list[str]:
    """The tasks that the task's signals say they are for."""
    signals: list[Signal] = list(await store.signals_of(task_id))
    return [signal.task_id for signal in signals]
