"""Which notifications came before (PSH-03)."""

from typing import TypeAlias

NotificationKey: TypeAlias = tuple[str, str]
"""The task and the id: another agent's numbering must not hide this one's."""


class Seen:
    """The last `limit` keys. It forgets the oldest first, and everything with the process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: dict[NotificationKey, None] = {}

    def add(self, key: NotificationKey) -> bool:
        """Whether the key is new here; one without an id always is."""
        if not key[1]:
            return True
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._limit:
            del self._keys[next(iter(self._keys))]
        return True

    def discard(self, key: NotificationKey) -> None:
        self._keys.pop(key, None)
