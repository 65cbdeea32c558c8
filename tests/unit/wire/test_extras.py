"""Optional libraries."""

import subprocess
import sys

import pytest

from dragoman import Agent
from dragoman.server import GrpcOptions
from dragoman.wire import extras
from dragoman.wire.extras import MissingExtraError, has_grpc, need_grpc

LOADS = """
import sys
import dragoman
from dragoman import Agent, Client
agent = Agent("A")
Client("http://localhost")
print([name for name in ("grpc", "google.protobuf", "dragoman.wire.grpc") if name in sys.modules])
"""


def test_nothing_of_grpc_is_loaded_before_it_is_asked_for():
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_there_is_found():
    assert has_grpc()
    need_grpc("grpc_health")


def test_what_is_missing_is_told_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert not has_grpc()
    agent = Agent("A", grpc=GrpcOptions(port=0))

    @agent.skill
    def hello() -> str:
        """Greet."""
        return "hello"

    with pytest.raises(MissingExtraError, match=r"pip install 'dragoman\[grpc\]'"):
        _ = agent.app
