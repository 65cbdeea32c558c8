"""Looking after very many streams, with one timer."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

_LOOKS = 8


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Seconds of silence before a comment is sent, and of a reader's deafness before it is given up."""

    heartbeat: float
    write_timeout: float


class Watched(Protocol):
    """A stream that is looked at now and then."""

    def mind(self, now: float) -> None:
        """Do what is due by that time of the event loop."""
        ...


class Vigil:
    """Looks at every stream `_LOOKS` times in the shorter of its limits: a timer for each of them would be set with every write."""

    def __init__(self, times: StreamTimes) -> None:
        self.times = times
        self.pause = min(times.heartbeat, times.write_timeout) / _LOOKS
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, stream: Watched) -> None:
        self._watched.add(stream)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.pause, self._look)

    def end(self, stream: Watched) -> None:
        self._watched.discard(stream)

    def _look(self) -> None:
        self._timer = None
        if not self._watched:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.pause, self._look)
        now = loop.time()
        for stream in tuple(self._watched):
            stream.mind(now)
