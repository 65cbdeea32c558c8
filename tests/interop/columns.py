"""The columns of the matrix: who speaks to whom, over what."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from dragoman.model import Binding
from tools.node_packages import NODE_IS_MISSING

ROOT = Path(__file__).resolve().parents[2]
BINDINGS = tuple(Binding)
THEIRS, OURS = DIRECTIONS = ("its client, our server", "our client, its server")
IS_BUILT_BY_MAKE = "DRAGOMAN_TEST_PEER_PYTHON" in os.environ


@dataclass(frozen=True)
class Peer:
    """A release of somebody's SDK, and how its programs are started from the root of the project."""

    name: str
    home: str
    """The environment that holds it."""
    client: Sequence[str]
    server: Sequence[str]

    @property
    def generation(self) -> str:
        """The generation of A2A that it speaks, by which its releases are numbered."""
        return "0.3" if " 0.3." in self.name else "1.0"

    @property
    def is_node(self) -> bool:
        return self.client[0] == "node"

    @property
    def missing(self) -> str:
        """Why it cannot be run here; empty if it can."""
        if self.is_node and not (shutil.which("node") and shutil.which("npm")):
            return NODE_IS_MISSING
        if IS_BUILT_BY_MAKE or (ROOT / self.home).exists():
            return ""
        return f"{self.home} is not there; `make peer` builds it"


def python_peer(name: str, environment: str, package: str) -> Peer:
    python = f"{environment}/bin/python"
    commands = [(python, "-m", f"tests.peer.{package}.{part}") for part in ("client", "server")]
    return Peer(name, environment, *commands)


def node_peer(name: str, package: str) -> Peer:
    commands = [("node", f"tests/peer/{package}/{part}.mjs") for part in ("client", "server")]
    return Peer(name, f"tests/peer/{package}/node_modules", *commands)


PEERS = (
    python_peer("a2a-sdk 1.3.0", ".venv-peer", "py10"),
    node_peer("@a2a-js/sdk 1.3.0", "js10"),
    python_peer("a2a-sdk 0.3.26", ".venv-peer03", "py03"),
    node_peer("@a2a-js/sdk 0.3.14", "js03"),
)


@dataclass(frozen=True)
class Column:
    peer: Peer
    direction: str
    binding: Binding

    def __str__(self) -> str:
        return f"{self.peer.name}, {self.direction}, {self.binding.value}"


COLUMNS = tuple(Column(*facts) for facts in product(PEERS, DIRECTIONS, BINDINGS))
