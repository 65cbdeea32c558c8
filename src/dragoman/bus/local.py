"""The bus of a single process."""

from collections.abc import Callable

from dragoman.bus.base import Bus, Listener, Topic


class LocalBus(Bus):
    """Rings within one process, at once."""

    def __init__(self) -> None:
        self._listeners: dict[Topic, dict[object, Listener]] = {}

    def ring(self, topic: Topic) -> None:
        for listener in tuple(self._listeners.get(topic, {}).values()):
            listener()

    def listen(self, topic: Topic, listener: Listener) -> Callable[[], None]:
        key = object()
        self._listeners.setdefault(topic, {})[key] = listener

        def stop() -> None:
            listeners = self._listeners.get(topic, {})
            listeners.pop(key, None)
            if not listeners:
                self._listeners.pop(topic, None)

        return stop
