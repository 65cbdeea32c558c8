"""What a caller can set, and its defaults."""

import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from msgspec import Struct

from dragoman.client.tls import Tls
from dragoman.client.transport import AnswerLimits
from dragoman.model import Binding, Generation
from dragoman.resilience.backoff import Backoff, random

BINDINGS = (Binding.JSONRPC, Binding.REST, Binding.GRPC)
GENERATIONS = (Generation.V1_0, Generation.V0_3, Generation.V0_2, Generation.V0_1)
POLLING_SECONDS = 2.0


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


def _make_id() -> str:
    return uuid4().hex


class Timeout(Struct, frozen=True):
    """Limits of silence, in seconds; None waits for ever. There is none for a whole answer: give a deadline for that.

    `idle_seconds` is for answers that the agent can give at once. A send that waits for the task is not one of them.
    A stream that is silent for `stream_idle_seconds` is taken for dead and subscribed anew; nothing is lost by it.
    """

    connect_seconds: float = 10.0
    idle_seconds: float | None = 60.0
    stream_idle_seconds: float | None = 120.0


class World(Struct, frozen=True):
    """Time, chance and names, from outside, so that a test can hold them."""

    sleep: Callable[[float], Awaitable[None]] = _sleep
    now: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random
    new_id: Callable[[], str] = _make_id


DEFAULT_TIMEOUT = Timeout()
DEFAULT_RETRY = Backoff()
DEFAULT_RESUBSCRIBE = Backoff(attempts=10)
DEFAULT_LIMITS = AnswerLimits()
REAL_WORLD = World()


class Options(Struct, frozen=True, kw_only=True):
    """How one client behaves."""

    bindings: tuple[Binding, ...] = BINDINGS
    generations: tuple[Generation, ...] = GENERATIONS
    fallback: bool = True
    crosses_generations: bool = False
    extensions: tuple[str, ...] = ()
    tenant: str | None = None
    accepted_output_modes: tuple[str, ...] = ()
    timeout: Timeout = DEFAULT_TIMEOUT
    retry: Backoff = DEFAULT_RETRY
    resubscribe: Backoff = DEFAULT_RESUBSCRIBE
    polling_seconds: float = POLLING_SECONDS
    limits: AnswerLimits = DEFAULT_LIMITS
    tls: Tls | None = None
    world: World = REAL_WORLD
