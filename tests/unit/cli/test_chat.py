"""`dragoman chat` with a pipe, and with a terminal."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from dragoman.cli.exits import Exit
from tests.unit.cli.processes import SECONDS, ended, run, start

pytestmark = pytest.mark.slow


def test_every_line_waits_for_the_answer_to_the_one_before(worker):
    result = run("chat", worker.url, said="hello there\nask\nthe red\nbye")
    assert result.stdout.splitlines() == ["hello there ", "which one?", "you said the red", "bye "]
    assert (result.returncode, result.stderr) == (Exit.OK, "")


def test_a_task_that_waits_for_credentials_is_answered_by_the_next_line(worker):
    result = run("chat", worker.url, said="login\nAda\n")
    assert result.stdout.splitlines() == ["log in at https://login.example", "welcome, Ada"]
    assert "the task waits for credentials" in result.stderr
    assert result.returncode == Exit.OK


def test_a_conversation_keeps_its_context_until_a_new_one_is_begun(worker):
    result = run("chat", worker.url, "--json", said="one\ntwo\n/new\nthree\n")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    contexts = [event["task"]["contextId"] for event in events if "task" in event]
    assert contexts[0] == contexts[1] != contexts[2]


def test_what_works_can_be_canceled_by_the_next_line(worker):
    result = run("chat", worker.url, said="long\n/cancel\nhi\n")
    assert "the task was canceled" in result.stderr
    assert result.stdout.endswith("hi \n")
    assert result.returncode == Exit.OK


def test_what_waits_can_be_canceled(worker):
    result = run("chat", worker.url, said="ask\n/help\n/cancel\n/cancel\nhi\n")
    assert result.stdout == "which one?\nhi \n"
    assert result.stderr.splitlines()[-2:] == ["the task was canceled", "there is nothing to cancel"]


def test_commands_are_explained_and_others_refused(worker):
    result = run("chat", worker.url, said="/help\n/nosuch now\n\n/quit\nnever sent\n")
    assert "/cancel   cancel the task" in result.stderr
    assert "there is no command '/nosuch'" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "said, code", [("ask", Exit.WAITING), ("fail", Exit.FAILED), ("fail\nhi", Exit.OK), ("", Exit.OK)]
)
def test_the_exit_code_is_that_of_the_last_answer(worker, said, code):
    assert run("chat", worker.url, said=said).returncode == code


def test_a_refused_line_does_not_end_the_conversation(worker):
    result = run("chat", worker.url, "--skill", "nosuch", said="hi\nhi\n")
    assert result.stderr.count("no such skill") == 2
    assert result.returncode == Exit.REFUSED


def test_nobody_there_is_told_at_once(tmp_path):
    result = run("chat", "http://127.0.0.1:1", said="hi")
    assert result.returncode == Exit.UNREACHABLE
    assert "Traceback" not in result.stderr


class Typist:
    """Somebody at a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def wait_for(self, words: str) -> None:
        """Read until `words` have come; what came before them is dropped."""
        end = time.monotonic() + SECONDS
        while words not in self.seen:
            ready, _, _ = select.select([self._descriptor], [], [], max(0, end - time.monotonic()))
            assert ready, f"{words!r} did not come; this did: {self.seen!r}"
            self.seen += os.read(self._descriptor, 4096).decode()
        self.seen = self.seen.partition(words)[2]


@contextmanager
def at_a_terminal(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Typist]]:
    outer, inner = os.openpty()
    pipes = {"stdin": inner, "stdout": inner, "stderr": inner}
    # In a session of its own, of which the terminal becomes the controlling one: so Ctrl-C reaches it.
    process = start(*arguments, cwd=None, start_new_session=True, preexec_fn=_take_terminal, **pipes)
    os.close(inner)
    try:
        with ended(process):
            yield process, Typist(outer)
    finally:
        os.close(outer)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")


@needs_terminal
def test_at_a_terminal_the_agent_is_introduced_and_asks_back(worker):
    with at_a_terminal("chat", worker.url) as (process, typist):
        typist.wait_for("Worker: Does this and that")
        typist.wait_for("> ")
        typist.type("ask\n")
        typist.wait_for("which one?")
        typist.wait_for("answer> ")
        typist.type("the red\n")
        typist.wait_for("you said the red")
        typist.wait_for("> ")
        typist.type("\x04")
        assert process.wait(SECONDS) == Exit.OK


@needs_terminal
@pytest.mark.parametrize("canceling", ["\x03", "/cancel\n"], ids=["ctrl-c", "by a line"])
def test_at_a_terminal_an_answer_can_be_canceled_while_it_comes(worker, canceling):
    with at_a_terminal("chat", worker.url) as (process, typist):
        typist.wait_for("> ")
        typist.type("long\n")
        typist.wait_for("one ")
        typist.type(canceling)
        typist.wait_for("the task was canceled")
        typist.wait_for("> ")
        typist.type("still here\n")
        typist.wait_for("still here \r\n")
        typist.wait_for("> ")
        typist.type("/quit\n")
        assert process.wait(SECONDS) == Exit.OK


@needs_terminal
def test_ctrl_c_at_the_prompt_leaves(worker):
    with at_a_terminal("chat", worker.url) as (process, typist):
        typist.wait_for("> ")
        # Between Python's prompt and its waiting for a key lies a moment in which it hears a signal only at the next key.
        typist.type("\x03")
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.returncode is None:
            typist.type("\x03")
        assert process.wait(SECONDS) == Exit.INTERRUPTED


@needs_terminal
def test_progress_is_shown_at_a_terminal_and_control_characters_are_not(worker):
    with at_a_terminal("send", worker.url, "long") as (process, typist):
        typist.wait_for("10% started")
        typist.type("\x03")
        assert process.wait(SECONDS) == Exit.INTERRUPTED
    with at_a_terminal("send", worker.url, "escape") as (process, typist):
        typist.wait_for("]0;titlered")
        process.wait(SECONDS)
