"""Signals in memory."""

from collections.abc import Iterable, Iterator

from dragoman.store.records import Signal


class Mailbox:
    """What waits for whoever runs a task, by task and in the order of arrival."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[int, Signal]] = {}
        self._last_number = 0

    def __len__(self) -> int:
        return sum(len(signals) for signals in self._waiting.values())

    def __iter__(self) -> Iterator[str]:
        """Ids of tasks for which something waits."""
        return iter(self._waiting)

    def clear(self) -> None:
        self._waiting.clear()

    def list(self, task_id: str) -> list[Signal]:
        return [*self._waiting.get(task_id, {}).values()]

    def put(self, task_id: str, body: bytes) -> None:
        self._last_number += 1
        signal = Signal(self._last_number, task_id, body)
        self._waiting.setdefault(task_id, {})[signal.number] = signal

    def take(self, task_id: str, numbers: Iterable[int]) -> None:
        signals = self._waiting.get(task_id, {})
        for number in numbers:
            signals.pop(number, None)
        if not signals:
            self.drop(task_id)

    def drop(self, task_id: str) -> None:
        self._waiting.pop(task_id, None)
