"""Tasks, entries, conversations and lists, read."""

# ruff: noqa: S608 -- statements are put together from the constants of this package; values are bound

import sqlite3
from itertools import islice

from dragoman.model import TaskState
from dragoman.store.records import Scope, StoredTask, TaskPage, TaskQuery
from dragoman.store.sqlite.rows import (
    SCOPE_ID,
    STATE_NUMBERS,
    TASK_COLUMNS,
    Row,
    iterate_entries,
    load_stored,
    scope_columns,
)

_TASK = f"""SELECT {TASK_COLUMNS} FROM tasks LEFT JOIN snapshots ON snapshots.task = tasks.id
    WHERE tasks.task_id = ? AND tasks.scope = {SCOPE_ID}"""


def load_task(connection: sqlite3.Connection, scope: Scope, task_id: str) -> StoredTask | None:
    """The task with its snapshot and what came after."""
    row = connection.execute(_TASK, (task_id, *scope_columns(scope))).fetchone()
    return None if row is None else load_stored(connection, scope, row)


def read_entries(connection: sqlite3.Connection, task_id: str, after: int, limit: int) -> list[bytes]:
    """A stretch of the log."""
    return list(islice(iterate_entries(connection, task_id, after), max(limit, 0)))


def load_context(connection: sqlite3.Connection, scope: Scope, context_id: str) -> bytes | None:
    """What the conversation remembers."""
    select = f"SELECT state FROM contexts WHERE scope = {SCOPE_ID} AND context_id = ?"
    row = connection.execute(select, (*scope_columns(scope), context_id)).fetchone()
    return None if row is None else row[0]


def list_tasks(connection: sqlite3.Connection, scope: Scope, query: TaskQuery) -> TaskPage:
    """A page of tasks, and how many there are."""
    where, values = _filter(scope, query)
    total = connection.execute(f"SELECT {_total(query)} WHERE {where}", values).fetchone()[0]
    rows = connection.execute(*_select_page(query, where, values)).fetchall()
    tasks = (load_stored(connection, scope, row) for row in rows[: query.limit])
    return TaskPage(
        tasks=tuple(task for task in tasks if task), total=total, has_more=len(rows) > query.limit
    )


def _select_page(query: TaskQuery, where: str, values: Row) -> tuple[str, Row]:
    if query.after is not None:
        where += " AND (status_at, task_id) < (?, ?)"
        values = (*values, *query.after)
    select = f"""SELECT {TASK_COLUMNS} FROM {_indexed(query)} LEFT JOIN snapshots ON snapshots.task = tasks.id
        WHERE {where} ORDER BY status_at DESC, task_id DESC LIMIT ?"""
    return select, (*values, query.limit + 1)


def _total(query: TaskQuery) -> str:
    """How many match: looked up where the filter allows it, counted else."""
    if query.context_id or query.status_at_least is not None:
        return f"count(*) FROM {_indexed(query)}"
    return "coalesce(sum(tasks), 0) FROM totals"


def _filter(scope: Scope, query: TaskQuery) -> tuple[str, Row]:
    where = f"scope = {SCOPE_ID}"
    values: Row = scope_columns(scope)
    if query.context_id:
        where += " AND context_id = ?"
        values = (*values, query.context_id)
    if query.state is not TaskState.UNSPECIFIED:
        where += " AND state = ?"
        values = (*values, STATE_NUMBERS[query.state])
    if query.status_at_least is not None:
        where += " AND status_at >= ?"
        values = (*values, query.status_at_least)
    return where, values


def _indexed(query: TaskQuery) -> str:
    """Name the index, for without statistics of the tables SQLite guesses."""
    if query.context_id:
        return "tasks INDEXED BY tasks_by_context"
    if query.state is not TaskState.UNSPECIFIED:
        return "tasks INDEXED BY tasks_by_state"
    return "tasks INDEXED BY tasks_by_status"
