import subprocess
import sys

import pytest

from dragoman.store import MemoryTaskStore, open_store
from dragoman.store.sqlite import Durability, SqliteTaskStore


def test_memory():
    assert isinstance(open_store("memory:"), MemoryTaskStore)


def test_three_slashes_are_relative_and_four_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_store("sqlite:///data/tasks.db").location == f"sqlite:///{tmp_path}/data/tasks.db"
    assert open_store(f"sqlite:///{tmp_path}/tasks.db").location == f"sqlite:///{tmp_path}/tasks.db"


async def test_a_location_is_a_url(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/a b%25.db") as store:
        assert (tmp_path / "a b%.db").exists()
        assert open_store(store.location).location == store.location


def test_opening_touches_nothing(tmp_path):
    open_store(f"sqlite:///{tmp_path}/new/tasks.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("durability", Durability)
async def test_durability_is_an_option(tmp_path, durability):
    store = open_store(f"sqlite:///{tmp_path}/tasks.db?durability={durability.value}")
    assert isinstance(store, SqliteTaskStore)
    assert store.durability is durability


def test_postgresql_is_announced():
    with pytest.raises(ValueError, match=r"dragoman\[postgres\]"):
        open_store("postgresql://ada:secret@db/tasks")


@pytest.mark.parametrize(
    "url", ["mysql://ada:secret@db/tasks", "tasks.db", "", "memory://", "memory:x", "sqlite"]
)
def test_what_is_unknown_is_told_what_is_supported_and_no_password(url):
    with pytest.raises(ValueError, match="supported are 'memory:', 'sqlite:///relative") as raised:
        open_store(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["sqlite:", "sqlite://", "sqlite:///", "sqlite://tasks.db", "sqlite:////"])
def test_a_url_without_a_file_is_refused(url):
    with pytest.raises(ValueError, match="names no file"):
        open_store(url)


@pytest.mark.parametrize("query", ["durability=paper", "mode=ro", "durability", "durability="])
def test_an_unknown_option_is_refused(query):
    with pytest.raises(ValueError, match="durability=power"):
        open_store(f"sqlite:///tasks.db?{query}")


def test_sqlite_is_imported_only_when_asked_for():
    code = "import sys, dragoman.store as s; s.open_store('memory:'); print('sqlite3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
