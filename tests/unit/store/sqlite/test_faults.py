"""What an operator is told when the file does not do what it should."""

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from msgspec.structs import replace

from dragoman.model import UnavailableError
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.store.sqlite.schema import migrate
from dragoman.store.sqlite.threads import Job
from dragoman.testing.store_contract.samples import SCOPE, accept, load, make_birth, make_commit, make_push

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


async def refuse_to_open(path, match):
    with pytest.raises(UnavailableError, match=match) as raised:
        await SqliteTaskStore(path).__aenter__()
    assert str(path) in str(raised.value)


async def test_a_directory_is_no_file(tmp_path):
    await refuse_to_open(tmp_path, "cannot be opened: Is a directory")


async def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    await refuse_to_open(tmp_path / "file" / "tasks.db", "cannot be opened: ")


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
async def test_a_directory_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    await refuse_to_open(tmp_path / "tasks.db", "Permission denied; give it a file that this user may write")


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
async def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "tasks.db").touch(0o400)
    await refuse_to_open(tmp_path / "tasks.db", "Permission denied")


async def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "tasks.db").write_bytes(b"Dear diary, " * 1000)
    await refuse_to_open(tmp_path / "tasks.db", "is not a SQLite database; move it away")


def damage(path):
    """Overwrite the roots of the tables, but not the schema, without which nothing opens."""
    with closing(sqlite3.connect(path)) as connection:
        roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for (page,) in roots:
            file.seek((page - 1) * size)
            file.write(b"\xee" * size)


async def test_a_damaged_file(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        await accept(store, *(make_birth(f"task-{n}", count=50) for n in range(100)))
    damage(path)
    async with SqliteTaskStore(path) as store:
        with pytest.raises(UnavailableError, match="is damaged; move it away"):
            await store.load(SCOPE, "task-7")
        with pytest.raises(UnavailableError, match="is damaged; move it away"):
            await store.commit([make_birth("new")])
        found = await store.check()
        assert found
        assert all(line.startswith("the file is damaged: ") for line in found)


async def test_a_disk_that_is_full_loses_nothing_and_recovers(tmp_path):
    async with SqliteTaskStore(tmp_path / "tasks.db") as store:
        await accept(store, make_birth())
        pages = await run(store, "PRAGMA page_count")
        await run(store, f"PRAGMA max_page_count = {pages + 2}")
        big = replace(make_commit(), entries=(b"1" * 100_000,))
        with pytest.raises(UnavailableError, match="has no room left on its disk"):
            await store.commit([big])
        assert (await load(store)).last_seq == 1
        await run(store, "PRAGMA max_page_count = 1000000")
        await accept(store, big)


async def test_a_file_that_another_process_locks_for_long(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path, busy_timeout=timedelta(milliseconds=20)) as store:
        await accept(store, make_birth())
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(UnavailableError, match="is locked by another process"):
                await store.commit([make_commit()])
            assert (await load(store)).last_seq == 1
        await accept(store, make_commit())


async def test_a_write_waits_for_another_process(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        await accept(store, make_birth())
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            committing = asyncio.create_task(store.commit([make_commit()]))
            await load(store)
            assert not committing.done()
            other.execute("ROLLBACK")
            await committing
        assert (await load(store)).last_seq == 2


@pytest.fixture
def locked(tmp_path):
    """A store that another process writes to and that is not in WAL mode yet, where SQLite itself does not wait."""
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        migrate(other, str(path))
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_opening_waits_for_another_process(tmp_path, locked):
    store = SqliteTaskStore(tmp_path / "tasks.db")
    opening = asyncio.create_task(store.__aenter__())
    await asyncio.wait([opening], timeout=0.05)
    assert not opening.done()
    locked.execute("ROLLBACK")
    await opening
    await store.__aexit__()


async def test_opening_does_not_wait_for_ever(tmp_path, locked):
    with pytest.raises(UnavailableError, match="is locked by another process"):
        await SqliteTaskStore(tmp_path / "tasks.db", busy_timeout=timedelta(milliseconds=20)).__aenter__()


async def test_a_call_that_cannot_be_written_harms_no_other_of_its_transaction(tmp_path):
    async with SqliteTaskStore(tmp_path / "tasks.db") as store:
        await accept(store, make_birth())
        unwritable = make_push(config_id="\ud800")
        good = asyncio.create_task(store.commit([make_commit()]))
        bad = asyncio.create_task(store.put_push(SCOPE, "task", unwritable))
        other = asyncio.create_task(store.put_push(SCOPE, "task", make_push()))
        await asyncio.wait([good, bad, other])
        assert isinstance(bad.exception(), UnicodeEncodeError)
        assert (good.result()[0].value, other.result()) == ("accepted", True)
        assert [push.config_id for push in await store.list_push(SCOPE, "task") or ()] == ["hook"]


async def test_a_scope_of_a_transaction_that_failed_is_not_remembered(tmp_path):
    async with SqliteTaskStore(tmp_path / "tasks.db") as store:
        with pytest.raises(UnicodeEncodeError):
            await store.commit([make_birth("lost", context_id="\ud800")])
        await accept(store, make_birth())
        assert (await load(store)).last_seq == 1


async def run(store, sql):
    return await store._writer.submit(Job(lambda connection: connection.execute(sql).fetchone()[0]))
