"""How tasks lie in memory, and in which order they are found."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from dragoman.model import TaskState
from dragoman.store.records import (
    Commit,
    NewTask,
    PushDelivery,
    PushRegistration,
    Scope,
    StoredTask,
    TaskHeader,
    TaskQuery,
)

Key: TypeAlias = tuple[int, str]
"""When the status changed, and the task's id: the order of lists."""

_FEW = 8
"""So many tasks of a conversation are kept in a tuple, which the garbage collector forgets; more in a list, which is cheaper to change."""


class TaskRow(Struct, gc=False):
    """One task. `webhooks` and `leases` stay None until there is one, for most tasks never have any.

    Nothing in a row leads back to it, and what an ended task keeps is of tuples, texts and bytes: so a store of a million tasks gives
    the garbage collector nothing to look at. A log that still grows is a list.
    """

    task_id: str
    owned: "OwnedRows"
    context_id: str
    header: TaskHeader
    key: Key
    fence: int
    holder: str = ""
    log: tuple[bytes, ...] | list[bytes] = ()
    last_seq: int = 0
    is_compact: bool = False
    snapshot: bytes | None = None
    snapshot_seq: int = 0
    webhooks: dict[str, PushDelivery] | None = None
    leases: dict[str, int] | None = None

    @classmethod
    def begin(cls, commit: Commit, new: NewTask, owned: "OwnedRows") -> "TaskRow":
        """The row of a task that the commit creates, before its entries are in it."""
        header = commit.header
        key = (header.status_at, commit.task_id)
        return cls(commit.task_id, owned, new.context_id, header, key, commit.fence)

    def belongs_to(self, scope: Scope) -> bool:
        return self.owned.scope is scope or self.owned.scope == scope

    @property
    def has_ended(self) -> bool:
        return self.header.state.is_terminal

    @property
    def is_compactable(self) -> bool:
        webhooks = (self.webhooks or {}).values()
        is_told = all(webhook.is_dead or webhook.cursor >= self.last_seq for webhook in webhooks)
        return is_told and self.snapshot is not None and self.snapshot_seq == self.last_seq

    def append(self, entries: tuple[bytes, ...], *, is_last: bool) -> None:
        """Add to the log, which `is_last` to grow if the task ends with it."""
        if is_last:
            self.log = (*self.log, *entries) if self.log else entries
        elif isinstance(self.log, list):
            self.log += entries
        else:
            self.log = [*self.log, *entries]
        self.last_seq += len(entries)

    def compact(self) -> None:
        self.log = ()
        self.is_compact = True

    def lease(self, config_id: str, until: int) -> None:
        if self.leases is None:
            self.leases = {}
        self.leases[config_id] = until

    def leased_until(self, config_id: str, otherwise: int) -> int:
        return (self.leases or {}).get(config_id, otherwise)

    def release(self, config_id: str) -> None:
        (self.leases or {}).pop(config_id, None)

    def register(self, push: PushRegistration) -> None:
        self.release(push.config_id)
        if self.webhooks is None:
            self.webhooks = {}
        self.webhooks[push.config_id] = PushDelivery(
            self.owned.scope, self.task_id, push.config_id, push.config, push.cursor, self.last_seq
        )

    def to_record(self) -> StoredTask:
        return StoredTask(
            scope=self.owned.scope,
            task_id=self.task_id,
            context_id=self.context_id,
            header=self.header,
            fence=self.fence,
            holder=self.holder,
            last_seq=self.last_seq,
            snapshot=self.snapshot,
            snapshot_seq=self.snapshot_seq,
            tail=() if self.is_compact else tuple(self.log[self.snapshot_seq :]),
        )


class OwnedRows:
    """What belongs to one scope: its conversations, and its tasks in order under each state and each conversation."""

    __slots__ = ("_by_context", "_by_state", "conversations", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.conversations: dict[str, bytes] = {}
        self._by_state: dict[TaskState, list[Key]] = {}
        self._by_context: dict[str, tuple[Key, ...] | list[Key]] = {}

    def add(self, row: TaskRow) -> None:
        _insert(self._by_state.setdefault(row.header.state, []), row.key)
        siblings = self._by_context.get(row.context_id, ())
        if isinstance(siblings, list):
            _insert(siblings, row.key)
        elif len(siblings) < _FEW:
            self._by_context[row.context_id] = tuple(sorted((*siblings, row.key)))
        else:
            self._by_context[row.context_id] = sorted((*siblings, row.key))

    def move(self, row: TaskRow, header: TaskHeader) -> None:
        """Give the task its new status, and its new place."""
        _remove(self._by_state[row.header.state], row.key)
        self._leave_context(row)
        row.header = header
        row.key = (header.status_at, row.task_id)
        self.add(row)

    def remove(self, row: TaskRow) -> None:
        """Forget the task, and with the last of a conversation what that remembers."""
        _remove(self._by_state[row.header.state], row.key)
        self._leave_context(row)
        if not self._by_context[row.context_id]:
            del self._by_context[row.context_id]
            self.conversations.pop(row.context_id, None)

    def _leave_context(self, row: TaskRow) -> None:
        siblings = self._by_context[row.context_id]
        if isinstance(siblings, list):
            _remove(siblings, row.key)
        else:
            self._by_context[row.context_id] = tuple(key for key in siblings if key != row.key)

    def find_ended(self, before: int) -> Iterator[str]:
        """Ids of tasks that ended before then."""
        for state, keys in self._by_state.items():
            if state.is_terminal:
                yield from (task_id for _, task_id in keys[: bisect_left(keys, (before, ""))])

    def find(self, query: TaskQuery) -> Iterable[Sequence[Key]]:
        """Ordered runs of keys, which together are what the query's context and state ask for."""
        if not query.context_id:
            return self._by_state.values() if _is_any(query.state) else [self._by_state.get(query.state, [])]
        keys = self._by_context.get(query.context_id, ())
        if _is_any(query.state):
            return [keys]
        wanted = self._by_state.get(query.state, [])
        return [[key for key in keys if _holds(wanted, key)]]


def _is_any(state: TaskState) -> bool:
    return state is TaskState.UNSPECIFIED


def _holds(keys: list[Key], key: Key) -> bool:
    position = bisect_left(keys, key)
    return position < len(keys) and keys[position] == key


def _insert(keys: list[Key], key: Key) -> None:
    if not keys or keys[-1] < key:
        keys.append(key)
    else:
        insort(keys, key)


def _remove(keys: list[Key], key: Key) -> None:
    del keys[bisect_left(keys, key)]
