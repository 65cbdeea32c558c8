"""Whether the file is what the store made of it."""

import sqlite3
from collections.abc import Iterator

from dragoman.store.commits import SEPARATOR

_LOGS = """SELECT tasks.id, tasks.task_id, tasks.last_seq, segments.first_seq, segments.last_seq, segments.body
    FROM tasks JOIN segments ON segments.task = tasks.id ORDER BY tasks.id, segments.last_seq"""

# What is wrong, and the rows that are, each with a name for the operator.
_RULES = {
    "tasks have another last number than their log": """SELECT task_id FROM tasks WHERE is_compact = 0 AND last_seq <>
        coalesce((SELECT max(segments.last_seq) FROM segments WHERE task = tasks.id), 0)""",
    "compacted tasks have entries, or no snapshot of all of them": """SELECT task_id FROM tasks WHERE is_compact = 1 AND (
        EXISTS (SELECT 1 FROM segments WHERE task = tasks.id)
        OR NOT EXISTS (SELECT 1 FROM snapshots WHERE task = tasks.id AND seq = tasks.last_seq))""",
    "snapshots are ahead of their log": """SELECT task_id FROM tasks JOIN snapshots ON snapshots.task = tasks.id
        WHERE snapshots.seq > tasks.last_seq""",
    "ended tasks are held by a process": "SELECT task_id FROM tasks WHERE holder <> '' AND state IN (3, 4, 5, 7)",
    "tasks belong to no scope": "SELECT task_id FROM tasks WHERE scope NOT IN (SELECT id FROM scopes)",
    "keys belong to no scope": "SELECT key FROM keys WHERE scope NOT IN (SELECT id FROM scopes)",
    "conversations belong to no scope": "SELECT context_id FROM contexts WHERE scope NOT IN (SELECT id FROM scopes)",
    "segments belong to no task": "SELECT id FROM segments WHERE task NOT IN (SELECT id FROM tasks)",
    "snapshots belong to no task": "SELECT task FROM snapshots WHERE task NOT IN (SELECT id FROM tasks)",
    "webhooks belong to no task": "SELECT config_id FROM webhooks WHERE task NOT IN (SELECT id FROM tasks)",
    "signals belong to no task": "SELECT id FROM signals WHERE task NOT IN (SELECT id FROM tasks)",
    "webhooks are not told how long their log is": """SELECT config_id FROM webhooks JOIN tasks ON tasks.id = webhooks.task
        WHERE webhooks.last_seq <> tasks.last_seq""",
    "signals are left for another process than the one that runs the task": """SELECT signals.id FROM signals
        JOIN tasks ON tasks.id = signals.task WHERE signals.holder <> tasks.holder""",
    "totals are wrong": """SELECT 'scope ' || scope || ' state ' || state
        FROM (SELECT scope, state, tasks FROM totals UNION ALL SELECT scope, state, -count(*) FROM tasks GROUP BY scope, state)
        GROUP BY scope, state HAVING sum(tasks) <> 0""",
}


def check(connection: sqlite3.Connection) -> list[str]:
    """Everything that is wrong, as one moment shows it; a damaged file is not asked for more."""
    connection.execute("BEGIN")
    try:
        return _list_damage(connection) or [*_check_logs(connection), *_check_rules(connection)]
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
            return [f"the file is damaged: {error}"]
        raise
    finally:
        connection.execute("ROLLBACK")


def _list_damage(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("PRAGMA integrity_check(20)")
    return [f"the file is damaged: {line}" for (line,) in rows if line != "ok"]


def _check_rules(connection: sqlite3.Connection) -> Iterator[str]:
    for what, select in _RULES.items():
        found = connection.execute(select).fetchmany(_MOST)
        if found:
            yield _report(what, [str(name) for (name,) in found])


def _check_logs(connection: sqlite3.Connection) -> Iterator[str]:
    broken = list(dict.fromkeys(_list_broken_logs(connection)))
    if broken:
        yield _report("tasks have holes in their log", broken[:_MOST])


def _list_broken_logs(connection: sqlite3.Connection) -> Iterator[str]:
    current, previous = None, 0
    for task, task_id, last_of_task, first, last, body in connection.execute(_LOGS):
        if task != current:
            current, previous = task, 0
        is_whole = body.count(SEPARATOR) == last - first
        if first != previous + 1 or last > last_of_task or not is_whole:
            yield task_id
        previous = last


def _report(what: str, names: list[str]) -> str:
    count = f"{_MOST} or more" if len(names) == _MOST else str(len(names))
    return f"{count} {what}: {', '.join(repr(name) for name in names[:3])}"


_MOST = 1000
