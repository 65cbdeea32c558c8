"""How the file stays small, and what a read sees that was overtaken by upkeep."""

import asyncio
import sqlite3
from contextlib import closing

from msgspec.structs import replace

from dragoman.model import TaskState
from dragoman.store.sqlite import SqliteTaskStore, rows
from dragoman.testing.store_contract.samples import SCOPE, accept, make_birth, make_commit

MEGABYTE = 1_000_000


def measure_wal(path):
    return path.with_name(f"{path.name}-wal").stat().st_size


async def write(store, name, *, commits, entry_bytes=10_000):
    """A task that grows by an entry at a time."""
    entry = (b"1" * entry_bytes,)
    await accept(store, replace(make_birth(name), entries=entry))
    for first in range(2, commits + 1):
        await accept(store, replace(make_commit(name, first=first), entries=entry))


async def test_the_wal_does_not_grow_with_what_is_written(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        await write(store, "task", commits=2_500)
        assert measure_wal(path) < 8 * MEGABYTE
    assert path.stat().st_size > 25 * MEGABYTE


async def test_the_wal_stays_bounded_while_two_stores_read_and_write(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as here, SqliteTaskStore(path) as there:
        async with asyncio.TaskGroup() as group:
            writing = [
                group.create_task(write(store, f"{name}-{n}", commits=300, entry_bytes=30_000))
                for name, store in (("here", here), ("there", there))
                for n in range(5)
            ]
            while not all(task.done() for task in writing):
                await here.load(SCOPE, "there-1")
                await there.read("here-1", 0, 1_000)
        assert measure_wal(path) < 48 * MEGABYTE
    assert path.stat().st_size > 85 * MEGABYTE


async def test_a_long_read_lets_the_wal_grow_and_holds_up_no_commit(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        await accept(store, make_birth())
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM tasks").fetchall()
            await write(store, "during", commits=60, entry_bytes=MEGABYTE)
            assert measure_wal(path) > 60 * MEGABYTE
        await write(store, "after", commits=20, entry_bytes=MEGABYTE)
        assert measure_wal(path) < 20 * MEGABYTE


async def test_closing_folds_the_wal_into_the_file_although_others_serve_it(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path):
        async with SqliteTaskStore(path) as leaving:
            await write(leaving, "task", commits=20)
            assert path.stat().st_size < 200_000
        assert path.stat().st_size >= 200_000


async def test_what_is_freed_is_used_again(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        for n in range(6):
            ended = make_birth(f"task-{n}", state=TaskState.COMPLETED, at=n, snapshot=b"")
            await accept(store, replace(ended, entries=(b"1" * 2 * MEGABYTE,)))
            assert await store.compact(SCOPE.agent, n + 1, 10) == 1
        sizes = await store.sizes()
        assert sizes["segments"] == 0
        assert sizes["bytes"] < 5 * MEGABYTE


async def test_a_task_that_is_forgotten_while_it_is_read_is_not_another(tmp_path):
    path = tmp_path / "tasks.db"
    select = f"SELECT {rows.TASK_COLUMNS} FROM tasks LEFT JOIN snapshots ON snapshots.task = tasks.id"
    async with SqliteTaskStore(path) as store:
        await accept(store, make_birth("ended", state=TaskState.COMPLETED))
        with closing(sqlite3.connect(path)) as connection:
            [row] = connection.execute(select).fetchall()
            assert await store.forget(SCOPE.agent, 5000, 0, 10) == 1
            await accept(store, make_birth("reborn"))
            assert connection.execute("SELECT id FROM tasks").fetchall() == [(1,)]
            assert rows.load_stored(connection, SCOPE, row) is None


async def test_looking_for_what_is_due_takes_no_write_lock(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await store.due_push(SCOPE.agent, 1, 2, 10) == []
