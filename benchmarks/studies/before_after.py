"""What it costs to lose nothing: this Dragoman beside itself from before it resumed anything, on SQLite, in one run.

The earlier one comes out of the repository's history: the commit before the one that brought `ctx.step`. Both are served by uvicorn
in the same way, take turns, and are called by the same client.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.measuring.ports import find_free_port
from benchmarks.studies.clerk import (
    CHUNKS,
    SENDS,
    STREAMS,
    Act,
    Served,
    count_written,
    send_many,
    stream_many,
    take_turns,
    write_agent,
)
from benchmarks.studies.serving import make_environment, run
from dragoman import Client

ROOT = Path(__file__).resolve().parents[2]
FIRST_FILE = "src/dragoman/engine/steps.py"
"""The commit that added it is the first of what is measured."""
ROUNDS = 7


class NoHistoryError(Exception):
    """The earlier commit cannot be had; the text says why."""


def measure() -> dict[str, Any]:
    """The figures, or why there are none."""
    try:
        commit = find_commit_before()
        with tempfile.TemporaryDirectory() as name, check_out(commit, Path(name) / "source") as earlier:
            return {"before": commit[:12], **asyncio.run(_measure(Path(name), earlier))}
    except NoHistoryError as error:
        return {"not measured": str(error)}


def find_commit_before() -> str:
    """The commit before the one that added `FIRST_FILE`."""
    added = _git("log", "--diff-filter=A", "--format=%H", "--", FIRST_FILE).split()
    if not added:
        raise NoHistoryError(
            f"the history has no commit that adds {FIRST_FILE}; a shallow clone is deepened by `git fetch --unshallow`"
        )
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{added[-1]}^").strip()
    except NoHistoryError:
        raise NoHistoryError(
            f"the history ends at {added[-1][:12]}; a shallow clone is deepened by `git fetch --unshallow`"
        ) from None


@contextmanager
def check_out(commit: str, folder: Path) -> Iterator[Path]:
    """The tree of a commit in a folder of its own, until the block is left."""
    _git("worktree", "add", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise NoHistoryError("git is not installed") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip() or f"git {arguments[0]} failed"
        raise NoHistoryError(f"git has no history to compare with: {reason}") from None
    return done.stdout


async def _measure(folder: Path, earlier: Path) -> dict[str, Any]:
    sources = {"before": earlier / "src", "after": ROOT / "src"}
    figures: dict[str, Any] = {}
    for name, source in sources.items():
        figures |= await _measure_bytes(name, folder / f"{name}-bytes", source)
    async with AsyncExitStack() as stack:
        before, after = [await _start(stack, folder / name, source) for name, source in sources.items()]
        for name, (act, units) in _KINDS.items():
            figures |= await _compare_cpu(name, act, units, before, after)
        return figures


async def _start(stack: AsyncExitStack, folder: Path, source: Path, *, loop: str = "auto") -> Served:
    write_agent(folder, store="sqlite:///tasks.db")
    pid, port = stack.enter_context(_serve(folder, source, loop))
    client = await stack.enter_async_context(Client(f"http://127.0.0.1:{port}"))
    return pid, client


@contextmanager
def _serve(folder: Path, source: Path, loop: str) -> Iterator[tuple[int, int]]:
    port = find_free_port()
    options = ("--port", str(port), "--loop", loop, "--log-level", "warning")
    command = [sys.executable, "-m", "uvicorn", "clerk:agent", *options]
    environment = make_environment(str(folder), str(source))
    _check_source(environment, source)
    with run(command, port, folder=folder, environment=environment) as pid:
        yield pid, port


def _check_source(environment: dict[str, str], source: Path) -> None:
    """See that the code that is measured is the one that is meant."""
    program = "import dragoman; print(dragoman.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    if not Path(found.stdout.strip()).is_relative_to(source):
        raise RuntimeError(f"{found.stdout.strip()} would be measured instead of {source}")


async def _measure_bytes(name: str, folder: Path, source: Path) -> dict[str, Any]:
    """What a stream of chunks makes the server write to files.

    With asyncio's own loop, answers leave by send(), which does not count as written.
    """
    async with AsyncExitStack() as stack:
        one = await _start(stack, folder, source, loop="asyncio")
        await count_written(*one)
        text, written = await count_written(*one)
    return {f"bytes written to files per chunk of {text // CHUNKS} bytes, {name}": written / CHUNKS}


async def _compare_cpu(name: str, act: Act, units: int, before: Served, after: Served) -> dict[str, Any]:
    old, new = await take_turns(act, before, after, units=units, rounds=ROUNDS)
    return {
        f"CPU per {name}, before / after": f"{old:,.0f} µs / {new:,.0f} µs",
        f"CPU per {name}, after to before": new / old,
    }


async def _send_many_bare(client: Client) -> None:
    """Without a key, which costs a commit of its own, for the run begins when the key is known to be the only one."""
    async with aiohttp.ClientSession(headers={"A2A-Version": "1.0"}) as http:
        for number in range(SENDS):
            async with http.post(f"{client.url}/message:send", json=_make_body(number)) as reply:
                answer = await reply.json(content_type=None)
                assert answer["task"]["artifacts"][0]["parts"] == [{"text": "hello"}]


def _make_body(number: int) -> dict[str, Any]:
    message = {"messageId": f"m{number}", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    return {"message": message, "metadata": {"skill": "echo"}}


_KINDS: dict[str, tuple[Act, int]] = {
    "send": (send_many, SENDS),
    "send without a key": (_send_many_bare, SENDS),
    "streamed chunk": (stream_many, STREAMS * CHUNKS),
}
