"""One timer for all streams."""

import asyncio

from dragoman.server.vigil import StreamTimes, Vigil


class Stream:
    def __init__(self) -> None:
        self.looks: list[float] = []
        self.looked = asyncio.Event()

    def mind(self, now: float) -> None:
        self.looks.append(now)
        self.looked.set()


async def test_every_stream_is_looked_at_until_it_ends():
    vigil = Vigil(StreamTimes(heartbeat=0.02, write_timeout=10))
    stays, leaves = Stream(), Stream()
    vigil.begin(stays)
    vigil.begin(leaves)
    async with asyncio.timeout(5):
        await leaves.looked.wait()
        vigil.end(leaves)
        count = len(leaves.looks)
        while len(stays.looks) < 4:
            stays.looked.clear()
            await stays.looked.wait()
    assert len(leaves.looks) == count
    assert stays.looks == sorted(stays.looks)


async def test_nothing_is_looked_at_when_there_is_nothing_and_all_begins_anew():
    vigil = Vigil(StreamTimes(heartbeat=10, write_timeout=0.008))
    first, second = Stream(), Stream()
    vigil.begin(first)
    vigil.end(first)
    async with asyncio.timeout(5):
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(2 * vigil.pause, over.set)
        await over.wait()
        assert vigil._timer is None
        vigil.begin(second)
        await second.looked.wait()
    assert first.looks == []
