"""Idempotency keys: what was done under a name, so that it is done once."""

# ruff: noqa: S608 -- statements are put together from the constants of this package; values are bound

import sqlite3
from collections.abc import Iterable

from dragoman.store.records import Commit, IdempotencyKey, KeyRecord, Scope
from dragoman.store.sqlite.bulk import Bulk, Cells
from dragoman.store.sqlite.rows import SCOPE_ID, scope_columns
from dragoman.store.sqlite.scopes import ScopeIds

FIND = f"SELECT task_id, digest FROM keys WHERE scope = {SCOPE_ID} AND key = ? AND expires_at > ?"
# CROSS JOIN keeps the order of the tables: a seek for each of the few rows, where SQLite might scan the many.
EXPIRIES = Bulk(
    "SELECT column1, keys.expires_at FROM ({rows}) CROSS JOIN keys ON keys.scope = column2 AND keys.key = column3",
    3,
)
_PUT = Bulk(
    """INSERT INTO keys (scope, key, task_id, digest, expires_at) {rows} ON CONFLICT (scope, key) DO UPDATE
    SET task_id = excluded.task_id, digest = excluded.digest, expires_at = excluded.expires_at""",
    5,
)


def find_key(connection: sqlite3.Connection, scope: Scope, key: str, now: int) -> KeyRecord | None:
    """What was done under the key."""
    row = connection.execute(FIND, (*scope_columns(scope), key, now)).fetchone()
    return None if row is None else KeyRecord(task_id=row[0], digest=row[1])


def put_key(connection: sqlite3.Connection, scope: int, key: IdempotencyKey, task_id: str) -> None:
    """Use a key that is free."""
    _PUT.run(connection, [(scope, key.key, task_id, key.digest, key.expires_at)])


class KeyRing:
    """The keys that a run of commits asks for: read once, judged in memory, written back in bulk."""

    def __init__(self, connection: sqlite3.Connection, scopes: ScopeIds, commits: Iterable[Commit]) -> None:
        self._connection = connection
        wanted = [(scopes.find(connection, commit.scope), commit.key.key) for commit in commits if commit.key]
        self._expiries = self._load_expiries(wanted)
        self._used: dict[tuple[int, str], Cells] = {}

    def is_used(self, scope: int, commit: Commit) -> bool:
        if commit.key is None or commit.new is None:
            return False
        expiry = self._expiries.get((scope, commit.key.key))
        return expiry is not None and expiry > commit.new.created_at

    def use(self, scope: int, commit: Commit) -> None:
        if (key := commit.key) is not None:
            self._expiries[scope, key.key] = key.expires_at
            self._used[scope, key.key] = (scope, key.key, commit.task_id, key.digest, key.expires_at)

    def write(self) -> None:
        _PUT.run(self._connection, self._used.values())

    def _load_expiries(self, wanted: list[tuple[int, str]]) -> dict[tuple[int, str], int]:
        rows = [(position, scope, key) for position, (scope, key) in enumerate(wanted)]
        return {wanted[position]: expiry for position, expiry in EXPIRIES.query(self._connection, rows)}
