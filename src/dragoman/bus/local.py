"""The bus of a single process."""

from collections import defaultdict
from collections.abc import Callable

from dragoman.bus.base import Bus, Listener, Topic


class LocalBus(Bus):
    """Rings within one process, at once."""

    def __init__(self) -> None:
        self._listeners: defaultdict[Topic, list[Listener]] = defaultdict(list)

    def ring(self, topic: Topic) -> None:
        for listener in tuple(self._listeners.get(topic, ())):
            listener()

    def listen(self, topic: Topic, listener: Listener) -> Callable[[], None]:
        self._listeners[topic].append(listener)

        def stop() -> None:
            listeners = self._listeners.get(topic, [])
            if listener in listeners:
                listeners.remove(listener)
            if not listeners:
                self._listeners.pop(topic, None)

        return stop
