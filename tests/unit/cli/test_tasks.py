"""`dragoman tasks` against a served agent."""

import json
import subprocess
from pathlib import Path

import pytest

from dragoman.cli.exits import Exit
from tests.unit.cli.processes import Served, ended, read_line, run, serving, start

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def busy(agents: Path):
    """An agent with a task in each of some states, by the text that made it."""
    with serving("worker:agent", "--store", "memory:", cwd=agents) as served:
        ids = {
            text: run("send", served.url, text, "--no-wait").stdout.strip() for text in ("hi", "fail", "long")
        }
        ids["ask"] = json.loads(run("send", served.url, "ask", "--json").stdout)["task"]["id"]
        yield served, ids


def list_ids(served: Served, *options: str) -> list[str]:
    listed = run("tasks", "list", served.url, "--json", *options)
    return [task["id"] for task in json.loads(listed.stdout)["tasks"]]


def test_tasks_are_listed_the_latest_first(busy):
    served, ids = busy
    assert set(list_ids(served)) == set(ids.values())
    assert list_ids(served)[0] == ids["ask"]
    first = run("tasks", "list", served.url).stdout.splitlines()[0]
    assert first.split()[:2] == [ids["ask"], "input-required"]
    assert first.endswith("which one?")


@pytest.mark.parametrize(
    "state, text", [("completed", "hi"), ("failed", "fail"), ("working", "long"), ("input-required", "ask")]
)
def test_tasks_are_filtered_by_state(busy, state, text):
    served, ids = busy
    assert list_ids(served, "--state", state) == [ids[text]]


def test_tasks_are_filtered_by_conversation_and_time(busy):
    served, ids = busy
    shown = json.loads(run("tasks", "show", served.url, ids["hi"], "--json").stdout)
    assert list_ids(served, "--context", shown["contextId"]) == [ids["hi"]]
    assert set(list_ids(served, "--since", "1h")) == set(ids.values())
    assert list_ids(served, "--since", "2100-01-01") == []


def test_a_limit_is_kept(busy):
    served, _ = busy
    assert len(list_ids(served, "--limit", "2")) == 2


def test_a_task_is_shown_with_what_was_said_and_made(busy):
    served, ids = busy
    text = run("tasks", "show", served.url, ids["hi"]).stdout
    assert [line.split()[0] for line in text.splitlines()] == [
        "task",
        "it",
        "since",
        "context",
        "caller",
        "result",
        "hi",
    ]
    assert run("tasks", "show", served.url, "nosuch").returncode == Exit.REFUSED


def test_a_task_that_has_ended_is_told_to_its_end(busy):
    served, ids = busy
    result = run("tasks", "tail", served.url, ids["fail"])
    assert result.returncode == Exit.FAILED
    assert "the task failed: no seats left" in result.stderr
    assert run("tasks", "tail", served.url, ids["hi"]).stdout == "hi \n"


def test_a_task_is_followed_through_a_question_that_somebody_else_answers(worker):
    task_id = json.loads(run("send", worker.url, "ask", "--json").stdout)["task"]["id"]
    process = start(
        "tasks", "tail", worker.url, task_id, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=None
    )
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        assert read_line(process, process.stderr) == "the task waits for an answer: which one?\n"
        assert run("send", worker.url, "--task", task_id, "red").returncode == Exit.OK
        assert process.wait(60) == Exit.OK
        assert process.stdout.read() == "you said red\n"


def test_a_task_is_canceled_once(worker):
    task_id = run("send", worker.url, "long", "--no-wait").stdout.strip()
    canceled = run("tasks", "cancel", worker.url, task_id, "--json")
    assert canceled.returncode == Exit.OK
    assert json.loads(canceled.stdout)["status"]["state"] == "TASK_STATE_CANCELED"
    again = run("tasks", "cancel", worker.url, task_id)
    assert again.returncode == Exit.REFUSED
    assert "cannot be canceled, because it has ended" in again.stderr
