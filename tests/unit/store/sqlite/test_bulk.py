import sqlite3
from contextlib import closing

import pytest

from dragoman.store.sqlite.bulk import Bulk

INSERT = Bulk("INSERT INTO rows {rows}", 3, body=2)
FIND = Bulk(
    "SELECT rows.number FROM ({rows}) CROSS JOIN rows ON rows.text = column1 AND rows.number = column2", 2
)
ROWS = [(1, "é\0\n", b""), (2**62, "", b"\xff\0"), (-3, "x" * 30, b"y" * 50), (4, "", b"")]


@pytest.fixture
def connection():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE rows (number INTEGER, text TEXT NOT NULL, bytes BLOB NOT NULL)")
        yield connection


@pytest.mark.parametrize("max_bytes", [0, 60, 1_000_000])
def test_rows_arrive_as_they_are_in_one_go_or_several(max_bytes, monkeypatch, connection):
    monkeypatch.setattr("dragoman.store.sqlite.bulk._MAX_BYTES", max_bytes)
    INSERT.run(connection, ROWS)
    assert connection.execute("SELECT * FROM rows ORDER BY rowid").fetchall() == ROWS
    found = FIND.query(connection, [(text, number) for number, text, _ in ROWS] + [("absent", 1)])
    assert sorted(found) == sorted((number,) for number, _, _ in ROWS)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 127, 128, 500, 1_000])
def test_any_number_of_rows_takes_few_statements_of_few_kinds(count, connection):
    rows = [(number, f"text {number}", b"bytes") for number in range(count)]
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    INSERT.run(connection, rows)
    found = list(FIND.query(connection, [(text, number) for number, text, _ in rows]))
    connection.set_trace_callback(None)
    assert connection.execute("SELECT * FROM rows ORDER BY rowid").fetchall() == rows
    assert found == [(number,) for number in range(count)]
    inserts = [statement.count("(") for statement in statements if statement.startswith("INSERT")]
    assert len(inserts) <= count // 128 + 2
    assert all(size <= 16 or size % 16 == 0 for size in inserts)


def test_what_is_light_is_not_split_for_a_heavy_neighbour(monkeypatch, connection):
    monkeypatch.setattr("dragoman.store.sqlite.bulk._MAX_BYTES", 10)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    INSERT.run(connection, [(1, "", b"x" * 20), (2, "", b"y"), (3, "", b"z"), (4, "", b"z" * 20)])
    assert len([statement for statement in statements if statement.startswith("INSERT")]) == 2


def test_no_rows_are_no_statement(connection):
    nonsense = Bulk("no SQL at all", 1)
    nonsense.run(connection, ())
    assert list(nonsense.query(connection, ())) == []
