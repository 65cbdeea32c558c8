"""A webhook receiver on loopback, with the standard library alone: our tests and the scripts of the peer both use it."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Notification:
    """One request to the webhook. Names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        """The member of the StreamResponse that it carries, still wrapped."""
        value: dict[str, Any] = json.loads(self.body)
        return value


class Receiver:
    """Takes notifications; answers with each of `statuses` in turn and then with 200."""

    def __init__(self, statuses: Iterable[int] = ()) -> None:
        self.taken: list[Notification] = []
        self._statuses = iter(statuses)
        self._arrived = asyncio.Condition()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        if self._serving:
            await asyncio.wait(self._serving)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    async def until(self, count: int) -> list[Notification]:
        """The notifications, once there are `count` of them."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.taken) >= count)
        return self.taken

    async def until_state(self, state: str) -> list[Notification]:
        """The notifications, once one of them tells of `state`."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: any(tells_of(state, entry) for entry in self.taken))
        return self.taken

    async def until_state_03(self, state: str) -> list[Notification]:
        """The notifications, once one of them is a task of 0.3 or 0.1 in this state."""
        async with self._arrived:
            await self._arrived.wait_for(
                lambda: any(entry.payload.get("status", {}).get("state") == state for entry in self.taken)
            )
        return self.taken

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request for each connection, so that none is left open when the receiver ends."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            notification = await _read(reader)
            writer.write(_ANSWER % next(self._statuses, 200))
            await writer.drain()
            async with self._arrived:
                self.taken.append(notification)
                self._arrived.notify_all()
        writer.close()


_ANSWER = b"HTTP/1.1 %d Answer\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


async def _read(reader: asyncio.StreamReader) -> Notification:
    head = await reader.readuntil(b"\r\n\r\n")
    request, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Notification(request.split(" ")[1], headers, body)


def tells_of(state: str, notification: Notification) -> bool:
    """Whether the notification says that the task is in `state`."""
    payload = notification.payload
    told = payload.get("statusUpdate") or payload.get("task") or {}
    return bool(told.get("status", {}).get("state") == state)
