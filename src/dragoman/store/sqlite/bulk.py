"""Many rows in one statement.

Every step of a statement lets go of Python's global lock, and getting it back from a busy event loop may take many
milliseconds: what makes a group of commits slow is how many statements it takes, not how many rows. So the rows of a
statement come as two values: `?1`, JSON with a list per row, and `?2`, all their texts and bytes in a string, to be cut
out again. They are no part of the JSON because bytes cannot be, and because SQLite ends texts in JSON at a NUL.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

Cells: TypeAlias = tuple[int | str | bytes, ...]

_MAX_BYTES = 16 * 1024 * 1024


def number(position: int) -> str:
    """SQL for the integer at that position of the row."""
    return f"json_extract(value, '$[{position}]')"


def blob(position: int) -> str:
    """SQL for the bytes at that position of the row."""
    return f"substr(?2, json_extract(value, '$[{position}][0]'), json_extract(value, '$[{position}][1]'))"


def text(position: int) -> str:
    """SQL for the text at that position of the row."""
    return f"CAST({blob(position)} AS TEXT)"


def run_bulk(connection: sqlite3.Connection, statement: str, rows: Iterable[Cells]) -> None:
    """Run the statement over the rows, in as few goes as is good for memory; not at all over none."""
    for load in _split(rows):
        load.run(connection, statement)


def query_bulk(connection: sqlite3.Connection, statement: str, rows: Iterable[Cells]) -> Iterator[Any]:
    """What the statement finds for the rows."""
    for load in _split(rows):
        yield from load.run(connection, statement).fetchall()


def _split(rows: Iterable[Cells]) -> Iterator["_Load"]:
    load = _Load()
    for row in rows:
        load.add(row)
        if load.size > _MAX_BYTES:
            yield load
            load = _Load()
    if load.rows:
        yield load


class _Load:
    """What one statement is given."""

    def __init__(self) -> None:
        self.rows: list[list[int | tuple[int, int]]] = []
        # A byte that nobody cuts out, because substr makes NULL of everything in an empty string.
        self._pieces: list[bytes] = [b"-"]
        self.size = 1

    def add(self, row: Cells) -> None:
        self.rows.append([cell if isinstance(cell, int) else self._put(cell) for cell in row])

    def run(self, connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
        return connection.execute(statement, (dump_json(self.rows), b"".join(self._pieces)))

    def _put(self, cell: str | bytes) -> tuple[int, int]:
        """Where the piece begins, counted from one as SQL does, and how long it is."""
        piece = cell.encode() if isinstance(cell, str) else cell
        place = (self.size + 1, len(piece))
        self._pieces.append(piece)
        self.size += len(piece)
        return place


def dump_json(values: object) -> str:
    """JSON as SQLite takes it: text, not bytes."""
    return msgspec.json.encode(values).decode()
