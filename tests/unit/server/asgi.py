"""An ASGI server for one request at a time, whose caller decides what arrives when."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp

RPC_HEADERS = {"content-type": "application/json", "a2a-version": "1.0"}
Chunks = Iterable[bytes]


@dataclass
class Answer:
    """What came back. `chunks` are the body as it was sent, message by message."""

    status: int = 0
    lines: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    is_complete: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.lines)

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        blocks = [block for block in self.body.decode().split("\n\n") if "data: " in block]
        return [json.loads(block.partition("data: ")[2]) for block in blocks]


class Request:
    """One request under way. `hang_up` makes the caller go away."""

    def __init__(self, scope: dict[str, Any], chunks: Chunks) -> None:
        self.scope = scope
        self.answer = Answer()
        self.wrote = asyncio.Event()
        self.may_write = asyncio.Event()
        self.may_write.set()
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        *first, last = list(chunks) or [b""]
        for chunk in first:
            self.feed(chunk, more=True)
        self.feed(last)

    def feed(self, chunk: bytes, *, more: bool = False) -> None:
        self._incoming.put_nowait({"type": "http.request", "body": chunk, "more_body": more})

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> dict[str, Any]:
        return await self._incoming.get()

    async def send(self, message: Any) -> None:
        await self.may_write.wait()
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            self.answer.lines = [(name.decode(), value.decode()) for name, value in message["headers"]]
        else:
            self.answer.chunks.append(message["body"])
            self.answer.is_complete = not message.get("more_body", False)
        self.wrote.set()

    async def run(self, app: ASGIApp) -> Answer:
        await app(self.scope, self.receive, self.send)
        return self.answer

    async def until(self, text: bytes) -> None:
        """Wait until `text` was sent."""
        async with asyncio.timeout(5):
            while text not in self.answer.body:
                self.wrote.clear()
                await self.wrote.wait()


def make_scope(
    verb: str, target: str, headers: dict[str, str] | list[tuple[str, str]], **more: Any
) -> dict[str, Any]:
    from urllib.parse import unquote

    path, _, query = target.partition("?")
    pairs = headers.items() if isinstance(headers, dict) else headers
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": verb,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 8000),
        **more,
    }


async def ask(
    app: ASGIApp,
    verb: str,
    target: str,
    body: bytes | Chunks = b"",
    headers: dict[str, str] | list[tuple[str, str]] = RPC_HEADERS,
    **scope: Any,
) -> Answer:
    """One request and its whole answer."""
    chunks = [body] if isinstance(body, bytes) else body
    return await Request(make_scope(verb, target, headers, **scope), chunks).run(app)


async def call(
    app: ASGIApp, method: str, params: Any = None, *, path_prefix: str = "", **options: Any
) -> Answer:
    """One JSON-RPC request."""
    envelope: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "method": method}
    if params is not None:
        envelope["params"] = params
    return await ask(app, "POST", f"{path_prefix}/", json.dumps(envelope).encode(), **options)
