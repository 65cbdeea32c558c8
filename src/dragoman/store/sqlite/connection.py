"""Connections to the file, and what can be said when there is none."""

import enum
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dragoman.model import UnavailableError
from dragoman.store.sqlite.schema import migrate
from dragoman.store.sqlite.wal import MAX_WAL_BYTES

# UPDATE ... FROM is of 3.33, and what Python's own builds have carried since 3.10 is newer.
_OLDEST_SQLITE = (3, 35, 0)
_BUSY_PAUSE_SECONDS = 0.01
_WAL_PAGES = 1000

logger = logging.getLogger("dragoman.store")


class Durability(enum.Enum):
    """What a commit that returned survives.

    PROCESS, the default, survives the death of the process in any way. A power cut or a crash of the machine may take the
    last commits with it, though never tear one or lose an older one: it leaves out the wait for the disk, which costs
    every answer between a third of a millisecond and ten. POWER waits.
    """

    PROCESS = "process"
    POWER = "power"


_SYNCHRONOUS = {Durability.PROCESS: "NORMAL", Durability.POWER: "FULL"}


@dataclass(frozen=True, slots=True)
class Settings:
    """How connections to the file are made."""

    path: Path
    durability: Durability
    busy_timeout: timedelta


def open_writer(settings: Settings) -> sqlite3.Connection:
    """The connection that writes; creates the file, its directory and the schema as needed."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise UnavailableError(
            f"SQLite {sqlite3.sqlite_version} is too old for the task store; it takes 3.35 or newer"
        )
    _create_file(settings.path)
    return _connect(settings, lambda connection: _set_up_writer(connection, settings))


def close_writer(connection: sqlite3.Connection) -> None:
    """Fold the WAL into the file as far as nobody reads it, and close.

    SQLite does it by itself only for the last connection to the file, and other processes may serve it for months.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error:
        logger.debug("the last checkpoint failed; whoever opens the file next makes it", exc_info=True)
    finally:
        connection.close()


def open_reader(settings: Settings) -> sqlite3.Connection:
    """A connection that only reads, to a file that exists."""
    return _connect(settings, _set_up_reader)


def _connect(settings: Settings, set_up: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    # The connection is closed by another thread than its own only when that one is gone.
    connection = sqlite3.connect(
        settings.path,
        timeout=settings.busy_timeout.total_seconds(),
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        _insist(lambda: set_up(connection), settings.busy_timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up_writer(connection: sqlite3.Connection, settings: Settings) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    migrate(connection, str(settings.path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[settings.durability]}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}")
    connection.execute("PRAGMA cache_size = -16384")


def _set_up_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -16384")


def _insist(action: Callable[[], None], timeout: timedelta) -> None:
    """Repeat what is refused because the file is locked: SQLite's own patience does not cover the change to WAL."""
    deadline = time.monotonic() + timeout.total_seconds()
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(_BUSY_PAUSE_SECONDS)


def _create_file(path: Path) -> None:
    """Create the file for its owner alone, and as much of the way to it as is missing."""
    for directory in reversed(path.parents):
        directory.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _is_busy(error: sqlite3.Error) -> bool:
    return _name_of(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Turn what SQLite and the file system raise into UnavailableError, in words for the operator."""
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError(f"the task store {str(path)!r} {_explain(error)}") from error
    except OSError as error:
        raise UnavailableError(
            f"the task store {str(path)!r} cannot be opened: {error.strerror}; give it a file that this user may write"
        ) from error


_EXPLANATIONS = {
    "SQLITE_BUSY": "is locked by another process for too long; look for one that holds a transaction open",
    "SQLITE_LOCKED": "is locked by another process for too long; look for one that holds a transaction open",
    "SQLITE_FULL": "has no room left on its disk; make some",
    "SQLITE_READONLY": "cannot be written; let this user write the file and its directory",
    "SQLITE_PERM": "cannot be written; let this user write the file and its directory",
    "SQLITE_CANTOPEN": "cannot be opened; let this user write the file and its directory",
    "SQLITE_NOTADB": "is not a SQLite database; move it away, or restore it from a backup",
    "SQLITE_CORRUPT": "is damaged; move it away, or restore it from a backup",
    "SQLITE_IOERR": "cannot be read or written; look at the disk and at the log of the system",
}


def _explain(error: sqlite3.Error) -> str:
    primary = "_".join(_name_of(error).split("_")[:2])
    return f"{_EXPLANATIONS.get(primary, 'does not answer')} ({error})"


def _name_of(error: sqlite3.Error) -> str:
    # Only errors that come from SQLite itself have a name; those of Python's module around it do not.
    name: str = getattr(error, "sqlite_errorname", "")
    return name
