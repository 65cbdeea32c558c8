"""What an agent remembers of a conversation, between its tasks."""

import asyncio
from typing import Any

import msgspec

from dragoman.agent.delivery import Delivery
from dragoman.agent.payload import to_json
from dragoman.model import JSON

MAX_STATE_BYTES = 256 * 1024


class ConversationState:
    """Named JSON values that belong to the context of a task; durable with the task's next change of status.

    Two tasks of one conversation that write at once: the one that writes last wins, as a whole.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._lock = asyncio.Lock()
        self._values: dict[str, JSON] | None = None

    async def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, as plain JSON."""
        return (await self._load()).get(key, default)

    async def set(self, key: str, value: Any) -> None:
        """Remember `value`: JSON, or a model or dataclass that becomes JSON."""
        self._save({**await self._load(), key: to_json(value)})

    async def delete(self, key: str) -> None:
        """Forget `key`, if it is there."""
        values = dict(await self._load())
        if key in values:
            del values[key]
            self._save(values)

    async def all(self) -> dict[str, JSON]:
        """A copy of everything."""
        return dict(await self._load())

    async def _load(self) -> dict[str, JSON]:
        async with self._lock:
            if self._values is None:
                raw = await self._delivery.turn.load_state()
                self._values = msgspec.json.decode(raw, type=dict[str, JSON]) if raw else {}
        return self._values

    def _save(self, values: dict[str, JSON]) -> None:
        raw = msgspec.json.encode(values)
        if len(raw) > MAX_STATE_BYTES:
            raise ValueError(
                f"the state of a conversation has at most {MAX_STATE_BYTES} bytes, not {len(raw)}; keep a reference"
            )
        self._delivery.turn.save_state(raw)
        self._values = values
