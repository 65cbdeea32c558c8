"""How long a run may work."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from dragoman.engine.timers import Timers


class WorkingTime:
    """Bounds how long a run works, each time that it begins to.

    It keeps no hold of whom it calls: they own it, and go at once when the run is over.
    """

    def __init__(self, limits: Timers, grace: timedelta) -> None:
        self._limits = limits
        self._grace = grace
        self._started = 0
        self._last_call: asyncio.TimerHandle | None = None
        self.is_up = False

    def start(self, on_up: Callable[[], None], on_ignored: Callable[[], None]) -> None:
        """Call `on_up` when the time that `limits` gives is up, and `on_ignored` a little later if it was not stopped by then.

        What was counted before does not matter.
        """
        self.stop()
        self._started = self._limits.start(partial(self._end, on_up, on_ignored))

    def stop(self) -> None:
        """Count no more, until the next `start`."""
        if not self._started:
            return
        self._limits.stop(self._started)
        self._started = 0
        if self._last_call is not None:
            self._last_call.cancel()

    def _end(self, on_up: Callable[[], None], on_ignored: Callable[[], None]) -> None:
        self.is_up = True
        self._last_call = asyncio.get_running_loop().call_later(self._grace.total_seconds(), on_ignored)
        on_up()
