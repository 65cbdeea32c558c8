"""Files of other versions, and of other programs."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from dragoman.model import UnavailableError
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.store.sqlite.schema import MIGRATIONS, migrate, read_version
from dragoman.testing.store_contract.samples import accept, load, make_birth


def connect(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def list_schema(connection):
    return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


async def test_an_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "tasks.db"
    path.touch()
    async with SqliteTaskStore(path) as store:
        await accept(store, make_birth())
    with connect(path) as connection:
        assert read_version(connection) == len(MIGRATIONS)


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_every_version_leads_to_the_newest(tmp_path, version, monkeypatch):
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    with connect(old) as connection:
        with monkeypatch.context() as patch:
            patch.setattr("dragoman.store.sqlite.schema.MIGRATIONS", MIGRATIONS[:version])
            migrate(connection, str(old))
        migrate(connection, str(old))
        with connect(new) as reference:
            migrate(reference, str(new))
            assert list_schema(connection) == list_schema(reference)
        assert read_version(connection) == len(MIGRATIONS)


def test_a_migration_that_fails_leaves_the_version_before_it(tmp_path, monkeypatch):
    path = tmp_path / "tasks.db"
    with connect(path) as connection:
        migrate(connection, str(path))
        before = list_schema(connection)
        broken = ("CREATE TABLE half (id INTEGER)", "CREATE TABLE half (id INTEGER)")
        monkeypatch.setattr("dragoman.store.sqlite.schema.MIGRATIONS", (*MIGRATIONS, broken))
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, str(path))
    with connect(path) as connection:
        assert list_schema(connection) == before
        assert read_version(connection) == len(MIGRATIONS)


async def test_tasks_survive_a_migration(tmp_path, monkeypatch):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        await accept(store, make_birth())
        before = await load(store)
    addition = ("ALTER TABLE tasks ADD COLUMN colour TEXT NOT NULL DEFAULT ''",)
    monkeypatch.setattr("dragoman.store.sqlite.schema.MIGRATIONS", (*MIGRATIONS, addition))
    async with SqliteTaskStore(path) as store:
        assert await load(store) == before
        await accept(store, make_birth("after"))


async def test_a_newer_schema_is_refused_untouched(tmp_path):
    path = tmp_path / "tasks.db"
    with connect(path) as connection:
        connection.execute("CREATE TABLE future (id INTEGER)")
        connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(UnavailableError, match=r"tasks\.db.*version 999.*upgrade Dragoman"):
        await SqliteTaskStore(path).__aenter__()
    assert path.read_bytes() == before


async def test_a_database_of_another_program_is_refused_untouched(tmp_path):
    path = tmp_path / "photos.db"
    with connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(UnavailableError, match="another program"):
        await SqliteTaskStore(path).__aenter__()
    assert path.read_bytes() == before


async def test_many_may_open_a_new_file_at_once(tmp_path):
    stores = [SqliteTaskStore(tmp_path / "tasks.db", readers=1) for _ in range(8)]
    async with asyncio.TaskGroup() as group:
        for store in stores:
            group.create_task(store.__aenter__())
    for number, store in enumerate(stores):
        await accept(store, make_birth(f"task-{number}"))
    for number, store in enumerate(reversed(stores)):
        assert (await load(store, f"task-{number}")).last_seq == 1
        await store.__aexit__()
