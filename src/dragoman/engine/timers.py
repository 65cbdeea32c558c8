"""Time limits by the thousand, for the price of one timer of the event loop."""

import asyncio
from collections.abc import Callable
from datetime import timedelta


class Timers:
    """Callbacks that are all due after the same time, and mostly stopped long before.

    So they are due in the order in which they were started, and the event loop need only know of the first.
    """

    def __init__(self, delay: timedelta) -> None:
        self._delay = delay.total_seconds()
        self._waiting: dict[int, tuple[float, Callable[[], None]]] = {}
        self._last_number = 0
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many are started and not stopped."""
        return len(self._waiting)

    def __contains__(self, number: object) -> bool:
        """Whether the timer is neither stopped nor due yet."""
        return number in self._waiting

    def start(self, callback: Callable[[], None]) -> int:
        """Call back when the time is up, unless `stop` is called with the number that this returns."""
        loop = asyncio.get_running_loop()
        self._last_number = number = self._last_number + 1
        self._waiting[number] = (loop.time() + self._delay, callback)
        if self._alarm is None:
            self._arm()
        return number

    def stop(self, number: int) -> None:
        self._waiting.pop(number, None)

    def _arm(self) -> None:
        if self._alarm is None and self._waiting:
            due, _ = next(iter(self._waiting.values()))
            self._alarm = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = asyncio.get_running_loop().time()
        try:
            while self._waiting:
                number, (due, callback) = next(iter(self._waiting.items()))
                if due > now:
                    return
                del self._waiting[number]
                callback()
        finally:
            self._arm()
