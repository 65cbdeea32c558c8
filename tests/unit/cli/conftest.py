"""A folder with agents in it, and one of them served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.processes import GREETER, WORKER, Served, serving


@pytest.fixture(scope="package")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as an author has it, with greeter.py and worker.py."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "greeter.py").write_text(GREETER)
    (folder / "worker.py").write_text(WORKER)
    return folder


@pytest.fixture(scope="package")
def worker(agents: Path) -> Iterator[Served]:
    with serving("worker:agent", cwd=agents) as served:
        yield served
