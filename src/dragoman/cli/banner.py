"""What is said when an agent is served."""

import os
import socket
from dataclasses import dataclass

from dragoman.cli.hosting import MEMORY, list_agents, list_stores
from dragoman.cli.listening import get_address, is_everywhere
from dragoman.cli.loading import App
from dragoman.cli.output import Output
from dragoman.cli.serving import is_fast
from dragoman.server.grpc_place import GrpcPlace

CARD_PATH = "/.well-known/agent-card.json"


@dataclass(frozen=True, slots=True)
class Banner:
    """Where an agent is, and where its tasks lie."""

    names: dict[str, str]
    address: str
    stores: tuple[str, ...]
    workers: int
    is_everywhere: bool
    grpc: dict[str, str]

    @classmethod
    def of(cls, app: App, listener: socket.socket, *, workers: int = 1) -> "Banner":
        names = {path: agent.name for path, agent in list_agents(app).items()}
        stores = tuple(store.location for store in list_stores(app))
        grpc = {
            path: GrpcPlace(agent.grpc).address
            for path, agent in list_agents(app).items()
            if agent.grpc and agent.grpc.port
        }
        is_open = is_everywhere(listener.getsockname()[0])
        return cls(names, get_address(listener), stores, workers, is_open, grpc)

    def show(self, out: Output) -> None:
        """To a person in words, to a program as one line of JSON."""
        out.line(self._to_json())
        for path, name in self.names.items():
            out.say(f"{name} is served at {self.address}{path}")
            out.say(f"  card   {self.address}{path}{CARD_PATH}")
            if path in self.grpc:
                out.say(f"  grpc   {self.grpc[path]}")
        out.say(f"  tasks  {', '.join(map(_describe_store, self.stores))}")
        out.say(f'  try    dragoman send {self.address}{next(iter(self.names))} "hello"')
        if self.workers > 1:
            out.say(f"  {self.workers} processes share the tasks")
        if self.is_everywhere:
            out.say("  other machines can reach it, through every address of this one")
        if not is_fast():
            out.say("  it is faster with uvloop and httptools: pip install 'dragoman[fast]'")
        out.say("Press Ctrl-C to stop.")

    def _to_json(self) -> dict[str, object]:
        agents = [
            {"name": name, "url": self.address + path, "card": self.address + path + CARD_PATH}
            | ({"grpc": self.grpc[path]} if path in self.grpc else {})
            for path, name in self.names.items()
        ]
        return {"url": self.address, "pid": os.getpid(), "stores": self.stores, "agents": agents}


def _describe_store(location: str) -> str:
    if location == MEMORY:
        return "in memory: they are forgotten when it stops"
    return location.removeprefix("sqlite:///") if location.startswith("sqlite:") else location
