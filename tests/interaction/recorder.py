"""An app that notes every request on its way to another app."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Message: TypeAlias = MutableMapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. Names of headers are in lower case."""

    verb: str
    path: str
    raw_path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    host: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def params(self) -> dict[str, Any]:
        """The request of the operation, whatever binding wrapped it."""
        value: dict[str, Any] = self.json
        return value.get("params", value)


class Recorder:
    """Passes everything on to `app` and keeps what it saw; requests for the card are kept apart."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.seen: list[Seen] = []
        self.cards: list[Seen] = []

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        message = await receive()
        seen = _read(scope, message.get("body", b""))
        (self.cards if seen.path.endswith("agent-card.json") else self.seen).append(seen)
        first = [message]

        async def replay() -> Message:
            return first.pop() if first else await receive()

        await self.app(scope, replay, send)

    @property
    def last(self) -> Seen:
        return self.seen[-1]


def _read(scope: Message, body: bytes) -> Seen:
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    return Seen(
        verb=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"].decode(),
        query=parse_qs(scope["query_string"].decode(), keep_blank_values=True),
        headers=headers,
        body=body,
        host=headers["host"],
    )
