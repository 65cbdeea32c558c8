"""`dragoman dev`: what is changed is served."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from dragoman.cli.exits import Exit
from dragoman.cli.serving import list_times
from tests.unit.cli.processes import GREETER, SECONDS, ended, read_line, run, start

pytestmark = pytest.mark.slow


def wait_for_answer(url: str, answer: str) -> None:
    """Ask until the new agent answers: the old one may still be there."""
    end = time.monotonic() + SECONDS
    while (last := run("send", url, "Ada").stdout) != answer:
        assert time.monotonic() < end, last


def test_a_change_is_served_and_a_mistake_waits_for_the_next(tmp_path):
    file = tmp_path / "greeter.py"
    file.write_text(GREETER)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(
        "dev", "greeter.py", "--port", "0", "--json", "--log-level", "warning", cwd=tmp_path, **pipes
    )
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        url = json.loads(read_line(process, process.stdout))["url"]
        wait_for_answer(url, "Hello, Ada!\n")
        file.write_text(GREETER + "\n(")
        while "cannot be imported" not in (line := read_line(process, process.stderr)):
            assert line
        assert line.endswith("; waiting for a change\n")
        file.write_text(GREETER.replace("Hello", "Good day"))
        wait_for_answer(url, "Good day, Ada!\n")
        process.terminate()
        assert process.wait(SECONDS) == 0
        assert "Traceback" not in process.stderr.read()


def test_a_file_that_is_not_there_is_told(tmp_path):
    result = run("dev", "nosuch.py", cwd=tmp_path)
    assert result.returncode == Exit.USAGE
    assert "there is no file 'nosuch.py'" in result.stderr


def test_only_the_authors_own_files_are_watched(tmp_path):
    for place in (
        "agent.py",
        "deep/er/tool.py",
        ".git/hook.py",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "node_modules/y.py",
        "note.txt",
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    watched = {path for path, _ in list_times(tmp_path)}
    assert watched == {Path(tmp_path, "agent.py"), Path(tmp_path, "deep/er/tool.py")}
