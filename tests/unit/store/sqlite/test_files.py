"""The file of a store, as its operator sees it."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from dragoman.model import UnavailableError
from dragoman.store import PushDelivery, PushRegistration
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.store.sqlite.files import StoreFile
from dragoman.store.sqlite.schema import MIGRATIONS, SUMMARIES
from dragoman.testing.store_contract.samples import SCOPE, accept, make_birth, make_commit

FAR = 2**52


def connect(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def make_old(path, version):
    with connect(path) as connection:
        for migration in MIGRATIONS[:version]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.fixture
async def path(tmp_path):
    """A store with a task of three entries and three webhooks: one dead, one behind, one up to date."""
    path = tmp_path / "tasks #1?.db"  # what a URL would read as something else
    async with SqliteTaskStore(path) as store:
        pushes = tuple(PushRegistration(name, b"{}", 0) for name in ("dead", "behind", "told"))
        await accept(store, make_birth("task", push=pushes))
        await accept(store, make_commit("task", first=2, count=2))
        for push in await store.list_push(SCOPE, "task") or ():
            await store.record_push(deliver(push))
    return path


def deliver(push: PushDelivery) -> PushDelivery:
    match push.config_id:
        case "dead":
            return replace(push, cursor=1, attempts=9, failing_since=100, last_error="503", is_dead=True)
        case "behind":
            return replace(push, cursor=2, attempts=1, failing_since=200, last_error="404")
        case _:
            return replace(push, cursor=3)


def test_rows_and_bytes_are_counted(path):
    found = StoreFile(path).sizes()
    sizes = {size.kind: size for size in found.kinds}
    assert found.version == len(MIGRATIONS)
    assert (sizes["tasks"].rows, sizes["webhooks"].rows, sizes["idempotency keys"].rows) == (1, 3, 0)
    assert sizes["log entries"].bytes > 0
    assert found.file_bytes >= sum(size.bytes for size in found.kinds)


def test_a_sound_file_has_nothing_to_tell_of(path):
    assert list(StoreFile(path).check()) == []


def test_damage_is_found(path):
    with connect(path) as connection:
        connection.execute("UPDATE tasks SET last_seq = 7")
    assert any("another last number" in finding for finding in StoreFile(path).check())


def test_webhooks_with_something_to_tell_are_listed_the_dead_first(path):
    found = StoreFile(path).undelivered(10)
    assert [(push.config_id, push.is_dead, push.cursor, push.last_seq) for push in found] == [
        ("dead", True, 1, 3),
        ("behind", False, 2, 3),
    ]
    assert [push.config_id for push in StoreFile(path).undelivered(1)] == ["dead"]


async def test_a_dead_webhook_is_due_again_where_it_stopped(path):
    assert StoreFile(path).revive("task", "dead")
    assert not StoreFile(path).revive("task", "nosuch")
    assert not StoreFile(path).revive("nosuch", "dead")
    async with SqliteTaskStore(path) as store:
        assert list(await store.dead_push(SCOPE.agent, 10)) == []
        due = await store.due_push(SCOPE.agent, 0, 1, 10)
        [push] = [push for push in due if push.config_id == "dead"]
        assert (push.cursor, push.attempts, push.failing_since, push.last_error) == (1, 0, 0, "")


def test_looking_changes_nothing(path):
    before = path.read_bytes()
    file = StoreFile(path)
    for look in (file.sizes, file.check, file.plan, lambda: file.undelivered(10)):
        look()
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_file_of_an_earlier_version_is_planned_and_then_migrated(tmp_path, version):
    path = tmp_path / "old.db"
    make_old(path, version)
    file = StoreFile(path)
    with pytest.raises(UnavailableError, match=f"schema version {version}.*migrate it first"):
        file.sizes()
    before = path.read_bytes()
    plan = file.plan()
    assert path.read_bytes() == before
    assert [number for number, _ in plan.migrations] == list(range(version + 1, len(MIGRATIONS) + 1))
    assert file.migrate() == plan
    assert file.sizes().version == len(MIGRATIONS)
    assert list(file.check()) == []
    assert file.migrate().migrations == ()


def test_a_file_that_a_process_uses_is_not_migrated(tmp_path):
    path = tmp_path / "old.db"
    make_old(path, 1)
    with connect(path) as connection:
        connection.execute("INSERT INTO workers VALUES ('one', ?)", (FAR,))
    with pytest.raises(UnavailableError, match=r"1 process.*stop the agent"):
        StoreFile(path).migrate()
    assert StoreFile(path).plan().version == 1


def test_every_migration_says_what_it_is_for():
    assert len(SUMMARIES) == len(MIGRATIONS)
    assert all(SUMMARIES)


def newer(path):
    with connect(path) as connection:
        connection.execute("CREATE TABLE future (id INTEGER)")
        connection.execute("PRAGMA user_version = 999")


def foreign(path):
    with connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")


ACTIONS = [
    StoreFile.sizes,
    StoreFile.check,
    StoreFile.plan,
    StoreFile.migrate,
    lambda file: file.undelivered(1),
]


@pytest.mark.parametrize("act", ACTIONS)
@pytest.mark.parametrize(
    "make, words",
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.mkdir(), "there is no file"),
        (lambda path: path.write_bytes(b"not a database at all" * 100), "is not a SQLite database"),
        (newer, r"schema version 999.*upgrade Dragoman"),
        (foreign, "another program"),
    ],
)
def test_what_is_no_file_of_a_store_is_refused_untouched(tmp_path, act, make, words):
    path = tmp_path / "file.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(UnavailableError, match=words):
        act(StoreFile(path))
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_locked_file_is_told(path):
    file = StoreFile(path, busy_timeout=timedelta(milliseconds=10))
    with connect(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked by another process"):
            file.revive("task", "dead")
        assert file.sizes().version == len(MIGRATIONS)  # reading goes on
