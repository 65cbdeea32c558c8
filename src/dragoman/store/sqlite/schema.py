"""The tables, and the way to them from every earlier version of them.

`PRAGMA user_version` counts the migrations that a file has been through. A migration that was released is never edited.
"""

import sqlite3
from typing import TypeAlias

from dragoman.model import UnavailableError

Migration: TypeAlias = tuple[str, ...]

ENDED = "tasks.state IN (3, 4, 5, 7)"
"""What a query says to be allowed to use the index `tasks_ended`."""

_TASK_LOG: Migration = (
    """CREATE TABLE scopes (
        id INTEGER PRIMARY KEY,
        agent TEXT NOT NULL,
        tenant TEXT NOT NULL,
        owner TEXT NOT NULL,
        UNIQUE (agent, tenant, owner)
    )""",
    """CREATE TABLE tasks (
        id INTEGER PRIMARY KEY,
        task_id TEXT NOT NULL UNIQUE,
        scope INTEGER NOT NULL,
        context_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        state INTEGER NOT NULL,
        status_at INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        fence INTEGER NOT NULL,
        holder TEXT NOT NULL
    )""",
    "CREATE INDEX tasks_by_status ON tasks (scope, status_at, task_id)",
    "CREATE INDEX tasks_by_state ON tasks (scope, state, status_at, task_id)",
    "CREATE INDEX tasks_by_context ON tasks (scope, context_id, status_at, task_id)",
    "CREATE INDEX tasks_by_holder ON tasks (holder) WHERE holder <> ''",
    # Rows are appended, so that the segments of all tasks of one commit share pages; clustered by task each would dirty one.
    """CREATE TABLE segments (
        id INTEGER PRIMARY KEY,
        task INTEGER NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX segments_by_task ON segments (task, last_seq)",
    # Apart from tasks, because SQLite rewrites a row whole and most commits bring no snapshot.
    "CREATE TABLE snapshots (task INTEGER PRIMARY KEY, seq INTEGER NOT NULL, body BLOB NOT NULL)",
    """CREATE TABLE contexts (
        scope INTEGER NOT NULL,
        context_id TEXT NOT NULL,
        state BLOB NOT NULL,
        PRIMARY KEY (scope, context_id)
    )""",
    "CREATE TABLE workers (holder TEXT PRIMARY KEY, alive_until INTEGER NOT NULL) WITHOUT ROWID",
    # `last_seq` repeats the task's, so that the index holds only the webhooks with something to tell.
    """CREATE TABLE webhooks (
        task INTEGER NOT NULL,
        config_id TEXT NOT NULL,
        config BLOB NOT NULL,
        cursor INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_at INTEGER NOT NULL DEFAULT 0,
        failing_since INTEGER NOT NULL DEFAULT 0,
        last_error TEXT NOT NULL DEFAULT '',
        is_dead INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (task, config_id)
    )""",
    "CREATE INDEX webhooks_due ON webhooks (next_attempt_at, task, config_id) WHERE cursor < last_seq AND is_dead = 0",
    """CREATE TRIGGER webhooks_follow AFTER UPDATE OF last_seq ON tasks BEGIN
        UPDATE webhooks SET last_seq = new.last_seq WHERE task = new.id;
    END""",
    # Counted as they come and change, because every page of a list names the total and counting 10^5 takes 10 ms.
    """CREATE TABLE totals (
        scope INTEGER NOT NULL,
        state INTEGER NOT NULL,
        tasks INTEGER NOT NULL,
        PRIMARY KEY (scope, state)
    ) WITHOUT ROWID""",
    """CREATE TRIGGER totals_grow AFTER INSERT ON tasks BEGIN
        INSERT INTO totals VALUES (new.scope, new.state, 1) ON CONFLICT (scope, state) DO UPDATE SET tasks = tasks + 1;
    END""",
    """CREATE TRIGGER totals_move AFTER UPDATE OF state ON tasks WHEN new.state <> old.state BEGIN
        UPDATE totals SET tasks = tasks - 1 WHERE scope = old.scope AND state = old.state;
        INSERT INTO totals VALUES (new.scope, new.state, 1) ON CONFLICT (scope, state) DO UPDATE SET tasks = tasks + 1;
    END""",
)

_MANY_PROCESSES: Migration = (
    # The task's own id and not its row, for a key outlives its task.
    """CREATE TABLE keys (
        scope INTEGER NOT NULL,
        key TEXT NOT NULL,
        task_id TEXT NOT NULL,
        digest BLOB NOT NULL,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITHOUT ROWID""",
    "CREATE INDEX keys_by_expiry ON keys (expires_at)",
    # AUTOINCREMENT, or the number of the newest would be used again once it is taken. `holder` repeats the task's, so that a
    # process finds its signals without looking at all the tasks that it runs.
    """CREATE TABLE signals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        task INTEGER NOT NULL,
        holder TEXT NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX signals_by_task ON signals (task)",
    "CREATE INDEX signals_by_holder ON signals (holder)",
    """CREATE TRIGGER signals_follow AFTER UPDATE OF holder ON tasks WHEN new.holder <> old.holder BEGIN
        UPDATE signals SET holder = new.holder WHERE task = new.id;
    END""",
    "ALTER TABLE webhooks ADD COLUMN leased_until INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX webhooks_dead ON webhooks (failing_since) WHERE is_dead = 1",
    "ALTER TABLE tasks ADD COLUMN is_compact INTEGER NOT NULL DEFAULT 0",
    # One index for both kinds of upkeep: what waits to be compacted lies apart from what waits to be forgotten.
    "CREATE INDEX tasks_ended ON tasks (is_compact, status_at) WHERE state IN (3, 4, 5, 7)",
    """CREATE TRIGGER totals_shrink AFTER DELETE ON tasks BEGIN
        UPDATE totals SET tasks = tasks - 1 WHERE scope = old.scope AND state = old.state;
    END""",
    """CREATE TRIGGER tasks_vanish AFTER DELETE ON tasks BEGIN
        DELETE FROM segments WHERE task = old.id;
        DELETE FROM snapshots WHERE task = old.id;
        DELETE FROM webhooks WHERE task = old.id;
        DELETE FROM signals WHERE task = old.id;
        DELETE FROM contexts WHERE scope = old.scope AND context_id = old.context_id
            AND NOT EXISTS (SELECT 1 FROM tasks WHERE scope = old.scope AND context_id = old.context_id);
    END""",
)

MIGRATIONS: tuple[Migration, ...] = (_TASK_LOG, _MANY_PROCESSES)

SUMMARIES = (
    "tasks, their logs, conversations, webhooks",
    "idempotency keys, signals between processes, leases of webhooks, upkeep",
)
"""What each migration is for, to the operator."""


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the file to the newest version, in one transaction; refuse one that is newer or not ours."""
    version = read_version(connection)
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    version = read_version(connection)
    check_version(connection, version, path)
    for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def read_version(connection: sqlite3.Connection) -> int:
    """How many migrations the file has been through."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def check_version(connection: sqlite3.Connection, version: int, path: str) -> None:
    """Raise UnavailableError for a file that is newer than this code, or not ours."""
    if version > len(MIGRATIONS):
        raise UnavailableError(
            f"the task store {path!r} has schema version {version}, and this Dragoman knows up to {len(MIGRATIONS)};"
            " upgrade Dragoman, or give it another file"
        )
    has_tables = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]
    if version == 0 and has_tables:
        raise UnavailableError(
            f"{path!r} is a database of another program; give the task store a file of its own"
        )
