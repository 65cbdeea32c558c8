"""Commits, applied to the tables: heads are read once, judged in memory, and written back in bulk."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from dragoman.store.commits import holder_after, join_entries
from dragoman.store.records import Commit, NewTask, Outcome, PushRegistration
from dragoman.store.sqlite.bulk import Bulk, Cells
from dragoman.store.sqlite.keys import KeyRing
from dragoman.store.sqlite.rows import STATE_NUMBERS
from dragoman.store.sqlite.scopes import ScopeIds
from dragoman.store.sqlite.signals import take

# One row however many heads there are, for every further row is another turn for the global lock. None of these
# columns holds text of a caller, which JSON in SQLite would cut at a NUL.
HEADS = Bulk(
    """SELECT (SELECT json_group_array(json_array(
        task_id, id, scope, fence, last_seq, state, status_at, holder, is_compact)) FROM tasks WHERE task_id IN ({rows})),
    (SELECT coalesce(max(id), 0) FROM tasks)""",
    1,
)
_INSERT_TASKS = Bulk(
    """INSERT INTO tasks (id, task_id, scope, context_id, created_at, state, status_at, last_seq, fence, holder) {rows}""",
    10,
)
_INSERT_SEGMENTS = Bulk("INSERT INTO segments (task, first_seq, last_seq, body) {rows}", 4, body=3)
_PUT_SNAPSHOTS = Bulk(
    """INSERT INTO snapshots (task, seq, body) {rows}
    ON CONFLICT (task) DO UPDATE SET seq = excluded.seq, body = excluded.body""",
    3,
    body=2,
)
_PUT_CONTEXTS = Bulk(
    """INSERT INTO contexts (scope, context_id, state) {rows}
    ON CONFLICT (scope, context_id) DO UPDATE SET state = excluded.state""",
    3,
    body=2,
)
PUT_WEBHOOKS = Bulk(
    """INSERT INTO webhooks (task, config_id, config, cursor, last_seq) {rows}
    ON CONFLICT (task, config_id) DO UPDATE SET config = excluded.config, cursor = excluded.cursor,
    last_seq = excluded.last_seq, attempts = 0, next_attempt_at = 0, failing_since = 0, last_error = '', is_dead = 0,
    leased_until = 0""",
    5,
)

# Two statements, because a column that is named is rewritten in its indexes even when its value stays.
ADVANCE = Bulk("UPDATE tasks SET last_seq = column2 FROM ({rows}) WHERE tasks.id = column1", 2)
CHANGE_STATUS = Bulk(
    """UPDATE tasks SET last_seq = column2, state = column3, status_at = column4, holder = column5
    FROM ({rows}) WHERE tasks.id = column1""",
    5,
)


class Head(msgspec.Struct, array_like=True):
    """What decides whether a commit fits, and what it changes."""

    task_id: str
    rowid: int
    scope: int
    fence: int
    last_seq: int
    state: int
    status_at: int
    holder: str
    is_compact: int = 0
    new: NewTask | None = None
    has_new_status: bool = False

    def fits(self, commit: Commit, scope: int) -> bool:
        mine = (self.scope, self.fence, self.last_seq + 1, self.is_compact)
        return mine == (scope, commit.fence, commit.first, 0)

    def accept(self, commit: Commit) -> None:
        self.last_seq = commit.last
        status = (STATE_NUMBERS[commit.header.state], commit.header.status_at, holder_after(commit))
        if status != (self.state, self.status_at, self.holder):
            self.state, self.status_at, self.holder = status
            self.has_new_status = True

    def to_row(self, new: NewTask) -> Cells:
        return (
            self.rowid,
            self.task_id,
            self.scope,
            new.context_id,
            new.created_at,
            self.state,
            self.status_at,
            self.last_seq,
            self.fence,
            self.holder,
        )


def webhook_row(rowid: int, push: PushRegistration, last_seq: int) -> Cells:
    """The values for PUT_WEBHOOKS."""
    return (rowid, push.config_id, push.config, push.cursor, last_seq)


def append(connection: sqlite3.Connection, scopes: ScopeIds, commits: Sequence[Commit]) -> list[Outcome]:
    """Apply the commits in order, within the transaction that is open."""
    work = _Appending(connection, scopes, commits)
    outcomes = [work.apply(commit) for commit in commits]
    work.write()
    return outcomes


class _Appending:
    """A run of commits between reading the heads and writing the rows."""

    def __init__(self, connection: sqlite3.Connection, scopes: ScopeIds, commits: Iterable[Commit]) -> None:
        self._connection = connection
        self._scopes = scopes
        self._heads, self._last_rowid = _load_heads(connection, commits)
        self._changed: dict[int, Head] = {}
        self._segments: list[Cells] = []
        self._snapshots: dict[int, Cells] = {}
        self._contexts: dict[tuple[int, str], Cells] = {}
        self._webhooks: list[tuple[Head, PushRegistration]] = []
        self._taken: list[tuple[int, int]] = []
        self._keys = KeyRing(connection, scopes, commits)

    def apply(self, commit: Commit) -> Outcome:
        scope = self._scopes.find(self._connection, commit.scope)
        if self._keys.is_used(scope, commit):
            return Outcome.DUPLICATE
        head = self._create(commit, commit.new, scope) if commit.new else self._find_current(commit, scope)
        if head is None:
            return Outcome.STALE
        head.accept(commit)
        self._collect(commit, head)
        return Outcome.ACCEPTED

    def write(self) -> None:
        connection = self._connection
        heads = self._changed.values()
        _INSERT_TASKS.run(connection, [head.to_row(head.new) for head in heads if head.new])
        self._update([head for head in heads if not head.new])
        _INSERT_SEGMENTS.run(connection, self._segments)
        _PUT_SNAPSHOTS.run(connection, self._snapshots.values())
        _PUT_CONTEXTS.run(connection, self._contexts.values())
        PUT_WEBHOOKS.run(
            connection, [webhook_row(head.rowid, push, head.last_seq) for head, push in self._webhooks]
        )
        take(connection, self._taken)
        self._keys.write()

    def _create(self, commit: Commit, new: NewTask, scope: int) -> Head | None:
        if commit.task_id in self._heads or commit.first != 1:
            return None
        self._last_rowid += 1
        head = Head(commit.task_id, self._last_rowid, scope, commit.fence, 0, 0, 0, "", new=new)
        self._heads[commit.task_id] = head
        return head

    def _find_current(self, commit: Commit, scope: int) -> Head | None:
        head = self._heads.get(commit.task_id)
        return head if head is not None and head.fits(commit, scope) else None

    def _collect(self, commit: Commit, head: Head) -> None:
        task = head.rowid
        self._changed[task] = head
        if commit.entries:
            self._segments.append((task, commit.first, commit.last, join_entries(commit.entries)))
        if commit.snapshot is not None:
            self._snapshots[task] = (task, commit.last, commit.snapshot)
        if commit.context is not None:
            context_id = commit.context.context_id
            self._contexts[head.scope, context_id] = (head.scope, context_id, commit.context.state)
        self._webhooks += [(head, push) for push in commit.push]
        self._taken += [(signal, task) for signal in commit.taken]
        self._keys.use(head.scope, commit)

    def _update(self, heads: Sequence[Head]) -> None:
        ADVANCE.run(
            self._connection, [(head.rowid, head.last_seq) for head in heads if not head.has_new_status]
        )
        CHANGE_STATUS.run(
            self._connection,
            [
                (head.rowid, head.last_seq, head.state, head.status_at, head.holder)
                for head in heads
                if head.has_new_status
            ],
        )


def _load_heads(connection: sqlite3.Connection, commits: Iterable[Commit]) -> tuple[dict[str, Head], int]:
    heads: dict[str, Head] = {}
    highest = 0
    for found, last_rowid in HEADS.query(connection, {(commit.task_id,) for commit in commits}):
        heads |= {head.task_id: head for head in _DECODER.decode(found)}
        highest = last_rowid
    return heads, highest


_DECODER = msgspec.json.Decoder(list[Head])
