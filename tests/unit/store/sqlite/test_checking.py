"""Whatever is wrong with a file, `check` says it, with a name to look for."""

import sqlite3
from contextlib import closing

import pytest

from dragoman.model import TaskState
from dragoman.store import ContextState
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.testing.store_contract.samples import (
    SCOPE,
    accept,
    make_birth,
    make_commit,
    make_key,
    make_push,
    post,
)

# What somebody did to the file, and what is said of it.
WRONGS = {
    "DELETE FROM segments WHERE first_seq = 3": "1 tasks have holes in their log: 'task'",
    "DELETE FROM segments WHERE first_seq = 1 AND task = 1": "1 tasks have holes in their log: 'task'",
    "DELETE FROM segments WHERE first_seq = 5": "1 tasks have another last number than their log: 'task'",
    "UPDATE segments SET body = x'7b7d' WHERE first_seq = 3": "1 tasks have holes in their log: 'task'",
    "UPDATE segments SET last_seq = 9 WHERE first_seq = 5": "1 tasks have holes in their log: 'task'",
    "INSERT INTO segments VALUES (99, 2, 1, 1, x'7b7d')": "compacted tasks have entries, or no snapshot",
    "DELETE FROM snapshots WHERE task = 2": "compacted tasks have entries, or no snapshot of all of them: 'compact'",
    "UPDATE snapshots SET seq = 7 WHERE task = 1": "snapshots are ahead of their log: 'task'",
    "UPDATE tasks SET state = 3 WHERE task_id = 'task'": "ended tasks are held by a process: 'task'",
    "UPDATE tasks SET scope = 9 WHERE task_id = 'task'": "tasks belong to no scope: 'task'",
    "UPDATE keys SET scope = 9": "keys belong to no scope: 'key'",
    "UPDATE contexts SET scope = 9": "conversations belong to no scope: 'talk'",
    "INSERT INTO segments VALUES (99, 9, 1, 1, x'7b7d')": "segments belong to no task: '99'",
    "INSERT INTO snapshots VALUES (9, 1, x'7b7d')": "snapshots belong to no task: '9'",
    "UPDATE webhooks SET task = 9": "webhooks belong to no task: 'hook'",
    "UPDATE signals SET task = 9": "signals belong to no task: '1'",
    "UPDATE webhooks SET last_seq = 9": "webhooks are not told how long their log is: 'hook'",
    "UPDATE signals SET holder = 'other'": "signals are left for another process than the one that runs",
    "UPDATE totals SET tasks = tasks + 1 WHERE state = 2": "1 totals are wrong: 'scope 1 state 2'",
    "DELETE FROM totals": "2 totals are wrong: ",
    "DROP INDEX segments_by_task": None,
}


@pytest.fixture
async def path(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        birth = make_birth(
            count=2,
            holder="worker",
            snapshot=b"two",
            key=make_key(),
            push=(make_push(),),
            context=ContextState("talk", b""),
        )
        await accept(store, birth, make_birth("compact", state=TaskState.COMPLETED, snapshot=b"all"))
        for first in (3, 5):
            await accept(store, make_commit(first=first, count=2, holder="worker"))
        await post(store)
        assert await store.compact(SCOPE.agent, 5000, 10) == 1
        assert await store.check() == []
    return path


@pytest.mark.parametrize("wrong,said", WRONGS.items())
async def test_what_is_wrong_is_said(path, wrong, said):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(wrong)
    async with SqliteTaskStore(path) as store:
        found = await store.check()
    assert any(said in line for line in found) if said else found == []


async def test_an_index_that_lies_is_found(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        sql = "CREATE INDEX signals_by_task ON signals (body)"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'signals_by_task'", (sql,))
    async with SqliteTaskStore(path) as store:
        found = await store.check()
    assert any(line.startswith("the file is damaged: ") for line in found)


async def test_a_check_leaves_the_reader_as_it_was(path):
    async with SqliteTaskStore(path, readers=1) as store:
        assert await store.check() == []
        await accept(store, make_birth("later"))
        assert await store.load(SCOPE, "later") is not None
        assert await store.check() == []


async def test_checking_while_others_write_finds_nothing_wrong(path):
    async with SqliteTaskStore(path) as here, SqliteTaskStore(path) as there:
        for n in range(20):
            birth = make_birth(f"task-{n}", state=TaskState.COMPLETED, at=n)
            _, found = await here.commit([birth]), await there.check()
            assert found == []
            await here.forget(SCOPE.agent, n, 0, 1)
