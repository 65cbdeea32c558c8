"""`dragoman serve` as a process."""

import asyncio
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from dragoman import Client, TaskState
from dragoman.cli.exits import Exit
from dragoman.model import Binding
from tests.unit.cli.processes import GREETER, SECONDS, WORKER, ended, read_line, run, serving, start

pytestmark = pytest.mark.slow

T = TypeVar("T")


def fetch(url: str, path: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def test_it_tells_the_address_the_card_and_where_the_data_lies(agents):
    process = start("serve", "greeter:agent", "--port", "0", cwd=agents, stdout=subprocess.PIPE)
    with ended(process):
        assert process.stdout is not None
        lines = [read_line(process, process.stdout).strip() for _ in range(4)]
        while (last := read_line(process, process.stdout)).startswith("  "):
            continue  # hints, which depend on what is installed
    address = lines[0].removeprefix("Greeter is served at ")
    assert lines[1].split() == ["card", f"{address}/.well-known/agent-card.json"]
    assert lines[2].split() == ["tasks", str(agents / ".dragoman" / "greeter.db")]
    assert lines[3].startswith(f"try    dragoman send {address}")
    assert last == "Press Ctrl-C to stop.\n"


def test_with_json_one_line_says_it_is_ready(agents):
    with serving("greeter:agent", cwd=agents) as served:
        [agent] = served.ready["agents"]
        assert served.ready["pid"] == served.pid
        assert fetch(served.url, urlsplit(agent["card"]).path)[0] == 200


def test_tasks_lie_in_a_folder_of_their_own_that_git_leaves_alone(tmp_path):
    (tmp_path / "greeter.py").write_text(GREETER)
    with serving("greeter:agent", cwd=tmp_path) as served:
        assert run("send", served.url, "Ada").stdout == "Hello, Ada!\n"
    assert (tmp_path / ".dragoman" / ".gitignore").read_text() == "*\n"
    with sqlite3.connect(tmp_path / ".dragoman" / "greeter.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_a_store_that_the_agent_names_is_kept(tmp_path):
    (tmp_path / "greeter.py").write_text(
        GREETER.replace('"Says hello"', '"Says hello", store="sqlite:///own.db"')
    )
    with serving("greeter:agent", cwd=tmp_path) as served:
        assert served.ready["stores"] == [f"sqlite:///{tmp_path}/own.db"]
    with serving("greeter:agent", "--store", "memory:", cwd=tmp_path) as served:
        assert served.ready["stores"] == ["memory:"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(agents, number):
    with serving("greeter:agent", cwd=agents) as served:
        assert run("send", served.url, "Ada").returncode == Exit.OK
        assert served.stop(number) == 0


def test_stopping_ends_streams_that_last_without_a_traceback(tmp_path, agents):
    command = ("serve", str(agents / "worker.py"), "--port", "0", "--json", "--store", "memory:")
    process = start(
        *command, "--drain-seconds", "0", cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        url = json.loads(read_line(process, process.stdout))["url"]
        reader = start("send", url, "long", "--stream", "--json", cwd=tmp_path, stdout=subprocess.PIPE)
        with ended(reader):
            assert reader.stdout is not None
            while "artifactUpdate" not in read_line(reader, reader.stdout):
                pass
            process.terminate()
            assert process.wait(SECONDS) == 0
        assert "1 runs are given up" in (said := process.stderr.read())
        assert len(said.splitlines()) == 1


def test_several_agents_are_served_below_their_paths(tmp_path):
    source = GREETER + "\nfrom dragoman import Agents\napp = Agents({'/greet': agent})\n"
    (tmp_path / "both.py").write_text(source)
    public = "https://example.com/base/"
    with serving("both:app", "--public-url", public, cwd=tmp_path) as served:
        [agent] = served.ready["agents"]
        card = json.loads(fetch(served.url, urlsplit(agent["card"]).path)[1])
        assert agent["url"] == f"{served.url}/greet"
        assert card["supportedInterfaces"][0]["url"] == "https://example.com/base/greet/"
        assert served.ready["stores"] == [f"sqlite:///{tmp_path}/.dragoman/both-app.db"]


def test_several_targets_are_served_below_their_names(tmp_path):
    (tmp_path / "greeter.py").write_text(GREETER)
    (tmp_path / "worker.py").write_text(WORKER)
    with serving("greeter:agent", "busy=worker:agent", cwd=tmp_path) as served:
        assert [agent["url"] for agent in served.ready["agents"]] == [
            f"{served.url}/greeter",
            f"{served.url}/busy",
        ]
        assert served.ready["stores"] == [
            f"sqlite:///{tmp_path}/.dragoman/{name}.db" for name in ("greeter", "worker")
        ]
        listed = json.loads(fetch(served.url, "/")[1])["agents"]
        assert [card["name"] for card in listed] == ["Greeter", "Worker"]
        said = run("send", f"{served.url}/greeter", "Ada", cwd=tmp_path)
        assert said.stdout == "Hello, Ada!\n"
        status, words = fetch(served.url, "/.well-known/agent-card.json")
        assert (status, b"/busy/.well-known/agent-card.json" in words) == (404, True)


@pytest.mark.parametrize(
    "options, words",
    [
        (["nosuch:agent"], "there is no module 'nosuch'"),
        (["greeter", "--store", "redis://x"], "no task store has URLs that begin with 'redis'"),
        (["greeter", "--store", "sqlite:///worker.py/x.db"], "the tasks cannot be kept at sqlite:///"),
        (["greeter", "--store", "memory:", "--workers", "2"], "2 workers cannot share tasks in memory"),
        (["greeter", "--host", "203.0.113.1"], "this machine has no such address"),
        (["greeter", "--host", "nosuch.invalid"], "there is no such host"),
        (["empty"], "'Empty' has no skills yet"),
        (["lost"], "the default skill 'nosuch' does not exist"),
        (["greeter", "greeter.py:agent"], "two agents would be at /greeter; give one another name: NAME="),
        (["greeter", "twin=greeter"], "need names of their own"),
    ],
)
def test_what_cannot_be_served_is_told_before_anything_is(agents, options, words):
    (agents / "empty.py").write_text("from dragoman import Agent\nagent = Agent('Empty')")
    (agents / "lost.py").write_text(GREETER.replace('"Says hello"', '"Says hello", default_skill="nosuch"'))
    result = run("serve", *options, "--port", "0", cwd=agents)
    assert result.returncode == Exit.USAGE
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_port_in_use_is_told_with_what_to_do(agents):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("serve", "greeter:agent", "--port", str(port), cwd=agents)
    assert result.returncode == Exit.USAGE
    assert f"cannot listen at 127.0.0.1 port {port}: something else listens there" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="workers share a port on Unix")
def test_any_worker_takes_any_call_for_any_task(tmp_path, agents):
    """Every call below is a connection of its own, which leads to whichever worker is faster."""
    with serving(str(agents / "worker.py"), "--workers", "3", cwd=tmp_path) as served:
        asyncio.run(use_workers(served.url))
        assert served.stop() == 0


async def use_workers(url: str) -> None:
    async def afresh(use: Callable[[Client], Awaitable[T]]) -> T:
        async with Client(url) as client:
            return await use(client)

    async def answer() -> None:
        task = await afresh(lambda client: client.start("ask"))
        asked = await afresh(lambda client: client.task(task.id).result())
        assert asked.state is TaskState.INPUT_REQUIRED
        await afresh(lambda client: client.task(task.id).reply("that one", return_immediately=True))
        done = await afresh(lambda client: client.task(task.id).result())
        while (
            done.state is TaskState.INPUT_REQUIRED
        ):  # the reply is on its way to the worker that runs the task
            done = await afresh(lambda client: client.task(task.id).result())
        assert (done.state, done.text) == (TaskState.COMPLETED, "you said that one")

    async def cancel() -> None:
        task = await afresh(lambda client: client.start("long"))
        canceled = await afresh(lambda client: client.task(task.id).cancel())
        assert canceled.state is TaskState.CANCELED

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(answer())
        for _ in range(10):
            group.create_task(cancel())


def read_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells what a process has used")
def test_a_server_that_nobody_calls_is_idle(agents):
    with serving("greeter:agent", cwd=agents) as served:
        used = read_cpu_seconds(served.pid)
        time.sleep(3)
        assert read_cpu_seconds(served.pid) - used < 0.3


async def ask_over_grpc(url: str, times: int, **options: Any) -> set[str]:
    answers = set()
    for _ in range(times):
        async with Client(url, bindings=[Binding.GRPC], **options) as client:
            answers.add(await client.ask("Ada"))
    return answers


def test_it_serves_grpc_as_well(agents):
    with serving("greeter:agent", "--grpc-port", "0", cwd=agents) as served:
        [agent] = served.ready["agents"]
        assert agent["grpc"].startswith("127.0.0.1:")
        assert asyncio.run(ask_over_grpc(served.url, 1)) == {"Hello, Ada!"}
        assert served.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux deals out connections among processes")
def test_workers_share_the_port_of_grpc(agents):
    (agents / "whoami.py").write_text(
        "import os\nfrom dragoman import Agent\nagent = Agent('Who')\n"
        "@agent.skill\ndef pid(text: str) -> str:\n    return str(os.getpid())\n"
    )
    with serving("whoami:agent", "--grpc-port", "0", "--workers", "2", cwd=agents) as served:
        deadline = time.monotonic() + SECONDS
        seen: set[str] = set()
        while len(seen) < 2 and time.monotonic() < deadline:
            seen |= asyncio.run(ask_over_grpc(served.url, 4))
        assert len(seen) == 2
        assert served.stop() == 0


@pytest.mark.parametrize(
    "options, said",
    [
        (["--grpc-cert", "greeter.py"], "go with --grpc-port"),
        (["--grpc-port", "0", "--grpc-cert", "greeter.py"], "TLS needs both"),
    ],
)
def test_options_of_grpc_that_do_not_fit_are_told(agents, options, said):
    done = run("serve", "greeter:agent", *options, cwd=agents)
    assert (done.returncode, said in done.stderr) == (Exit.USAGE, True)


def test_a_port_for_grpc_that_is_taken_is_told(agents):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", "greeter:agent", "--port", "0", "--grpc-port", port, cwd=agents)
    assert done.returncode == Exit.USAGE
    assert "choose another with --grpc-port" in done.stderr
