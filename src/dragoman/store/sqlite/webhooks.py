"""Webhooks, and how far their deliveries are (I9)."""

# ruff: noqa: S608 -- statements are put together from the constants of this package; values are bound

import sqlite3

from dragoman.store.records import PushDelivery, PushRegistration, Scope
from dragoman.store.sqlite.appending import PUT_WEBHOOKS, webhook_row
from dragoman.store.sqlite.bulk import dump_json
from dragoman.store.sqlite.rows import SCOPE_ID, Row, scope_columns

_COLUMNS = """webhooks.config_id, webhooks.config, webhooks.cursor, webhooks.last_seq, webhooks.attempts,
    webhooks.next_attempt_at, webhooks.failing_since, webhooks.last_error, webhooks.is_dead"""
_TASK = f"SELECT id, last_seq FROM tasks WHERE task_id = ? AND scope = {SCOPE_ID}"
_OWNED = f"SELECT scopes.agent, scopes.tenant, scopes.owner, tasks.task_id, {_COLUMNS}, webhooks.rowid"
DUE = f"""{_OWNED}
    FROM webhooks INDEXED BY webhooks_due JOIN tasks ON tasks.id = webhooks.task JOIN scopes ON scopes.id = tasks.scope
    WHERE webhooks.cursor < webhooks.last_seq AND webhooks.is_dead = 0 AND webhooks.next_attempt_at <= ?1
    AND webhooks.leased_until <= ?1 AND scopes.agent = ?2
    ORDER BY webhooks.next_attempt_at, webhooks.task, webhooks.config_id LIMIT ?3"""
DEAD = f"""{_OWNED}
    FROM webhooks INDEXED BY webhooks_dead JOIN tasks ON tasks.id = webhooks.task JOIN scopes ON scopes.id = tasks.scope
    WHERE webhooks.is_dead = 1 AND scopes.agent = ? ORDER BY webhooks.failing_since LIMIT ?"""
_BEHIND = f"""{_OWNED}
    FROM webhooks JOIN tasks ON tasks.id = webhooks.task JOIN scopes ON scopes.id = tasks.scope
    WHERE webhooks.is_dead = 1 OR webhooks.cursor < webhooks.last_seq
    ORDER BY webhooks.is_dead DESC, webhooks.failing_since = 0, webhooks.failing_since, tasks.task_id, webhooks.config_id LIMIT ?"""
_REVIVE = """UPDATE webhooks SET attempts = 0, next_attempt_at = 0, failing_since = 0, last_error = '', is_dead = 0
    WHERE config_id = ? AND task = (SELECT id FROM tasks WHERE task_id = ?)"""
LEASE = "UPDATE webhooks SET leased_until = ? WHERE rowid IN (SELECT value FROM json_each(?))"
_RECORD = f"""UPDATE webhooks SET cursor = max(cursor, ?), attempts = ?, next_attempt_at = ?, failing_since = ?,
    last_error = ?, is_dead = ?, leased_until = 0 WHERE config_id = ? AND config = ?
    AND task = (SELECT id FROM tasks WHERE task_id = ? AND scope = {SCOPE_ID})"""


def put_push(connection: sqlite3.Connection, scope: Scope, task_id: str, push: PushRegistration) -> bool:
    """Create or replace the webhook."""
    task = _find_task(connection, scope, task_id)
    if task is None:
        return False
    rowid, last_seq = task
    PUT_WEBHOOKS.run(connection, [webhook_row(rowid, push, last_seq)])
    return True


def list_push(connection: sqlite3.Connection, scope: Scope, task_id: str) -> list[PushDelivery] | None:
    """The webhooks of the task."""
    task = _find_task(connection, scope, task_id)
    if task is None:
        return None
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM webhooks WHERE task = ? ORDER BY config_id", (task[0],)
    )
    return [_to_delivery(scope, task_id, row) for row in rows]


def delete_push(connection: sqlite3.Connection, scope: Scope, task_id: str, config_id: str) -> bool:
    """Remove the webhook."""
    task = _find_task(connection, scope, task_id)
    if task is None:
        return False
    connection.execute("DELETE FROM webhooks WHERE task = ? AND config_id = ?", (task[0], config_id))
    return True


def has_due(connection: sqlite3.Connection, agent: str, now: int) -> bool:
    """Whether a webhook of the agent has something to tell."""
    return connection.execute(DUE, (now, agent, 1)).fetchone() is not None


def take_due(
    connection: sqlite3.Connection, agent: str, now: int, until: int, limit: int
) -> list[PushDelivery]:
    """Webhooks with something to tell, longest due first, and nobody else's until then."""
    rows = connection.execute(DUE, (now, agent, limit)).fetchall()
    connection.execute(LEASE, (until, dump_json([row[-1] for row in rows])))
    return [_to_owned_delivery(row) for row in rows]


def list_dead(connection: sqlite3.Connection, agent: str, limit: int) -> list[PushDelivery]:
    """Webhooks that are tried no more."""
    return [_to_owned_delivery(row) for row in connection.execute(DEAD, (agent, limit))]


def list_behind(connection: sqlite3.Connection, limit: int) -> list[PushDelivery]:
    """Webhooks of all agents that are tried no more, or have something to tell; the dead first, the longest failing first."""
    return [_to_owned_delivery(row) for row in connection.execute(_BEHIND, (limit,))]


def revive(connection: sqlite3.Connection, task_id: str, config_id: str) -> bool:
    """Have the webhook tried again, from where it is, with a clean record; False if there is none."""
    return connection.execute(_REVIVE, (config_id, task_id)).rowcount > 0


def record_push(connection: sqlite3.Connection, delivery: PushDelivery) -> None:
    """Keep how far the webhook is; nothing if it was removed or replaced meanwhile."""
    record = (
        delivery.cursor,
        delivery.attempts,
        delivery.next_attempt_at,
        delivery.failing_since,
        delivery.last_error,
        delivery.is_dead,
    )
    webhook = (delivery.config_id, delivery.config, delivery.task_id, *scope_columns(delivery.scope))
    connection.execute(_RECORD, (*record, *webhook))


def _find_task(connection: sqlite3.Connection, scope: Scope, task_id: str) -> Row | None:
    row: Row | None = connection.execute(_TASK, (task_id, *scope_columns(scope))).fetchone()
    return row


def _to_owned_delivery(row: Row) -> PushDelivery:
    agent, tenant, owner, task_id, *columns, _ = row
    return _to_delivery(Scope(agent, tenant, owner), task_id, tuple(columns))


def _to_delivery(scope: Scope, task_id: str, row: Row) -> PushDelivery:
    config_id, config, cursor, last_seq, attempts, next_attempt_at, failing_since, last_error, is_dead = row
    return PushDelivery(
        scope=scope,
        task_id=task_id,
        config_id=config_id,
        config=config,
        cursor=cursor,
        last_seq=last_seq,
        attempts=attempts,
        next_attempt_at=next_attempt_at,
        failing_since=failing_since,
        last_error=last_error,
        is_dead=bool(is_dead),
    )
