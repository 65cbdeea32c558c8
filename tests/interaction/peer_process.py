"""Scripts in the environment of the official SDK, which must not meet ours."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_GIVEN = os.environ.get("DRAGOMAN_TEST_PEER_PYTHON")
PYTHON = Path(_GIVEN) if _GIVEN else ROOT / ".venv-peer" / "bin" / "python"

needs_peer = pytest.mark.skipif(
    not _GIVEN and not PYTHON.exists(), reason="the peer environment is not there; `make test` builds it"
)

_GIVEN_03 = os.environ.get("DRAGOMAN_TEST_PEER03_PYTHON")
PYTHON_03 = Path(_GIVEN_03) if _GIVEN_03 else ROOT / ".venv-peer03" / "bin" / "python"
"""The official SDK of the generation before."""

needs_peer_03 = pytest.mark.skipif(
    not _GIVEN_03 and not PYTHON_03.exists(),
    reason="the peer environment is not there; `make test` builds it",
)


async def run_peer(module: str, *arguments: str, told: str = "", python: Path = PYTHON) -> str:
    """Run a module of tests/peer to its end, with `told` as its input, and give what it printed."""
    pipe = asyncio.subprocess.PIPE
    command = [str(python), "-m", module, *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate(told.encode())
    assert process.returncode == 0, errors.decode()
    return output.decode()


@contextmanager
def serving_peer(module: str, *, python: Path = PYTHON) -> Iterator[str]:
    """Run a module that prints its address and serves until its input ends."""
    command = [str(python), "-m", module]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
