"""Several processes on one file, and processes that die."""

import asyncio
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

import dragoman
from dragoman.store import TaskQuery
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.testing.store_contract.samples import (
    SCOPE,
    accept,
    load,
    make_birth,
    make_commit,
    number,
    read_all,
)

RUSH = Path(__file__).with_name("rush.py")
STORM = Path(__file__).with_name("storm.py")
SOURCE = Path(dragoman.__file__).parents[1]


def run_storm(path, name, *, tasks, commits=0):
    return run(STORM, path, name, tasks, commits)


@asynccontextmanager
async def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *map(str, arguments), env=environment, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def start_together(*processes):
    for process in processes:
        assert await process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")


async def collect(process, at_least):
    """What the process says was acknowledged, up to its death once it said enough."""
    acknowledged = {}
    count = 0
    async for line in process.stdout:
        task_id, _, last_seq = line.decode().partition(" ")
        if not line.endswith(b"\n") or not last_seq:
            continue
        acknowledged[task_id] = int(last_seq)
        count += 1
        if count == at_least:
            process.kill()
    return acknowledged


@pytest.mark.slow
@pytest.mark.parametrize("at_least", [1, 40, 300, 1500])
async def test_what_was_acknowledged_outlives_kill_9(tmp_path, at_least):
    path = tmp_path / "tasks.db"
    async with run_storm(path, "killed", tasks=8) as process:
        acknowledged = await collect(process, at_least)
    assert process.returncode != 0
    assert acknowledged
    async with SqliteTaskStore(path) as store:
        for task_id, last_seq in acknowledged.items():
            log = await read_all(store, task_id)
            assert log == [*number(len(log))]
            assert len(log) in {last_seq, last_seq + 3}
        page = await store.list_tasks(SCOPE, TaskQuery(limit=100))
        assert page.total == len(page.tasks)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
async def test_two_processes_write_one_log_without_holes(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        async with (
            run_storm(path, "left", tasks=3, commits=40) as left,
            run_storm(path, "right", tasks=3, commits=40) as right,
        ):
            said = [(await process.communicate())[0] for process in (left, right)]
        assert [output.split()[-1] for output in said] == [b"done", b"done"]
        assert await read_all(store, "shared") == [*number(81)]
        for name in ("left", "right"):
            for task in range(3):
                assert await read_all(store, f"{name}-{task}") == [*number(120)]
        assert (await store.list_tasks(SCOPE, TaskQuery(limit=1))).total == 7


@pytest.mark.slow
async def test_what_two_processes_ask_for_at_once_under_one_key_is_done_once(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as store:
        await accept(store, make_birth("shared", holder="worker"))
        async with run(RUSH, path, "left", 50) as left, run(RUSH, path, "right", 50) as right:
            await start_together(left, right)
            said = [(await process.communicate())[0].split() for process in (left, right)]
        created, posted = (
            [int(one) + int(other) for one, other in zip(*columns, strict=True)]
            for columns in ((line[:3] for line in said), (line[3:] for line in said))
        )
        assert created == [1, 0, 99]
        assert posted == [75, 0, 25]
        record = await store.find_key(SCOPE, "rush", 1000)
        assert record is not None
        assert (await load(store, record.task_id)).task_id == record.digest.decode()
        assert (await store.list_tasks(SCOPE, TaskQuery(limit=1))).total == 2
        signals = await store.signals("worker", 1_000)
        assert len({signal.body for signal in signals}) == len(signals) == 75
        assert await store.check() == []


async def test_two_stores_on_one_file_see_each_other_at_once(tmp_path):
    path = tmp_path / "tasks.db"
    async with SqliteTaskStore(path) as here, SqliteTaskStore(path) as there:
        await accept(here, make_birth())
        for first in range(2, 20, 2):
            await accept(there, make_commit(first=first))
            assert await read_all(here) == [*number(first)]
            await accept(here, make_commit(first=first + 1))
            assert await read_all(there) == [*number(first + 1)]
        claimed = await there.claim("task", "there", 1)
        assert claimed is not None
        assert [outcome.value for outcome in await here.commit([make_commit(first=20)])] == ["stale"]
