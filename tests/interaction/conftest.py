"""What the interaction tests share: an agent, a wire to it in each binding, and the requirement marker."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

import pytest

from tests.interaction.agents import Parrot
from tests.interaction.grpc_wire import GrpcWire
from tests.interaction.wires import BINDINGS, Wire

Connect: TypeAlias = Callable[..., Awaitable[Wire]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requirement(*ids): the rows of SPEC §6 that the test covers")


WIRES: dict[str, type[Wire]] = {**BINDINGS, "grpc": GrpcWire}


@pytest.fixture(params=list(WIRES))
def binding(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def connect(binding: str) -> AsyncIterator[Connect]:
    """Starts an agent, which is stopped after the test, and opens a wire to it."""
    async with AsyncExitStack() as stack:

        async def start(agent: Any) -> Wire:
            if binding == "grpc":
                GrpcWire.prepare(agent)
            await agent.start()
            stack.push_async_callback(agent.stop)
            wire = WIRES[binding](agent)
            stack.push_async_callback(wire.aclose)
            return wire

        yield start


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
async def wire(connect: Connect, parrot: Parrot) -> Wire:
    """A wire to the parrot."""
    return await connect(parrot)
