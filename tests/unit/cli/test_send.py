"""`dragoman send` to a served agent."""

import json
import signal
import subprocess

import pytest

from dragoman.cli.exits import Exit
from tests.unit.cli.processes import ended, read_line, run, start

pytestmark = pytest.mark.slow


def test_the_answer_is_all_of_stdout(worker):
    result = run("send", worker.url, "one two")
    assert (result.returncode, result.stdout, result.stderr) == (Exit.OK, "one two \n", "")


def test_a_short_address_will_do(worker):
    assert run("send", worker.url.removeprefix("http://"), "hi").stdout == "hi \n"


def test_standard_input_is_a_text(worker):
    assert run("send", worker.url, "-", said="from a pipe\n").stdout == "from a pipe \n"


def test_data_is_printed_as_json(worker):
    assert json.loads(run("send", worker.url, "data").stdout) == {"city": "Rome"}


def test_a_message_without_a_task_is_printed_too(worker):
    assert run("send", worker.url, "hi", "--skill", "brief").stdout == "in brief\n"


def test_files_and_data_go_along(worker, tmp_path):
    (tmp_path / "a.txt").write_text("content")
    result = run("send", worker.url, "--skill", "count", "--file", str(tmp_path / "a.txt"), "say")
    assert json.loads(result.stdout) == ["say", "a.txt"]


def test_json_is_one_document_as_the_protocol_has_it(worker):
    result = run("send", worker.url, "hi", "--json")
    task = json.loads(result.stdout)["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert "".join(part["text"] for part in task["artifacts"][0]["parts"]) == "hi "


def test_a_stream_in_json_is_a_line_for_each_event(worker):
    result = run("send", worker.url, "one two", "--stream", "--json")
    kinds = [next(iter(json.loads(line))) for line in result.stdout.splitlines()]
    assert kinds[0] == "task"
    assert kinds[-1] == "statusUpdate"
    assert kinds.count("artifactUpdate") >= 2


def test_a_stream_is_printed_while_it_comes(worker):
    process = start("send", worker.url, "long", "--stream", stdout=subprocess.PIPE, cwd=None)
    with ended(process):
        assert process.stdout is not None
        assert process.stdout.read(4) == "one "
        assert process.poll() is None


def test_a_task_that_fails_says_why(worker):
    result = run("send", worker.url, "fail")
    assert (result.returncode, result.stdout) == (Exit.FAILED, "")
    assert "the task failed: no seats left" in result.stderr


@pytest.mark.parametrize("options", [(), ("--stream",)])
def test_a_task_that_waits_for_credentials_says_so_and_goes_on_with_them(worker, options):
    asked = run("send", worker.url, "login", *options)
    assert (asked.returncode, asked.stdout) == (Exit.WAITING, "log in at https://login.example\n")
    assert "the task waits for credentials" in asked.stderr
    task_id = asked.stderr.split("--task ")[1].split()[0]
    assert run("send", worker.url, "--task", task_id, "Ada", *options).stdout == "welcome, Ada\n"


def test_a_question_is_answered_with_the_task(worker):
    asked = run("send", worker.url, "ask")
    assert (asked.returncode, asked.stdout) == (Exit.WAITING, "which one?\n")
    task_id = asked.stderr.split("--task ")[1].split()[0]
    answered = run("send", worker.url, "--task", task_id, "the red")
    assert (answered.returncode, answered.stdout) == (Exit.OK, "you said the red\n")
    again = run("send", worker.url, "--task", task_id, "the blue")
    assert again.returncode == Exit.REFUSED


def test_a_question_can_be_answered_while_it_is_watched(worker):
    task = json.loads(run("send", worker.url, "ask", "--json").stdout)["task"]
    answered = run("send", worker.url, "--task", task["id"], "the red", "--stream")
    assert (answered.returncode, answered.stdout) == (Exit.OK, "you said the red\n")


def test_a_context_is_kept(worker):
    first = json.loads(run("send", worker.url, "hi", "--json").stdout)["task"]
    second = json.loads(run("send", worker.url, "hi", "--context", first["contextId"], "--json").stdout)[
        "task"
    ]
    assert first["contextId"] == second["contextId"]
    assert first["id"] != second["id"]


def test_without_waiting_the_id_comes_at_once(worker):
    task_id = run("send", worker.url, "long", "--no-wait").stdout.strip()
    shown = json.loads(run("tasks", "show", worker.url, task_id, "--json").stdout)
    assert shown["id"] == task_id
    assert run("tasks", "cancel", worker.url, task_id).returncode == Exit.OK


def test_a_refusal_is_told_in_words_and_in_json(worker):
    result = run("send", worker.url, "--data", '{"nosuch": 1}', "--json")
    assert result.returncode == Exit.REFUSED
    assert "message.parts[0].data.nosuch: is not known here" in result.stderr
    assert json.loads(result.stdout)["error"]["reason"] == "INVALID_PARAMS"


def test_an_agent_that_is_not_there_is_told_in_words(tmp_path):
    result = run("send", "http://127.0.0.1:1", "hi")
    assert result.returncode == Exit.UNREACHABLE
    assert "cannot connect to" in result.stderr
    assert "is the agent running" in result.stderr
    assert "Traceback" not in result.stderr


def test_time_that_runs_out_leaves_a_way_back(worker):
    result = run("send", worker.url, "long", "--timeout", "3s")
    assert result.returncode == Exit.TIMED_OUT
    assert "no result after 3 seconds; the agent may still be working" in result.stderr
    task_id = result.stderr.split("tasks tail ")[1].split()[1]
    assert run("tasks", "cancel", worker.url, task_id).returncode == Exit.OK


def test_ctrl_c_leaves_a_way_back(worker):
    process = start(
        "send", worker.url, "long", "--stream", stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=None
    )
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(4) == "one "
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == Exit.INTERRUPTED
        assert read_line(process, process.stderr).startswith("the agent goes on; see how far it is with")
        assert process.stderr.read() == ""


def test_a_reader_that_goes_away_ends_it_quietly(worker):
    process = start(
        "send", worker.url, "word " * 20000, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=None
    )
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.wait(60)
        assert "Traceback" not in process.stderr.read()


def test_a_skill_that_needs_nothing_is_called_by_its_name(worker):
    assert run("send", worker.url, "--skill", "brief").stdout == "in brief\n"


def test_a_question_stands_above_its_options(worker):
    asked = run("send", worker.url, "--skill", "pick")
    assert "it expects one of: " in asked.stderr
    assert asked.stdout.splitlines() == ["What pace would you like?", "1. slow", "2. fast"]
