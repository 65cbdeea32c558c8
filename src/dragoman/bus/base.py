"""The contract of a bus."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

Topic: TypeAlias = str
"""What rang: a task id, or `push` for the webhooks of all."""

Listener: TypeAlias = Callable[[], None]


class Bus(ABC):
    """A doorbell between the processes that share a store.

    A ring may be lost, doubled or late: whoever hears one looks at the store, and looks now and then without one. Listeners
    are called on the event loop, must not block and must not raise.
    """

    async def __aenter__(self) -> "Bus":
        return self

    async def __aexit__(self, *exc_info: object) -> None:  # noqa: B027 -- a bus may have nothing to let go of
        """Stop listening and let go of connections."""

    @abstractmethod
    def ring(self, topic: Topic) -> None:
        """Wake whoever listens to `topic`, in every process. Returns at once and never raises."""

    @abstractmethod
    def listen(self, topic: Topic, listener: Listener) -> Callable[[], None]:
        """Call `listener` at every ring of `topic`, until the returned function is called."""
