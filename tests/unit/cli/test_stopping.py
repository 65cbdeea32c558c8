"""What becomes of work when `dragoman serve` is told to stop: real processes, real signals."""

import json
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.cli.processes import SECONDS, Served, run, serving

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")]

SLOW = '''\
import asyncio
from pathlib import Path
from dragoman import Agent

agent = Agent("Slow", "Takes its time")

@agent.skill(default=True)
async def work(seconds: float) -> str:
    """Work for so long."""
    await asyncio.sleep(seconds)
    return "done"

@agent.skill(idempotent=True)
async def again(seconds: float) -> str:
    """Work for so long, the first time."""
    if Path("been-here").exists():
        return "done at last"
    Path("been-here").touch()
    await asyncio.sleep(seconds)
    return "done at once"
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slow.py").write_text(SLOW)
    return tmp_path


def begin(served: Served, seconds: float, *options: str) -> str:
    """Start a task, and wait until it works; gives its id."""
    task_id = run("send", served.url, str(seconds), "--no-wait", *options).stdout.strip()
    while show(served, task_id)["status"]["state"] != "TASK_STATE_WORKING":
        pass
    return task_id


def show(served: Served, task_id: str) -> dict:
    return json.loads(run("tasks", "show", served.url, task_id, "--json").stdout)


def settle(served: Served, task_id: str) -> dict:
    run("tasks", "tail", served.url, task_id, "--timeout", str(SECONDS))
    return show(served, task_id)


def await_draining(served: Served) -> None:
    """Wait until it takes no more connections."""
    parts = urlsplit(served.url)
    while True:
        try:
            socket.create_connection((parts.hostname, parts.port), timeout=SECONDS).close()
        except ConnectionResetError:
            continue
        except ConnectionRefusedError:
            return


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_work_that_ends_soon_is_finished_before_it_stops(folder, options):
    with serving("slow.py", *options, cwd=folder) as served:
        task_id = begin(served, 2)
        assert served.stop() == 0
    with serving("slow.py", cwd=folder) as served:
        task = show(served, task_id)
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert task["artifacts"][0]["parts"] == [{"text": "done"}]


def test_work_that_lasts_longer_fails_with_the_reason_or_is_taken_up_by_the_next_start(folder):
    with serving("slow.py", "--drain-seconds", "0.2", cwd=folder) as served:
        lost, kept = begin(served, 3600), begin(served, 3600, "--skill", "again")
        assert served.stop() == 0
    with serving("slow.py", cwd=folder) as served:
        failed, completed = settle(served, lost), settle(served, kept)
    assert failed["status"]["state"] == "TASK_STATE_FAILED"
    assert "the agent stopped while it worked on this task" in failed["status"]["message"]["parts"][0]["text"]
    assert completed["status"]["state"] == "TASK_STATE_COMPLETED"
    assert completed["artifacts"][0]["parts"] == [{"text": "done at last"}]


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_a_second_signal_waits_no_longer(folder, options):
    with serving("slow.py", "--drain-seconds", "3600", *options, cwd=folder) as served:
        begin(served, 3600)
        served.process.terminate()
        await_draining(served)
        began = time.monotonic()
        assert served.stop() == 0
    assert time.monotonic() - began < 20
