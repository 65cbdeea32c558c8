"""What the bindings of one agent have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from dragoman.model import AgentCard
from dragoman.server.addresses import Addresses
from dragoman.server.dispatch import BoundOperation
from dragoman.server.gate import Gate
from dragoman.server.streaming import Streams
from dragoman.wire import codec


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of a service that an exchange needs."""

    gate: Gate
    operations: Mapping[str, BoundOperation]
    addresses: Addresses
    streams: Streams

    def encode(self, result: Any, scope: Scope) -> bytes:
        """A result of the engine as JSON; the extended card gets its interfaces like the public one."""
        if isinstance(result, AgentCard):
            result = self.addresses.complete(result, scope)
        return codec.encode(result)
