"""`dragoman db`, and `dragoman tasks push`, on files that agents have served."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from dragoman.cli.exits import Exit
from dragoman.cli.root import root
from dragoman.store.sqlite.schema import MIGRATIONS
from tests.unit.cli.processes import run, serving


def invoke(*arguments: object):
    return CliRunner().invoke(root, [str(argument) for argument in arguments])


def connect(path: Path):
    return closing(sqlite3.connect(path, isolation_level=None))


@pytest.fixture(scope="module")
def served(agents: Path) -> tuple[Path, str]:
    """The file of an agent that has answered once, and the task's id."""
    path = agents / "kept.db"
    with serving("greeter:agent", "--store", "sqlite:///kept.db", cwd=agents) as greeter:
        task_id = json.loads(run("send", greeter.url, "Ada", "--json").stdout)["task"]["id"]
        assert greeter.stop() == 0
    return path, task_id


def make_old(path: Path, source: Path, version: int) -> None:
    """A file as an earlier version would have left it, with the rows of `source` in it."""
    with connect(path) as connection:
        for migration in MIGRATIONS[:version]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("ATTACH ? AS source", (str(source),))
        tables = connection.execute(
            "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            if table != "totals":  # which are counted by triggers
                columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
                connection.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}"
                )


@pytest.mark.slow
def test_sizes_are_told_in_words_and_in_json(served):
    path, _ = served
    words = invoke("db", "sizes", path)
    assert words.exit_code == Exit.OK
    assert f"{path}, schema version {len(MIGRATIONS)}" in words.output
    told = json.loads(invoke("db", "sizes", f"sqlite:///{path}", "--json").stdout)
    assert told["version"] == len(MIGRATIONS)
    assert told["kinds"]["tasks"]["rows"] == 1
    assert told["kinds"]["log entries"]["bytes"] > 100


@pytest.mark.slow
def test_a_sound_file_is_told_from_one_that_is_not(served, tmp_path):
    path, _ = served
    assert invoke("db", "check", path).exit_code == Exit.OK
    assert json.loads(invoke("db", "check", path, "--json").stdout) == {"sound": True, "findings": []}
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(path.read_bytes())
    with connect(damaged) as connection:
        connection.execute("UPDATE tasks SET last_seq = 99")
    found = invoke("db", "check", damaged, "--json")
    assert found.exit_code == Exit.FAILED
    told = json.loads(found.stdout)
    assert not told["sound"]
    assert any("another last number than their log" in finding for finding in told["findings"])


@pytest.mark.slow
@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_tasks_in_a_file_of_an_earlier_version_are_migrated_and_served(served, agents, tmp_path, version):
    path, task_id = served
    old = tmp_path / "old.db"
    make_old(old, path, version)
    refused = invoke("db", "sizes", old)
    assert (refused.exit_code, "migrate it first" in refused.output) == (Exit.USAGE, True)
    before = old.read_bytes()
    planned = invoke("db", "migrate", old, "--dry-run")
    assert f"would migrate from schema version {version} to {len(MIGRATIONS)}" in planned.output
    assert old.read_bytes() == before
    done = json.loads(invoke("db", "migrate", old, "--json").stdout)
    assert [entry["number"] for entry in done["migrations"]] == list(range(version + 1, len(MIGRATIONS) + 1))
    assert invoke("db", "check", old).exit_code == Exit.OK
    assert "which is the newest" in invoke("db", "migrate", old).output
    with serving("greeter:agent", "--store", f"sqlite:///{old}", cwd=agents) as greeter:
        task = json.loads(run("tasks", "show", greeter.url, task_id, "--json").stdout)
        assert task["artifacts"][0]["parts"] == [{"text": "Hello, Ada!"}]
        assert "Hello, Bob!" in run("send", greeter.url, "Bob").stdout


@pytest.mark.parametrize("command", [("db", "sizes"), ("db", "check"), ("db", "migrate"), ("tasks", "push")])
def test_what_is_no_file_of_a_store_is_told(tmp_path, command):
    text, newer = tmp_path / "notes.txt", tmp_path / "newer.db"
    text.write_text("buy milk " * 100)
    with connect(newer) as connection:
        connection.execute("PRAGMA user_version = 999")
    for place, words in {
        tmp_path / "nosuch.db": "there is no file",
        text: "is not a SQLite database",
        newer: "upgrade Dragoman",
        "memory:": "no store in a file",
        "postgresql://host/db": "no store in a file",
        "sqlite://host": "names no file",
    }.items():
        told = invoke(*command, place)
        assert told.exit_code == Exit.USAGE, place
        assert words in " ".join(told.output.split()), place


def test_a_failure_is_json_for_scripts(tmp_path):
    told = invoke("db", "check", tmp_path / "nosuch.db", "--json")
    assert "there is no file" in json.loads(told.stdout)["error"]["message"]


WEBHOOKS = [("dead-1", 1, 9, 1, "connection refused"), ("late-1", 2, 1, 0, "status 503")]


@pytest.fixture
def behind(served, tmp_path: Path) -> Path:
    """A file with a dead webhook and one that is late."""
    path = tmp_path / "behind.db"
    path.write_bytes(served[0].read_bytes())
    with connect(path) as connection:
        config = b'{"url":"https://user:secret@hooks.example/a2a?key=secret","token":"secret"}'
        for name, cursor, attempts, is_dead, error in WEBHOOKS:
            connection.execute(
                "INSERT INTO webhooks (task, config_id, config, cursor, last_seq, attempts, failing_since, last_error, is_dead)"
                " SELECT id, ?, ?, ?, last_seq, ?, 1700000000000, ?, ? FROM tasks",
                (name, config, cursor, attempts, error, is_dead),
            )
    return path


@pytest.mark.slow
def test_webhooks_that_have_something_to_tell_are_listed(behind):
    words = invoke("tasks", "push", behind).output
    dead, facts, late, _ = words.splitlines()
    assert dead.startswith("dead     dead-1  task ")
    assert dead.endswith("https://hooks.example/a2a")
    assert "1 of " in facts
    assert "9 attempts: connection refused" in facts
    assert late.startswith("pending  late-1")
    assert "secret" not in words
    listed = json.loads(invoke("tasks", "push", behind, "--json").stdout)["webhooks"]
    assert [(entry["id"], entry["state"], entry["attempts"]) for entry in listed] == [
        ("dead-1", "dead", 9),
        ("late-1", "pending", 1),
    ]
    assert listed[0]["failingSince"] == "2023-11-14T22:13:20Z"
    assert invoke("tasks", "push", behind, "--task", "nosuch").output == ""


@pytest.mark.slow
def test_a_webhook_is_set_going_again(behind, served):
    assert "is tried again" in invoke("tasks", "push", behind, "--retry", "dead-1").output
    listed = json.loads(invoke("tasks", "push", behind, "--json").stdout)["webhooks"]
    found = {entry["id"]: (entry["state"], entry["attempts"], entry["failingSince"]) for entry in listed}
    assert found["dead-1"] == ("pending", 0, None)
    assert found["late-1"][0] == "pending"
    unknown = invoke("tasks", "push", behind, "--retry", "nosuch")
    assert (unknown.exit_code, "no webhook 'nosuch'" in unknown.output) == (Exit.USAGE, True)
