"""What the file is like, and what happens to threads and connections."""

import asyncio
import os
import stat
import threading

import pytest

from dragoman.model import UnavailableError
from dragoman.store.sqlite import Durability, SqliteTaskStore
from dragoman.store.sqlite.threads import Job
from dragoman.testing.store_contract.samples import accept, load, make_birth


def list_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("dragoman-sqlite")]


def join(threads):
    for thread in threads:
        thread.join(5)


async def query(store, sql):
    return await store._writer.submit(Job(lambda connection: connection.execute(sql).fetchone()[0]))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
async def test_files_and_directories_are_for_their_owner_alone(tmp_path):
    async with SqliteTaskStore(tmp_path / "a" / "b" / "tasks.db") as store:
        await accept(store, make_birth())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "tasks.db": 0o600, "tasks.db-wal": 0o600, "tasks.db-shm": 0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
async def test_modes_that_somebody_chose_are_left_alone(tmp_path):
    path = tmp_path / "tasks.db"
    path.touch(0o640)
    path.chmod(0o640)
    async with SqliteTaskStore(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_a_closed_store_leaves_one_file_and_no_thread(tmp_path):
    async with SqliteTaskStore(tmp_path / "tasks.db", readers=3) as store:
        await accept(store, make_birth())
        threads = list_threads()
        assert len(threads) == 4
    join(threads)
    assert list_threads() == []
    assert [path.name for path in tmp_path.iterdir()] == ["tasks.db"]


@pytest.mark.parametrize("durability,synchronous", [(Durability.PROCESS, 1), (Durability.POWER, 2)])
async def test_durability_decides_whether_commits_wait_for_the_disk(tmp_path, durability, synchronous):
    async with SqliteTaskStore(tmp_path / "tasks.db", durability=durability) as store:
        assert await query(store, "PRAGMA synchronous") == synchronous
        assert await query(store, "PRAGMA journal_mode") == "wal"


async def test_readers_cannot_write(tmp_path):
    async with SqliteTaskStore(tmp_path / "tasks.db") as store:
        with pytest.raises(UnavailableError, match="readonly"):
            await store._read(lambda connection: connection.execute("DELETE FROM tasks"))


async def test_a_store_that_is_dropped_open_warns_and_ends_its_threads(tmp_path):
    stores = [SqliteTaskStore(tmp_path / "tasks.db")]
    await stores[0].__aenter__()
    threads = list_threads()
    with pytest.warns(ResourceWarning, match="was not closed"):
        stores.clear()
    join(threads)
    assert list_threads() == []


async def test_a_store_that_could_not_be_opened_leaves_no_thread(tmp_path):
    with pytest.raises(UnavailableError):
        await SqliteTaskStore(tmp_path).__aenter__()
    join(list_threads())
    assert list_threads() == []


async def test_an_opening_that_is_cancelled_leaves_no_thread(tmp_path):
    opening = asyncio.create_task(SqliteTaskStore(tmp_path / "tasks.db").__aenter__())
    await asyncio.sleep(0)
    threads = list_threads()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    join(threads)
    assert list_threads() == []


def test_a_loop_that_ends_before_its_store_harms_nobody(tmp_path):
    async def commit_and_leave() -> SqliteTaskStore:
        store = SqliteTaskStore(tmp_path / "tasks.db")
        await store.__aenter__()
        committing = asyncio.create_task(store.commit([make_birth()]))
        await asyncio.sleep(0)
        committing.cancel()
        return store

    async def look() -> None:
        async with SqliteTaskStore(tmp_path / "tasks.db") as store:
            assert (await load(store)).last_seq == 1

    stores = [asyncio.run(commit_and_leave())]
    threads = list_threads()
    with pytest.warns(ResourceWarning, match="was not closed"):
        stores.clear()
    join(threads)
    asyncio.run(look())
