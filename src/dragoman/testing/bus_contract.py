"""The contract of `Bus` as tests, for everyone who writes one. They need pytest and pytest-asyncio."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dragoman.bus import Bus

_PATIENCE_SECONDS = 10


class BusContract(ABC):
    """What every bus does."""

    pytestmark = pytest.mark.asyncio

    @abstractmethod
    def make_bus(self, place: Path) -> Bus:
        """An unopened bus; those of one `place`, an empty directory at first, hear each other."""

    @pytest_asyncio.fixture
    async def bus(self, tmp_path: Path) -> AsyncIterator[Bus]:
        async with self.make_bus(tmp_path) as bus:
            yield bus

    async def test_a_ring_is_heard(self, bus: Bus) -> None:
        rung = asyncio.Event()
        bus.listen("task", rung.set)
        bus.ring("task")
        await wait(rung)

    async def test_a_ring_without_listeners_is_no_error(self, bus: Bus) -> None:
        bus.ring("nobody's")

    async def test_everyone_who_listens_to_the_topic_hears_it(self, bus: Bus) -> None:
        first, second = asyncio.Event(), asyncio.Event()
        bus.listen("task", first.set)
        bus.listen("task", second.set)
        bus.ring("task")
        await wait(first)
        await wait(second)

    async def test_rings_of_other_topics_are_not_heard(self, bus: Bus) -> None:
        wrong, right = asyncio.Event(), asyncio.Event()
        bus.listen("task", wrong.set)
        bus.listen("other", right.set)
        bus.ring("other")
        await wait(right)
        assert not wrong.is_set()

    async def test_who_has_stopped_hears_nothing(self, bus: Bus) -> None:
        stopped, listening = asyncio.Event(), asyncio.Event()
        stop = bus.listen("task", stopped.set)
        bus.listen("task", listening.set)
        stop()
        bus.ring("task")
        await wait(listening)
        assert not stopped.is_set()

    async def test_stopping_twice_stops_nobody_else(self, bus: Bus) -> None:
        rung = asyncio.Event()
        stop = bus.listen("task", rung.set)
        stop()
        bus.listen("task", rung.set)
        stop()
        bus.ring("task")
        await wait(rung)

    async def test_a_listener_may_stop_while_it_is_called(self, bus: Bus) -> None:
        heard: list[str] = []
        last = asyncio.Event()

        def once() -> None:
            heard.append("once")
            stop()

        stop = bus.listen("task", once)
        bus.listen("task", last.set)
        for _ in range(2):
            last.clear()
            bus.ring("task")
            await wait(last)
        assert heard == ["once"]


class SharedBusContract(BusContract):
    """What a bus does that rings in other processes."""

    async def test_a_ring_is_heard_elsewhere(self, bus: Bus, tmp_path: Path) -> None:
        rung = asyncio.Event()
        async with self.make_bus(tmp_path) as elsewhere:
            elsewhere.listen("task", rung.set)
            bus.ring("task")
            await wait(rung)

    async def test_every_topic_that_rang_is_heard_elsewhere(self, bus: Bus, tmp_path: Path) -> None:
        async with self.make_bus(tmp_path) as elsewhere:
            rungs = [asyncio.Event() for _ in range(200)]
            for number, rung in enumerate(rungs):
                elsewhere.listen(f"task-{number} é", rung.set)
            for number in range(200):
                bus.ring(f"task-{number} é")
            for rung in rungs:
                await wait(rung)

    async def test_rings_of_other_topics_are_not_heard_elsewhere(self, bus: Bus, tmp_path: Path) -> None:
        wrong, right = asyncio.Event(), asyncio.Event()
        async with self.make_bus(tmp_path) as elsewhere:
            elsewhere.listen("task", wrong.set)
            elsewhere.listen("other", right.set)
            bus.ring("other")
            await wait(right)
        assert not wrong.is_set()


async def wait(rung: asyncio.Event) -> None:
    """Wait for the ring, but not for ever."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await rung.wait()
