"""Many rows in one statement.

Every step of a statement lets go of Python's global lock, and getting it back from a busy event loop may take many
milliseconds: what makes a group of commits slow is how many statements it takes, not how many rows. So a statement
takes many rows at once, as a table of values. SQLite compiles it for every number of rows anew, and keeps what it has
compiled: hence any small number, and beyond it few.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any, TypeAlias

import msgspec

Cells: TypeAlias = tuple[int | str | bytes, ...]

_MAX_BYTES = 16 * 1024 * 1024
_FEW, _MANY = 16, 128


class Bulk:
    """A statement over rows of so many cells: `{rows}` in it stands for the table of them, column1 and up.

    `body` is the position of the cell that may be large, if one may.
    """

    def __init__(self, statement: str, width: int, *, body: int | None = None) -> None:
        self._statement = statement
        self._width = width
        self._body = body

    @cache  # noqa: B019 -- there are a handful, for as long as the program runs
    def spell(self, count: int) -> str:
        """The statement for so many rows."""
        row = f"({', '.join('?' * self._width)})"
        return self._statement.format(rows=f"VALUES {', '.join([row] * count)}")

    def run(self, connection: sqlite3.Connection, rows: Collection[Cells]) -> None:
        """Run the statement over the rows, in as few goes as is good for memory; not at all over none."""
        if rows:
            for part in self._split([*rows]):
                connection.execute(self.spell(len(part)), _flatten(part))

    def query(self, connection: sqlite3.Connection, rows: Collection[Cells]) -> Iterator[Any]:
        """What the statement finds for the rows."""
        if rows:
            for part in self._split([*rows]):
                yield from connection.execute(self.spell(len(part)), _flatten(part)).fetchall()

    def _split(self, rows: list[Cells]) -> Iterable[list[Cells]]:
        """As many rows at a time as there are statements for, and as are good for memory."""
        if len(rows) == 1:
            return (rows,)
        lightest = [rows] if self._body is None else _split_by_bytes(rows, self._body)
        return (part for some in lightest for part in _split_by_count(some))


def _split_by_count(rows: list[Cells]) -> Iterator[list[Cells]]:
    start, rest = 0, len(rows)
    while rest:
        count = _MANY if rest >= _MANY else rest // _FEW * _FEW or rest
        yield rows[start : start + count]
        start, rest = start + count, rest - count


def _split_by_bytes(rows: list[Cells], body: int) -> Iterator[list[Cells]]:
    part: list[Cells] = []
    size = 0
    for row in rows:
        size += len(row[body])  # type: ignore[arg-type]
        part.append(row)
        if size > _MAX_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _flatten(rows: list[Cells]) -> Cells:
    return rows[0] if len(rows) == 1 else tuple([cell for row in rows for cell in row])


def dump_json(values: object) -> str:
    """JSON as SQLite takes it: text, not bytes."""
    return msgspec.json.encode(values).decode()
