"""How long a run may work."""

import asyncio
from collections.abc import Callable
from datetime import timedelta


class WorkingTime:
    """Calls `on_up` when the time is up, and `on_ignored` a little later if it was not stopped by then."""

    def __init__(
        self,
        limit: timedelta,
        grace: timedelta,
        *,
        on_up: Callable[[], None],
        on_ignored: Callable[[], None],
    ) -> None:
        self._limit = limit
        self._grace = grace
        self._on_up = on_up
        self._on_ignored = on_ignored
        self._timer: asyncio.TimerHandle | None = None
        self.is_up = False

    def start(self) -> None:
        """Count from now; what was counted before does not matter."""
        self._call_after(self._limit, self._end)

    def stop(self) -> None:
        """Count no more, until the next `start`."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.is_up = True
        self._call_after(self._grace, self._on_ignored)
        self._on_up()

    def _call_after(self, delay: timedelta, callback: Callable[[], None]) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(delay.total_seconds(), callback)
