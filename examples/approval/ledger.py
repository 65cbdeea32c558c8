"""The world outside: a list of payments that takes each key once, like a payment service does."""

import sqlite3
from contextlib import closing
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (number INTEGER PRIMARY KEY, key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payments (number INTEGER PRIMARY KEY, key TEXT UNIQUE, item TEXT, price INTEGER);
"""


class Ledger:
    """Payments, and the requests for them, of which there may be more than one for each."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.db"

    def enter(self, key: str, item: str, price: int) -> int:
        """The number of the payment that was made under the key: now, or when the key first came."""
        with closing(self._open()) as book, book:
            book.execute("INSERT INTO requests (key) VALUES (?)", [key])
            book.execute(
                "INSERT OR IGNORE INTO payments (key, item, price) VALUES (?, ?, ?)", [key, item, price]
            )
            return int(book.execute("SELECT number FROM payments WHERE key = ?", [key]).fetchone()[0])

    def count(self) -> tuple[int, int]:
        """How many payments were made, and how often somebody asked for one."""
        with closing(self._open()) as book:
            payments, requests = book.execute(
                "SELECT (SELECT count(*) FROM payments), (SELECT count(*) FROM requests)"
            ).fetchone()
            return payments, requests

    def _open(self) -> sqlite3.Connection:
        book = sqlite3.connect(self._path, timeout=10)
        book.executescript(_SCHEMA)
        return book
