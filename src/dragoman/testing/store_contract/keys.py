"""What a commit with a key and `find_key` promise."""

from dataclasses import replace

import pytest

from dragoman.model import TaskState
from dragoman.store import Commit, KeyRecord, Outcome, Scope, TaskStore
from dragoman.testing.store_contract.samples import (
    ACCEPTED,
    DUPLICATE,
    FOREIGN_SCOPES,
    SCOPE,
    STALE,
    StoreContract,
    accept,
    load,
    make_birth,
    make_commit,
    make_key,
    post,
)

KEY = make_key()


class KeyContract(StoreContract):
    """What is asked for twice under one name is done once."""

    async def test_a_key_that_nobody_used_names_nothing(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        assert await store.find_key(SCOPE, "key", 0) is None

    async def test_a_key_names_its_task_as_soon_as_the_commit_returned(self, store: TaskStore) -> None:
        for n in range(20):
            key = make_key(f"key-{n}", digest=b"\0%d" % n)
            await accept(store, make_birth(f"task-{n}", key=key))
            assert await store.find_key(SCOPE, key.key, 1000) == KeyRecord(f"task-{n}", key.digest)

    async def test_a_second_commit_under_a_key_is_a_duplicate_and_changes_nothing(
        self, store: TaskStore
    ) -> None:
        await accept(store, make_birth(key=KEY))
        again = make_birth("again", key=replace(KEY, digest=b"other", expires_at=9000))
        assert await commit(store, again) is DUPLICATE
        assert await store.load(SCOPE, "again") is None
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("task", KEY.digest)
        assert await store.find_key(SCOPE, "key", 2000) is None

    async def test_a_duplicate_harms_no_other_of_its_batch(self, store: TaskStore) -> None:
        await accept(store, make_birth(key=KEY))
        batch = [make_birth("a"), make_birth("b", key=KEY), make_commit()]
        assert list(await store.commit(batch)) == [ACCEPTED, DUPLICATE, ACCEPTED]

    async def test_the_first_of_a_batch_gets_the_key(self, store: TaskStore) -> None:
        batch = [make_birth(name, key=replace(KEY, digest=name.encode())) for name in "abc"]
        assert list(await store.commit(batch)) == [ACCEPTED, DUPLICATE, DUPLICATE]
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("a", b"a")

    async def test_a_commit_that_is_stale_uses_no_key(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        assert await commit(store, make_birth(key=KEY)) is STALE
        assert await store.find_key(SCOPE, "key", 1000) is None
        assert list(await store.commit([make_birth(key=KEY), make_birth("a", key=KEY)])) == [STALE, ACCEPTED]
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("a", KEY.digest)

    async def test_the_same_commit_again_is_a_duplicate_and_not_stale(self, store: TaskStore) -> None:
        await accept(store, make_birth(key=KEY))
        assert await commit(store, make_birth(key=KEY)) is DUPLICATE
        assert (await load(store)).last_seq == 1

    async def test_another_key_is_another_task(self, store: TaskStore) -> None:
        await accept(store, make_birth("a", key=make_key("A")), make_birth("b", key=make_key("a")))
        assert await store.find_key(SCOPE, "A", 1000) == KeyRecord("a", KEY.digest)
        assert await store.find_key(SCOPE, "a", 1000) == KeyRecord("b", KEY.digest)

    @pytest.mark.parametrize("scope", FOREIGN_SCOPES, ids=("agent", "tenant", "owner"))
    async def test_keys_of_another_scope_are_absent(self, store: TaskStore, scope: Scope) -> None:
        await accept(store, make_birth(key=KEY))
        assert await store.find_key(scope, "key", 1000) is None
        await accept(store, make_birth("theirs", scope=scope, key=KEY))
        assert await store.find_key(scope, "key", 1000) == KeyRecord("theirs", KEY.digest)
        assert await store.find_key(SCOPE, "key", 1000) == KeyRecord("task", KEY.digest)

    async def test_a_key_expires(self, store: TaskStore) -> None:
        await accept(store, make_birth(key=make_key(expires_at=1500)))
        assert await store.find_key(SCOPE, "key", 1499) is not None
        assert await store.find_key(SCOPE, "key", 1500) is None

    @pytest.mark.parametrize("at,outcome", [(1499, DUPLICATE), (1500, ACCEPTED)])
    async def test_a_key_is_free_again_when_it_has_expired(
        self, store: TaskStore, at: int, outcome: Outcome
    ) -> None:
        await accept(store, make_birth(key=make_key(expires_at=1500)))
        assert await commit(store, make_birth("later", at=at, key=make_key(expires_at=3000))) is outcome
        found = await store.find_key(SCOPE, "key", 1600)
        assert found == (KeyRecord("later", KEY.digest) if outcome is ACCEPTED else None)

    async def test_a_key_that_expires_within_a_batch_is_free_again(self, store: TaskStore) -> None:
        await accept(
            store,
            make_birth("a", at=1000, key=make_key(expires_at=1500)),
            make_birth("b", at=1500, key=make_key(expires_at=1600)),
        )
        assert await store.find_key(SCOPE, "key", 1500) == KeyRecord("b", KEY.digest)

    async def test_a_key_outlives_the_end_of_its_task(self, store: TaskStore) -> None:
        await accept(store, make_birth(key=KEY), make_commit(state=TaskState.COMPLETED))
        assert await commit(store, make_birth("again", key=KEY)) is DUPLICATE

    async def test_a_key_of_a_commit_that_creates_nothing_is_an_error(self, store: TaskStore) -> None:
        await accept(store, make_birth())
        with pytest.raises(ValueError, match="'task'"):
            await store.commit([make_birth("other"), make_commit(key=KEY)])
        assert await store.load(SCOPE, "other") is None
        assert (await load(store)).last_seq == 1

    async def test_commits_and_signals_share_their_keys(self, store: TaskStore) -> None:
        await accept(store, make_birth(key=KEY))
        assert await post(store, key=KEY) is DUPLICATE
        assert await post(store, key=make_key("other")) is ACCEPTED
        assert await commit(store, make_birth("again", key=make_key("other"))) is DUPLICATE


async def commit(store: TaskStore, birth: Commit) -> Outcome:
    """What becomes of the one commit."""
    [outcome] = await store.commit([birth])
    return outcome
