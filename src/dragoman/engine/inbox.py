"""What a caller has said to a task that is at work."""

from collections import deque
from collections.abc import Sequence

from dragoman.engine.signals import Signal
from dragoman.model import Message, UnavailableError


class Inbox:
    """Messages that a run has not read yet, in order (I7).

    A run that starts again from the top finds what earlier runs were told, which does not count against `max_queued`.
    """

    def __init__(self, unread: Sequence[Message], *, max_queued: int) -> None:
        self._repeated = deque(unread)
        self._queued: deque[Message] = deque()
        self._max_queued = max_queued
        self.changed = Signal()

    def __len__(self) -> int:
        return len(self._repeated) + len(self._queued)

    def check_room(self) -> None:
        """Raise UnavailableError if one more message is too many."""
        if len(self._queued) >= self._max_queued:
            raise UnavailableError(
                f"{len(self._queued)} messages wait for this task already; try again when it has read some"
            )

    def put(self, message: Message) -> None:
        self._queued.append(message)
        self.changed.fire()

    def take(self) -> Message:
        return (self._repeated or self._queued).popleft()

    async def until_mail(self) -> None:
        while not self:
            await self.changed.wait()
