"""How many runs work at once."""

import asyncio

from dragoman.model import UnavailableError


class Slots:
    """A bounded number of places, handed out in the order in which they were asked for, and a bounded queue (I10)."""

    def __init__(self, *, max_held: int, max_waiting: int) -> None:
        self._places = asyncio.Semaphore(max_held)
        self._max_held = max_held
        self._most = max_held + max_waiting
        self._held = 0
        self._expected = 0

    @property
    def is_full(self) -> bool:
        """Whether a run that was launched now might have to wait."""
        return self._held + self._expected >= self._max_held

    def check_room(self) -> None:
        """Raise UnavailableError if one more run could not even wait."""
        if self._held + self._expected >= self._most:
            raise UnavailableError

    def expect(self) -> None:
        """A run was launched that will soon ask for a place with `take_expected`."""
        self._expected += 1

    async def take_expected(self) -> None:
        try:
            await self.take()
        finally:
            self._expected -= 1

    async def take(self) -> None:
        await self._places.acquire()
        self._held += 1

    def give(self) -> None:
        self._held -= 1
        self._places.release()


class Quota:
    """How many of a thing there are, in all and for each owner (I10)."""

    def __init__(self, *, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._held: dict[object, int] = {}
        self._count = 0

    def take(self, owner: object) -> bool:
        """Whether one more was granted; give it back with `give`."""
        held = self._held.get(owner, 0)
        if self._count >= self._total or held >= self._each:
            return False
        self._held[owner] = held + 1
        self._count += 1
        return True

    def give(self, owner: object) -> None:
        self._count -= 1
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
