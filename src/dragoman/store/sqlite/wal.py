"""The write-ahead log of the file, kept from growing for ever."""

import logging
import sqlite3
from pathlib import Path

logger = logging.getLogger("dragoman.store")

MAX_WAL_BYTES = 16 * 1024 * 1024
_RETRY_AFTER_BYTES = 4 * 1024 * 1024
_PATIENCE_MILLISECONDS = 200


class Wal:
    """Cuts the log off where SQLite itself does not.

    Its own checkpoints wait for nobody, and the log begins anew only when nobody reads it and nothing is left in it:
    under steady load from two processes that moment never comes. This one makes the others wait, for a moment.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-wal")
        self._limit = MAX_WAL_BYTES

    def trim(self, connection: sqlite3.Connection) -> None:
        """Between two transactions: begin the log anew if it is too long, unless a long read stands in the way."""
        size = self._measure()
        if size < MAX_WAL_BYTES:
            self._limit = MAX_WAL_BYTES
        elif size >= self._limit:
            self._limit = size + _RETRY_AFTER_BYTES
            self._truncate(connection)

    def _measure(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _truncate(self, connection: sqlite3.Connection) -> None:
        [timeout] = connection.execute("PRAGMA busy_timeout").fetchone()
        try:
            connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MILLISECONDS}")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            logger.debug("the log at %s could not be cut off", self._path, exc_info=True)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {timeout}")
