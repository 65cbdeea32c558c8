"""The life of a store: opened once, closed once, of no use before and after."""

import enum

from dragoman.model import UnavailableError


class Phase(enum.Enum):
    """Where a store stands in its life."""

    UNOPENED = "is not open yet; enter it with `async with`"
    OPEN = "is open"
    CLOSED = "is closed"


class Lifetime:
    """Guards what needs an open store."""

    __slots__ = ("_location", "phase")

    def __init__(self, location: str) -> None:
        self._location = location
        self.phase = Phase.UNOPENED

    def open(self) -> None:
        if self.phase is not Phase.UNOPENED:
            raise RuntimeError(
                f"the task store at {self._location!r} can be entered only once; make another one"
            )
        self.phase = Phase.OPEN

    def close(self) -> None:
        self.phase = Phase.CLOSED

    def check(self) -> None:
        if self.phase is not Phase.OPEN:
            raise UnavailableError(f"the task store at {self._location!r} {self.phase.value}")
