"""Signals: what other processes leave for whoever runs a task."""

# ruff: noqa: S608 -- statements are put together from the constants of this package; values are bound

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.store.records import IdempotencyKey, Outcome, Scope, Signal
from dragoman.store.sqlite.bulk import Bulk
from dragoman.store.sqlite.keys import find_key, put_key
from dragoman.store.sqlite.rows import SCOPE_ID, TERMINAL_NUMBERS, scope_columns

TASK = f"""SELECT id, scope, state, holder, (SELECT count(*) FROM signals WHERE signals.task = tasks.id)
    FROM tasks WHERE task_id = ? AND scope = {SCOPE_ID}"""
HELD = """SELECT signals.id, tasks.task_id, signals.body FROM signals INDEXED BY signals_by_holder
    JOIN tasks ON tasks.id = signals.task WHERE signals.holder = ? ORDER BY signals.id LIMIT ?"""
OF_TASK = """SELECT signals.id, tasks.task_id, signals.body FROM tasks
    CROSS JOIN signals INDEXED BY signals_by_task ON signals.task = tasks.id WHERE tasks.task_id = ? ORDER BY signals.id"""
TAKE = Bulk(
    """DELETE FROM signals WHERE id IN
    (SELECT signals.id FROM ({rows}) CROSS JOIN signals ON signals.id = column1 AND signals.task = column2)""",
    2,
)


@dataclass(frozen=True, slots=True)
class Posting:
    """What `TaskStore.post` is asked."""

    scope: Scope
    task_id: str
    body: bytes
    limit: int
    now: int
    key: IdempotencyKey | None


def post(connection: sqlite3.Connection, posting: Posting) -> Outcome:
    """Leave a signal, if the task can have one more."""
    scope, key = posting.scope, posting.key
    if key is not None and find_key(connection, scope, key.key, posting.now):
        return Outcome.DUPLICATE
    row = connection.execute(TASK, (posting.task_id, *scope_columns(scope))).fetchone()
    if row is None:
        return Outcome.STALE
    task, scope_id, state, holder, waiting = row
    if state in TERMINAL_NUMBERS or waiting >= posting.limit:
        return Outcome.STALE
    insert = "INSERT INTO signals (task, holder, body) VALUES (?, ?, ?)"
    connection.execute(insert, (task, holder, posting.body))
    if key is not None:
        put_key(connection, scope_id, key, posting.task_id)
    return Outcome.ACCEPTED


def list_held(connection: sqlite3.Connection, holder: str, limit: int) -> list[Signal]:
    """Signals for what the process runs."""
    # The tasks of nobody have the empty holder.
    return [Signal(*row) for row in connection.execute(HELD, (holder, limit))] if holder else []


def list_of_task(connection: sqlite3.Connection, task_id: str) -> list[Signal]:
    """Signals for the one task."""
    return [Signal(*row) for row in connection.execute(OF_TASK, (task_id,))]


def take(connection: sqlite3.Connection, signals: Sequence[tuple[int, int]]) -> None:
    """Delete signals, each given by its number and the row of its task."""
    TAKE.run(connection, signals)
