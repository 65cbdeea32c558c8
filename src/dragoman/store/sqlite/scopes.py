"""The numbers of scopes."""

import sqlite3

from dragoman.store.records import Scope
from dragoman.store.sqlite.rows import scope_columns


class ScopeIds:
    """The numbers of scopes, remembered. What a transaction added must be forgotten when it is rolled back."""

    _MOST = 10_000

    def __init__(self) -> None:
        self._ids: dict[Scope, int] = {}

    def forget(self) -> None:
        self._ids.clear()

    def find(self, connection: sqlite3.Connection, scope: Scope) -> int:
        """The scope's number, made if need be."""
        if (known := self._ids.get(scope)) is not None:
            return known
        columns = scope_columns(scope)
        connection.execute("INSERT OR IGNORE INTO scopes (agent, tenant, owner) VALUES (?, ?, ?)", columns)
        select = "SELECT id FROM scopes WHERE agent = ? AND tenant = ? AND owner = ?"
        found: int = connection.execute(select, columns).fetchone()[0]
        if len(self._ids) >= self._MOST:
            self.forget()
        self._ids[scope] = found
        return found
