"""How records lie in rows."""

import sqlite3
from collections.abc import Iterator
from typing import Any, TypeAlias

from dragoman.model import TaskState
from dragoman.store.commits import split_entries
from dragoman.store.records import Scope, StoredTask, TaskHeader

Row: TypeAlias = tuple[Any, ...]

# The numbers of the protocol's own enumeration (SPEC 1.2).
STATE_NUMBERS: dict[TaskState, int] = {
    TaskState.UNSPECIFIED: 0,
    TaskState.SUBMITTED: 1,
    TaskState.WORKING: 2,
    TaskState.COMPLETED: 3,
    TaskState.FAILED: 4,
    TaskState.CANCELED: 5,
    TaskState.INPUT_REQUIRED: 6,
    TaskState.REJECTED: 7,
    TaskState.AUTH_REQUIRED: 8,
}
STATES = {number: state for state, number in STATE_NUMBERS.items()}
TERMINAL_NUMBERS = frozenset(number for number, state in STATES.items() if state.is_terminal)

MAX_NUMBER = 2**63 - 1

SCOPE_ID = "(SELECT id FROM scopes WHERE agent = ? AND tenant = ? AND owner = ?)"

TASK_COLUMNS = """tasks.task_id, tasks.context_id, tasks.state, tasks.status_at, tasks.fence, tasks.holder,
    tasks.last_seq, snapshots.body, coalesce(snapshots.seq, 0)"""

# The task by its id, for its row's number may be another task's once it is forgotten.
_SEGMENTS = """SELECT first_seq, body FROM segments WHERE task = (SELECT id FROM tasks WHERE task_id = ?)
    AND last_seq > ? AND first_seq <= ? ORDER BY last_seq"""


def scope_columns(scope: Scope) -> tuple[str, str, str]:
    """The values for SCOPE_ID."""
    return (scope.agent, scope.tenant, scope.owner)


def load_stored(connection: sqlite3.Connection, scope: Scope, row: Row) -> StoredTask | None:
    """The task of a row of TASK_COLUMNS; None if it was forgotten since the row was read.

    Row and tail need no common transaction: the log before the row's last number does not change any more, and what is
    compacted has no tail. So a tail that is too short is one that is gone.
    """
    task_id, context_id, state, status_at, fence, holder, last_seq, snapshot, snapshot_seq = row
    tail: tuple[bytes, ...] = ()
    if snapshot_seq < last_seq:
        tail = tuple(iterate_entries(connection, task_id, snapshot_seq, last_seq))
        if len(tail) < last_seq - snapshot_seq:
            return None
    return StoredTask(
        scope=scope,
        task_id=task_id,
        context_id=context_id,
        header=TaskHeader(STATES[state], status_at),
        fence=fence,
        holder=holder,
        last_seq=last_seq,
        snapshot=snapshot,
        snapshot_seq=snapshot_seq,
        tail=tail,
    )


def iterate_entries(
    connection: sqlite3.Connection, task_id: str, after: int, last: int = MAX_NUMBER
) -> Iterator[bytes]:
    """The entries numbered `after` + 1 and up, of the segments that begin up to `last`."""
    for first_seq, body in connection.execute(_SEGMENTS, (task_id, after, last)):
        yield from split_entries(body)[max(after + 1 - first_seq, 0) :]
