"""The echo agent does what its page says, and its demo notices if it does not."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman import Client, TaskState
from dragoman.client import TaskHandle
from examples.echo import agent as valley
from examples.echo.serving import serve

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
async def client(monkeypatch):
    """A client of a new valley in this process, where nothing takes time."""
    fresh = importlib.reload(valley)
    monkeypatch.setattr(fresh, "PAUSE", 0)
    monkeypatch.setattr(fresh, "FAR", 0)
    async with Client(fresh.agent) as client:
        yield client
    await fresh.agent.stop()


async def test_a_text_comes_back_with_what_it_is_made_of(client):
    echo, heard = (await client.ask("to be or not")).split("\n")
    assert echo == "to be or not"
    assert json.loads(heard) == {"characters": 12, "words": 4, "longest": "not"}


async def test_the_mountains_answer_as_often_as_they_are_asked(client):
    assert await client.ask({"text": "Ho!", "times": 3}, skill="mountains") == "Ho! Ho! Ho! "


@pytest.mark.parametrize("change, result", [("loud", "HEY"), ("quiet", "hey"), ("3", "yeH")])
async def test_the_voice_is_asked_for(client, change, result):
    assert await client.ask("Hey", skill="voice", on_question=lambda _: change) == result


@pytest.mark.slow
def test_the_demo_happens_as_told_and_leaves_nothing_behind():
    result = run("examples.echo.demo")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.findall(r"^(\d)\. ", result.stdout, re.MULTILINE) == list("123456789")
    assert result.stdout.count("✓") == 11
    [folder] = re.findall(r"its tasks lie in (\S+)", result.stdout)
    assert not Path(folder).exists()
    for pid in re.findall(r"process (\d+) serves", result.stdout):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.mark.slow
def test_the_demo_fails_if_something_differs_from_what_it_tells(tmp_path):
    shutil.copytree(ROOT / "examples" / "echo", tmp_path / "examples" / "echo")
    broken = tmp_path / "examples" / "echo" / "agent.py"
    broken.write_text(broken.read_text().replace("words=len(words)", "words=len(words) + 1"))
    result = run("examples.echo.demo", cwd=tmp_path)
    assert result.returncode == 1
    assert "this should be so, and is not: it counted 7 words" in result.stderr


@pytest.mark.slow
async def test_the_client_shows_what_comes(tmp_path):
    async with serve(tmp_path) as served:
        result = run("examples.echo.client", served.url, "hello there")
        assert "['hello']\n" in result.stdout
        assert result.stdout.endswith("COMPLETED\n")
        assert run("examples.echo.client").returncode == 1


@pytest.mark.slow
async def test_what_takes_long_stops_when_it_is_canceled(tmp_path):
    async with serve(tmp_path) as served, Client(served.url) as client:
        task = await client.send("Ho!", skill="mountains", return_immediately=True)
        assert isinstance(task, TaskHandle)
        assert (await task.cancel()).state is TaskState.CANCELED
