"""How many runs work at once."""

import asyncio


class Slots:
    """A bounded number of places, and a bounded queue for them (I10)."""

    def __init__(self, *, max_held: int, max_waiting: int) -> None:
        self._places = asyncio.Semaphore(max_held)
        self._max_waiting = max_waiting
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether the queue takes no more."""
        return self._waiting >= self._max_waiting

    async def acquire(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    def release(self) -> None:
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
