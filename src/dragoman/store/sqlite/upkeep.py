"""What keeps the file from growing for ever, and says how big it is."""

# ruff: noqa: S608 -- statements are put together from the constants of this package; values are bound

import sqlite3

from dragoman.store.sqlite.bulk import dump_json
from dragoman.store.sqlite.schema import ENDED

COMPACTABLE = f"""SELECT tasks.id FROM tasks INDEXED BY tasks_ended
    JOIN scopes ON scopes.id = tasks.scope JOIN snapshots ON snapshots.task = tasks.id AND snapshots.seq = tasks.last_seq
    WHERE {ENDED} AND tasks.is_compact = 0 AND tasks.status_at < ? AND scopes.agent = ?
    AND NOT EXISTS (SELECT 1 FROM webhooks WHERE task = tasks.id AND cursor < webhooks.last_seq AND is_dead = 0)
    LIMIT ?"""
FORGETTABLE = f"""SELECT tasks.id FROM tasks INDEXED BY tasks_ended JOIN scopes ON scopes.id = tasks.scope
    WHERE {ENDED} AND tasks.is_compact IN (0, 1) AND tasks.status_at < ? AND scopes.agent = ? LIMIT ?"""
DROP_SEGMENTS = "DELETE FROM segments WHERE task IN (SELECT value FROM json_each(?))"
DROP_TASKS = "DELETE FROM tasks WHERE id IN (SELECT value FROM json_each(?))"
_MARK = "UPDATE tasks SET is_compact = 1 WHERE id IN (SELECT value FROM json_each(?))"
DROP_KEYS = """DELETE FROM keys WHERE (scope, key) IN
    (SELECT scope, key FROM keys INDEXED BY keys_by_expiry WHERE expires_at <= ? LIMIT ?)"""
_SIZES = {
    "tasks": "SELECT coalesce(sum(tasks), 0) FROM totals",
    "conversations": "SELECT count(*) FROM contexts",
    "webhooks": "SELECT count(*) FROM webhooks",
    "dead_webhooks": "SELECT count(*) FROM webhooks INDEXED BY webhooks_dead WHERE is_dead = 1",
    "keys": "SELECT count(*) FROM keys",
    "signals": "SELECT count(*) FROM signals",
    "processes": "SELECT count(*) FROM workers",
    "segments": "SELECT count(*) FROM segments",
    "snapshots": "SELECT count(*) FROM snapshots",
    "bytes": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "free_bytes": "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size",
}


def compact(connection: sqlite3.Connection, agent: str, ended_before: int, limit: int) -> int:
    """Leave of ended tasks their snapshots alone."""
    found = connection.execute(COMPACTABLE, (ended_before, agent, max(limit, 0))).fetchall()
    if found:
        tasks = dump_json([task for (task,) in found])
        connection.execute(DROP_SEGMENTS, (tasks,))
        connection.execute(_MARK, (tasks,))
    return len(found)


def forget(connection: sqlite3.Connection, agent: str, ended_before: int, now: int, limit: int) -> int:
    """Delete ended tasks, then keys that mean nothing any more, then processes."""
    limit = max(limit, 0)
    found = connection.execute(FORGETTABLE, (ended_before, agent, limit)).fetchall()
    if found:
        # What belongs to them goes by the trigger `tasks_vanish`.
        connection.execute(DROP_TASKS, (dump_json([task for (task,) in found]),))
    keys = connection.execute(DROP_KEYS, (now, limit - len(found))).rowcount
    connection.execute("DELETE FROM workers WHERE alive_until < ?", (min(ended_before, now),))
    return len(found) + keys


def measure(connection: sqlite3.Connection) -> dict[str, int]:
    """How much there is of each thing."""
    return {name: connection.execute(select).fetchone()[0] for name, select in _SIZES.items()}
