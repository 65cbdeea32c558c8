"""What a caller has said to a task that is at work."""

from collections.abc import Sequence

from dragoman.engine.past import Heard
from dragoman.engine.signals import Signal
from dragoman.model import UnavailableError


class Inbox:
    """Messages that a run has not read yet, in order (I7).

    A run that starts again from the top finds what earlier runs were told, which does not count against `max_queued`.
    """

    def __init__(self, unread: Sequence[Heard], *, max_queued: int) -> None:
        self._unread = list(unread)
        self._repeated = len(unread)
        self._max_queued = max_queued
        self.changed = Signal()

    def __len__(self) -> int:
        return len(self._unread)

    def check_room(self) -> None:
        """Raise UnavailableError if one more message is too many."""
        queued = len(self._unread) - self._repeated
        if queued >= self._max_queued:
            raise UnavailableError(
                f"{queued} messages wait for this task already; try again when it has read some"
            )

    def put(self, heard: Heard) -> None:
        self._unread.append(heard)
        self.changed.fire()

    def take(self) -> Heard:
        self._repeated = max(0, self._repeated - 1)
        return self._unread.pop(0)

    async def until_mail(self) -> None:
        while not self:
            await self.changed.wait()
