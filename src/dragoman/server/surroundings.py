"""What the bindings of one agent have in common."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from starlette.types import Scope

from dragoman.model import AgentCard
from dragoman.server.dispatch import BoundOperation
from dragoman.server.gate import Gate
from dragoman.server.issuing import CardIssuer
from dragoman.server.older import Older
from dragoman.server.streaming import Streams
from dragoman.wire import codec


class Surroundings(Struct, frozen=True):
    """The parts of a service that an exchange needs."""

    gate: Gate
    operations: Mapping[str, BoundOperation]
    issuer: CardIssuer
    streams: Streams
    older: Older | None = None
    """Who answers calls of the generations before 1.0, if any is served."""

    def encode(self, result: Any, scope: Scope) -> bytes:
        """A result of the engine as JSON; the extended card gets its interfaces and signatures like the public one."""
        if isinstance(result, AgentCard):
            result = self.issuer.issue(result, scope)
        return codec.encode(result)
