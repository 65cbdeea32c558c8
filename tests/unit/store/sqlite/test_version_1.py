"""A file of version 1, with data in it, served by this version."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dragoman.model import TaskState
from dragoman.store import Outcome, Scope, Signal, TaskHeader, TaskQuery
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.store.sqlite.schema import MIGRATIONS, read_version
from dragoman.testing.store_contract.samples import (
    SCOPE,
    accept,
    load,
    make_birth,
    make_commit,
    make_key,
    number,
    post,
    read_all,
)

AGENT = SCOPE.agent
BOB = Scope(AGENT, "acme", "bob")
VERSION_1 = Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8")


@pytest.fixture
async def store(tmp_path):
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(VERSION_1)
    async with SqliteTaskStore(path) as store:
        yield store
        assert list(await store.check()) == []
    with closing(sqlite3.connect(path)) as connection:
        assert read_version(connection) == len(MIGRATIONS)


def test_the_first_migration_is_what_was_released(tmp_path):
    with closing(sqlite3.connect(":memory:")) as released, closing(sqlite3.connect(":memory:")) as ours:
        released.executescript(VERSION_1)
        for statement in MIGRATIONS[0]:
            ours.execute(statement)
        select = "SELECT name FROM sqlite_master ORDER BY name"
        assert released.execute(select).fetchall() == ours.execute(select).fetchall()
        for (table,) in released.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = f"SELECT * FROM pragma_table_info('{table}')"
            assert released.execute(columns).fetchall() == ours.execute(columns).fetchall()


async def test_tasks_and_lists_are_as_they_were(store):
    done = await load(store, "done")
    assert (done.header, done.snapshot, done.tail) == (TaskHeader(TaskState.COMPLETED, 1000), b"three", ())
    running = await load(store, "running")
    assert (running.holder, running.snapshot, running.tail) == ("worker", b"one", number(1, 2))
    assert await read_all(store, "done") == [*number(3)]
    page = await store.list_tasks(SCOPE, TaskQuery(limit=2))
    assert ([task.task_id for task in page.tasks], page.total) == (["running", "failed"], 3)
    assert await store.load_context(BOB, "walk") == b"steps"
    assert await store.claim("running", "rival", 8000) is None


async def test_webhooks_are_as_they_were(store):
    assert [push.config_id for push in await store.dead_push(AGENT, 10)] == ["dead"]
    [push] = await store.due_push(AGENT, 500, 600, 10)
    assert (push.config_id, push.attempts, push.last_error) == ("behind", 1, "503")
    assert await store.due_push(AGENT, 599, 700, 10) == []


async def test_signals_and_keys_work_from_now_on(store):
    assert await post(store, "running", key=make_key()) is Outcome.ACCEPTED
    [signal] = await store.signals("worker", 10)
    assert signal == Signal(signal.number, "running", b"hello")
    await accept(store, make_commit("running", first=3, taken=(signal.number,)))
    assert list(await store.signals("worker", 10)) == []
    assert list(await store.commit([make_birth("new", key=make_key())])) == [Outcome.DUPLICATE]


async def test_what_had_ended_is_compacted_and_forgotten(store):
    before = await load(store, "done")
    assert await store.compact(AGENT, 5000, 10) == 1
    assert await load(store, "done") == before
    assert await read_all(store, "failed") == [*number(1)]
    assert await store.forget(AGENT, 5000, 0, 10) == 2
    assert (await store.list_tasks(SCOPE, TaskQuery(limit=9))).total == 1
    assert await store.load_context(SCOPE, "talk") == b"memory"
    assert [task.task_id for task in (await store.list_tasks(BOB, TaskQuery(limit=9))).tasks] == ["parked"]
