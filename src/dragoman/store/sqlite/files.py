"""The file of a task store in the hands of its operator: looked at, checked, migrated; agents may use it meanwhile."""

import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from dragoman.model import UnavailableError
from dragoman.store.records import PushDelivery
from dragoman.store.sqlite import webhooks
from dragoman.store.sqlite.checking import check
from dragoman.store.sqlite.connection import explained
from dragoman.store.sqlite.schema import MIGRATIONS, SUMMARIES, check_version, migrate, read_version

_KINDS = {
    "tasks": "tasks",
    "log entries": "segments",
    "snapshots": "snapshots",
    "conversations": "contexts",
    "webhooks": "webhooks",
    "idempotency keys": "keys",
    "signals": "signals",
    "callers": "scopes",
    "processes": "workers",
}
"""What there is, in words, and the table that holds it."""


@dataclass(frozen=True, slots=True)
class KindSize:
    """How much there is of one kind of thing: `rows`, and `bytes` of text and data in them, indexes not counted."""

    kind: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FileSizes:
    """`file_bytes` are those of the file, `free_bytes` of them hold nothing; `wal_bytes` wait in the log beside it."""

    version: int
    kinds: Sequence[KindSize]
    file_bytes: int
    free_bytes: int
    wal_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The migrations that a file has not been through yet, each with its number and what it is for."""

    version: int
    newest: int
    migrations: Sequence[tuple[int, str]]


class StoreFile:
    """The file at `path`.

    Every method raises UnavailableError for what is no file of a task store, is newer than this code, or stays locked for
    longer than `busy_timeout`; all but `plan` and `migrate` for an older one too.
    """

    def __init__(self, path: Path, *, busy_timeout: timedelta = timedelta(seconds=5)) -> None:
        self.path = path.absolute()
        self._busy_timeout = busy_timeout

    def sizes(self) -> FileSizes:
        """How much there is of each kind of thing."""
        with self._open() as (connection, version):
            self._insist_on_newest(version)
            page_size, pages, free = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_size", "page_count", "freelist_count")
            )
            kinds = [_measure(connection, kind, table) for kind, table in _KINDS.items()]
        return FileSizes(version, kinds, pages * page_size, free * page_size, self._measure_wal())

    def check(self) -> Sequence[str]:
        """What is wrong with the file, in words; empty if nothing is. Reads everything."""
        with self._open() as (connection, version):
            self._insist_on_newest(version)
            return check(connection)

    def plan(self) -> Plan:
        """What `migrate` would do."""
        with self._open() as (_, version):
            return _plan(version)

    def migrate(self) -> Plan:
        """Bring the file to the newest version, in one transaction; what was done. UnavailableError while agents use it."""
        with self._open(is_writing=True) as (connection, version):
            plan = _plan(version)
            if plan.migrations:
                self._insist_on_quiet(connection)
                migrate(connection, str(self.path))
        return plan

    def undelivered(self, limit: int) -> Sequence[PushDelivery]:
        """Webhooks that are dead or have something to tell, of every agent; the dead first, the longest failing first."""
        with self._open() as (connection, version):
            self._insist_on_newest(version)
            return webhooks.list_behind(connection, limit)

    def revive(self, task_id: str, config_id: str) -> bool:
        """Have a webhook tried again by whichever process serves its agent; False if there is none."""
        with self._open(is_writing=True) as (connection, version):
            self._insist_on_newest(version)
            return webhooks.revive(connection, task_id, config_id)

    @contextmanager
    def _open(self, *, is_writing: bool = False) -> Generator[tuple[sqlite3.Connection, int]]:
        if not self.path.is_file():
            raise UnavailableError(f"there is no file {str(self.path)!r}")
        with explained(self.path):
            connection = sqlite3.connect(
                f"file:{quote(self.path.as_posix())}?mode=rw",
                uri=True,
                timeout=self._busy_timeout.total_seconds(),
                isolation_level=None,
            )
            try:
                if not is_writing:
                    connection.execute("PRAGMA query_only = ON")
                version = read_version(connection)
                check_version(connection, version, str(self.path))
                yield connection, version
            finally:
                connection.close()

    def _insist_on_newest(self, version: int) -> None:
        if version < len(MIGRATIONS):
            raise UnavailableError(
                f"the task store {str(self.path)!r} has schema version {version}, and this Dragoman works with"
                f" {len(MIGRATIONS)}; migrate it first"
            )

    def _insist_on_quiet(self, connection: sqlite3.Connection) -> None:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'workers'").fetchone():
            return
        query = "SELECT count(*) FROM workers WHERE alive_until > ?"
        (alive,) = connection.execute(query, (time.time_ns() // 1_000_000,)).fetchone()
        if alive:
            raise UnavailableError(
                f"{alive} process(es) use the task store {str(self.path)!r}; stop the agent, and migrate it then"
            )

    def _measure_wal(self) -> int:
        wal = self.path.with_name(f"{self.path.name}-wal")
        return wal.stat().st_size if wal.exists() else 0


def _plan(version: int) -> Plan:
    missing = tuple(enumerate(SUMMARIES[version:], version + 1))
    return Plan(version, len(MIGRATIONS), missing)


def _measure(connection: sqlite3.Connection, kind: str, table: str) -> KindSize:
    columns = connection.execute(
        "SELECT name FROM pragma_table_info(?) WHERE type IN ('TEXT', 'BLOB')", (table,)
    ).fetchall()
    size = " + ".join(f"length(CAST({name} AS BLOB))" for (name,) in columns)
    rows, count = connection.execute(f"SELECT count(*), coalesce(sum({size}), 0) FROM {table}").fetchone()  # noqa: S608 -- names of our own tables
    return KindSize(kind, rows, count)
