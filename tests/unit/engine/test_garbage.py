"""What a send makes is gone when it is over, without the garbage collector."""

import gc
from collections.abc import AsyncIterator

import pytest

from dragoman.engine import Turn
from tests.unit.engine.kit import COMPLETED, drain, serving, write

SENDS = 20


@pytest.fixture
async def uncollected() -> AsyncIterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def work(turn: Turn) -> None:
    write(turn, "one")
    write(turn, "two", append=True)


@pytest.mark.usefixtures("uncollected")
async def test_a_blocking_send_leaves_no_garbage():
    async with serving(work) as host:
        await host.send()
        gc.collect()
        for _ in range(SENDS):
            assert (await host.send()).state is COMPLETED
        assert gc.collect() < SENDS


@pytest.mark.usefixtures("uncollected")
async def test_a_stream_leaves_no_garbage():
    async with serving(work) as host:
        await drain(await host.stream())
        gc.collect()
        for _ in range(SENDS):
            await drain(await host.stream())
        assert gc.collect() < SENDS
