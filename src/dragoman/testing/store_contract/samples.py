"""What the tests put into a store, and the store that they put it into."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from dragoman.model import TaskState
from dragoman.store import (
    Commit,
    ContextState,
    IdempotencyKey,
    NewTask,
    Outcome,
    PushRegistration,
    Scope,
    StoredTask,
    TaskHeader,
    TaskStore,
)

SCOPE = Scope(agent="greeter", tenant="acme", owner="ada")
FOREIGN_SCOPES = (
    Scope(agent="printer", tenant="acme", owner="ada"),
    Scope(agent="greeter", tenant="zenith", owner="ada"),
    Scope(agent="greeter", tenant="acme", owner="bob"),
)
ACCEPTED = Outcome.ACCEPTED
STALE = Outcome.STALE
DUPLICATE = Outcome.DUPLICATE


class StoreContract(ABC):
    """Tests of a store, which a subclass makes."""

    pytestmark = pytest.mark.asyncio

    @abstractmethod
    def make_store(self, place: Path) -> TaskStore:
        """An unopened store; the same data for the same `place`, an empty directory at first."""

    @pytest_asyncio.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[TaskStore]:
        async with self.make_store(tmp_path) as store:
            yield store


def make_commit(
    task_id: str = "task",
    *,
    scope: Scope = SCOPE,
    fence: int = 1,
    first: int = 2,
    count: int = 1,
    state: TaskState = TaskState.WORKING,
    at: int = 1000,
    holder: str = "",
    new: NewTask | None = None,
    snapshot: bytes | None = None,
    context: ContextState | None = None,
    push: tuple[PushRegistration, ...] = (),
    key: IdempotencyKey | None = None,
    taken: tuple[int, ...] = (),
) -> Commit:
    """The second commit of a task, unless it is told otherwise."""
    return Commit(
        scope=scope,
        task_id=task_id,
        fence=fence,
        first=first,
        entries=number(count, first),
        header=TaskHeader(state=state, status_at=at),
        holder=holder,
        new=new,
        snapshot=snapshot,
        context=context,
        push=push,
        key=key,
        taken=taken,
    )


def make_birth(
    task_id: str = "task",
    *,
    scope: Scope = SCOPE,
    context_id: str = "talk",
    count: int = 1,
    state: TaskState = TaskState.WORKING,
    at: int = 1000,
    holder: str = "",
    snapshot: bytes | None = None,
    context: ContextState | None = None,
    push: tuple[PushRegistration, ...] = (),
    key: IdempotencyKey | None = None,
) -> Commit:
    """The first commit of a task."""
    return make_commit(
        task_id,
        scope=scope,
        first=1,
        count=count,
        state=state,
        at=at,
        holder=holder,
        new=NewTask(context_id=context_id, created_at=at),
        snapshot=snapshot,
        context=context,
        push=push,
        key=key,
    )


def make_key(key: str = "key", expires_at: int = 2000, digest: bytes = b"digest\0") -> IdempotencyKey:
    """A key that lives for a second after the tasks of these samples were made."""
    return IdempotencyKey(key=key, digest=digest, expires_at=expires_at)


def make_push(
    config_id: str = "hook", cursor: int = 0, config: bytes = b'{"url":"https://ada.example"}'
) -> PushRegistration:
    """A webhook that was told everything up to `cursor`."""
    return PushRegistration(config_id=config_id, config=config, cursor=cursor)


def number(count: int, first: int = 1) -> tuple[bytes, ...]:
    """As many entries, each saying its number."""
    return tuple(b'{"n":%d}' % seq for seq in range(first, first + count))


async def accept(store: TaskStore, *batch: Commit) -> None:
    """Commit what must be accepted."""
    assert list(await store.commit(batch)) == [ACCEPTED] * len(batch)


async def refuse(store: TaskStore, *batch: Commit) -> None:
    """Commit what must be refused."""
    assert list(await store.commit(batch)) == [STALE] * len(batch)


async def post(
    store: TaskStore,
    task_id: str = "task",
    body: bytes = b"hello",
    *,
    scope: Scope = SCOPE,
    limit: int = 100,
    now: int = 1000,
    key: IdempotencyKey | None = None,
) -> Outcome:
    """Leave a signal, where there is room for many."""
    return await store.post(scope, task_id, body, limit=limit, now=now, key=key)


async def load(store: TaskStore, task_id: str = "task", scope: Scope = SCOPE) -> StoredTask:
    """The task, which must be there."""
    stored = await store.load(scope, task_id)
    assert stored is not None
    return stored


async def read_all(store: TaskStore, task_id: str = "task") -> Sequence[bytes]:
    """The whole log."""
    return list(await store.read(task_id, 0, 1_000_000))
