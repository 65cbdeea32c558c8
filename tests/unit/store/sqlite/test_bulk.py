import sqlite3
from contextlib import closing

import pytest

from dragoman.store.sqlite.bulk import blob, number, query_bulk, run_bulk, text

INSERT = f"INSERT INTO rows SELECT {number(0)}, {text(1)}, {blob(2)} FROM json_each(?1)"
FIND = f"SELECT rows.number FROM json_each(?1) CROSS JOIN rows ON rows.text = {text(0)} AND rows.number = {number(1)}"
ROWS = [(1, "é\0\n", b""), (2**62, "", b"\xff\0"), (-3, "x" * 30, b"y" * 50), (4, "", b"")]


@pytest.mark.parametrize("max_bytes", [0, 60, 1_000_000])
def test_rows_arrive_as_they_are_in_one_go_or_several(max_bytes, monkeypatch):
    monkeypatch.setattr("dragoman.store.sqlite.bulk._MAX_BYTES", max_bytes)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE rows (number INTEGER, text TEXT NOT NULL, bytes BLOB NOT NULL)")
        run_bulk(connection, INSERT, ROWS)
        assert connection.execute("SELECT * FROM rows ORDER BY rowid").fetchall() == ROWS
        found = query_bulk(connection, FIND, [(text, number) for number, text, _ in ROWS] + [("absent", 1)])
        assert sorted(found) == sorted((number,) for number, _, _ in ROWS)


def test_no_rows_are_no_statement():
    with closing(sqlite3.connect(":memory:")) as connection:
        run_bulk(connection, "no SQL at all", ())
        assert list(query_bulk(connection, "no SQL at all", ())) == []
