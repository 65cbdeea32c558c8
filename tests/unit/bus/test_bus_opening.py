import asyncio
import subprocess
import sys

import pytest

from dragoman.bus import LocalBus, open_bus
from dragoman.store import open_store
from dragoman.testing.bus_contract import wait
from dragoman.testing.store_contract.samples import accept, make_birth


def test_local():
    assert isinstance(open_bus("local:"), LocalBus)
    assert isinstance(open_bus("local:", store_url="sqlite:///tasks.db"), LocalBus)


async def test_processes_that_share_a_store_share_the_bus_beside_it(tmp_path):
    store_url = f"sqlite:///{tmp_path}/data/a b%25.db?durability=power"
    rung = asyncio.Event()
    async with (
        open_store(store_url) as store,
        open_bus("sqlite:", store_url=store_url) as here,
        open_bus("sqlite:", store_url=store_url) as there,
    ):
        await accept(store, make_birth())
        there.listen("task", rung.set)
        here.ring("task")
        await wait(rung)
        names = {path.name for path in (tmp_path / "data").iterdir()}
    assert {"a b%.db", "a b%.db-bus"} <= names


async def test_a_bus_may_have_a_file_of_its_own(tmp_path):
    async with open_bus(f"sqlite:///{tmp_path}/bells.db"):
        assert (tmp_path / "bells.db").exists()


def test_opening_touches_nothing(tmp_path):
    open_bus("sqlite:", store_url=f"sqlite:///{tmp_path}/new/tasks.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "store_url", ["memory:", "postgresql://ada:secret@db/tasks", "", "sqlite:", "sqlite:///"]
)
def test_there_is_no_bus_beside_what_is_no_file(store_url):
    with pytest.raises(ValueError, match="lies beside a store in SQLite") as raised:
        open_bus("sqlite:", store_url=store_url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["redis://ada:secret@db", "", "local", "local:x", "bells.db"])
def test_what_is_unknown_is_told_what_is_supported_and_no_password(url):
    with pytest.raises(ValueError, match="supported are 'local:'") as raised:
        open_bus(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://bells.db"])
def test_a_url_without_a_file_is_refused(url):
    with pytest.raises(ValueError, match="names no file"):
        open_bus(url)


def test_sqlite_is_imported_only_when_asked_for():
    code = "import sys, dragoman.bus as b; b.open_bus('local:'); print('sqlite3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
