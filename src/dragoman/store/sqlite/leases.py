"""Who runs which task, and who is alive (I3)."""

# ruff: noqa: S608 -- statements are put together from the constants of this package; values are bound

import sqlite3

from dragoman.store.records import Scope, StoredTask
from dragoman.store.sqlite.rows import TASK_COLUMNS, TERMINAL_NUMBERS, load_stored

_TERMINAL = ", ".join(map(str, sorted(TERMINAL_NUMBERS)))
_CLAIMABLE = """SELECT tasks.id, tasks.state, tasks.holder, coalesce(workers.alive_until, 0)
    FROM tasks LEFT JOIN workers ON workers.holder = tasks.holder WHERE tasks.task_id = ?"""
_OWNED_TASK = f"""SELECT scopes.agent, scopes.tenant, scopes.owner, {TASK_COLUMNS}
    FROM tasks JOIN scopes ON scopes.id = tasks.scope LEFT JOIN snapshots ON snapshots.task = tasks.id WHERE tasks.id = ?"""
_HELD_BY_THE_DEAD = """SELECT tasks.task_id FROM tasks INDEXED BY tasks_by_holder
    JOIN scopes ON scopes.id = tasks.scope LEFT JOIN workers ON workers.holder = tasks.holder
    WHERE tasks.holder <> '' AND scopes.agent = ?1 AND coalesce(workers.alive_until, ?2) <= ?2"""
_UNHEARD = f"""SELECT DISTINCT tasks.task_id FROM signals INDEXED BY signals_by_holder
    CROSS JOIN tasks ON tasks.id = signals.task JOIN scopes ON scopes.id = tasks.scope
    WHERE signals.holder = '' AND scopes.agent = ?1 AND tasks.state NOT IN ({_TERMINAL})"""
_ORPHANS = f"{_HELD_BY_THE_DEAD} UNION ALL {_UNHEARD} LIMIT ?3"


def beat(connection: sqlite3.Connection, holder: str, alive_until: int) -> None:
    """Declare the process alive."""
    connection.execute(
        "INSERT INTO workers VALUES (?, ?) ON CONFLICT (holder) DO UPDATE SET alive_until = excluded.alive_until",
        (holder, alive_until),
    )


def retire(connection: sqlite3.Connection, holder: str) -> None:
    """Forget the process."""
    connection.execute("DELETE FROM workers WHERE holder = ?", (holder,))


def claim(connection: sqlite3.Connection, task_id: str, holder: str, now: int) -> StoredTask | None:
    """Take the task over, if it is to be had."""
    row = connection.execute(_CLAIMABLE, (task_id,)).fetchone()
    if row is None:
        return None
    rowid, state, current, alive_until = row
    is_held = current not in ("", holder) and alive_until > now
    if is_held or state in TERMINAL_NUMBERS:
        return None
    connection.execute("UPDATE tasks SET fence = fence + 1, holder = ? WHERE id = ?", (holder, rowid))
    agent, tenant, owner, *columns = connection.execute(_OWNED_TASK, (rowid,)).fetchone()
    return load_stored(connection, Scope(agent, tenant, owner), tuple(columns))


def list_orphans(connection: sqlite3.Connection, agent: str, now: int, limit: int) -> list[str]:
    """Ids of tasks that dead processes hold, or that nobody holds while a signal waits for them."""
    return [task_id for (task_id,) in connection.execute(_ORPHANS, (agent, now, limit))]
