"""Idempotency keys in memory, and the order in which they expire."""

from heapq import heappop, heappush

from dragoman.store.records import IdempotencyKey, KeyRecord, Scope


class KeyRing:
    """What was done under which key."""

    def __init__(self) -> None:
        self._used: dict[tuple[Scope, str], tuple[IdempotencyKey, str]] = {}
        self._expiries: list[tuple[int, int, Scope, str]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._used)

    def clear(self) -> None:
        self._used.clear()
        self._expiries.clear()

    def find(self, scope: Scope, key: str, now: int) -> KeyRecord | None:
        used = self._used.get((scope, key))
        if used is None or used[0].expires_at <= now:
            return None
        return KeyRecord(task_id=used[1], digest=used[0].digest)

    def use(self, scope: Scope, key: IdempotencyKey, task_id: str) -> None:
        self._used[scope, key.key] = (key, task_id)
        # The count decides among equals, for scopes have no order.
        self._count += 1
        heappush(self._expiries, (key.expires_at, self._count, scope, key.key))

    def expire(self, now: int, limit: int) -> int:
        """Drop at most `limit` keys that have expired; how many."""
        dropped = 0
        while dropped < limit and self._expiries and self._expiries[0][0] <= now:
            expires_at, _, scope, key = heappop(self._expiries)
            used = self._used.get((scope, key))
            if used is not None and used[0].expires_at == expires_at:
                del self._used[scope, key]
                dropped += 1
        return dropped
