"""Every bus of ours keeps the one contract."""

import asyncio
from pathlib import Path

import pytest

from dragoman.bus import Bus, LocalBus
from dragoman.bus.polling import SqliteBus
from dragoman.model import UnavailableError
from dragoman.testing.bus_contract import BusContract, SharedBusContract, wait


class TestLocalBus(BusContract):
    def make_bus(self, place: Path) -> Bus:
        return LocalBus()


class TestSqliteBus(SharedBusContract):
    def make_bus(self, place: Path) -> Bus:
        return SqliteBus(place / "data" / "tasks.bus")

    async def test_a_ring_of_its_own_is_heard_once(self, bus: Bus, tmp_path: Path) -> None:
        heard: list[None] = []
        echoed = asyncio.Event()
        bus.listen("task", lambda: heard.append(None))
        bus.listen("echo", echoed.set)
        async with self.make_bus(tmp_path) as elsewhere:
            elsewhere.listen("task", lambda: elsewhere.ring("echo"))
            bus.ring("task")
            await wait(echoed)
        assert len(heard) == 1

    async def test_a_place_that_is_no_file_is_unavailable(self, tmp_path: Path) -> None:
        with pytest.raises(UnavailableError, match="cannot be opened"):
            await SqliteBus(tmp_path).__aenter__()
