"""What the package shows, and what each name loads."""

import subprocess
import sys

import pytest

import dragoman


def list_modules(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_name_is_there():
    assert all(getattr(dragoman, name) is not None for name in dragoman.__all__)
    assert set(dragoman.__all__) <= set(dir(dragoman))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'dragoman' has no attribute 'Dragon'"):
        _ = dragoman.Dragon


@pytest.mark.parametrize("name", ["Client", "Message", "SkillError"])
def test_callers_load_nothing_of_a_server(name):
    loaded = list_modules(f"from dragoman import {name}")
    assert loaded.isdisjoint(
        {"pydantic", "starlette", "dragoman.server", "dragoman.engine", "dragoman.agent"}
    )


def test_authors_load_no_client():
    loaded = list_modules("from dragoman import Agent")
    assert loaded.isdisjoint({"dragoman.client", "aiohttp", "uvicorn", "fastapi"})


def test_neither_side_loads_what_only_some_need():
    """Extras, and the words of generations before 1.0, are paid for by those who use them."""
    loaded = list_modules("from dragoman import Agent, Client; Agent('A'); Client('http://localhost')")
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(
        {"grpc", "google", "joserfc", "cryptography"}
    )
    assert not [name for name in loaded if name.startswith(("dragoman.wire.grpc", "dragoman.server.grpc."))]
    dialects = {name for name in loaded if name.startswith("dragoman.wire.dialects.")}
    assert dialects <= {"dragoman.wire.dialects.base", "dragoman.wire.dialects.naming"}
