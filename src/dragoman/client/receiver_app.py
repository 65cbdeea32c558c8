"""A webhook as an ASGI app. It answers with a status and nothing else: the reasons are in the operator's log."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from dragoman.client.notifications import Notification, NotificationError, NotificationTooLargeError
from dragoman.client.seen import NotificationKey, Seen

logger = logging.getLogger("dragoman.client.receiving")

BODY_TIMEOUT_SECONDS = 15
"""How long a request may take to arrive after its headers: agents wait no longer for the answer."""

Callback: TypeAlias = Callable[[Notification], Awaitable[object]]

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]

_EXTRA_HEADERS = {
    401: [(b"www-authenticate", b"Bearer")],
    405: [(b"allow", b"POST")],
    503: [(b"retry-after", b"5")],
}


class _Gone(Exception):
    """The sender hung up."""


class ReceiverApp:
    """Hands what `check` lets through to `callback`, once.

    A notification counts as seen when its callback has succeeded. While it runs, a second attempt is told to come
    back later (503): a 204 would be a promise that nobody can give yet.
    """

    def __init__(
        self,
        check: Callable[[Mapping[str, str], bytes], Notification],
        seen: Seen,
        callback: Callback,
        max_body_bytes: int,
    ) -> None:
        self._check = check
        self._seen = seen
        self._callback = callback
        self._max_body_bytes = max_body_bytes
        self._running: set[NotificationKey] = set()

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        match scope["type"]:
            case "http":
                try:
                    status = await self._answer(scope, receive)
                except _Gone:
                    return
                await _send_status(send, status)
            case "lifespan":
                await _run_lifespan(receive, send)
            case _:
                await send({"type": "websocket.close"})

    async def _answer(self, scope: _Message, receive: _Receive) -> int:
        if scope["method"] != "POST":
            return 405
        headers = _load_headers(scope["headers"])
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                body = await _read_body(headers, receive, self._max_body_bytes)
        except TimeoutError:
            return 408
        except NotificationError as error:
            return _refuse(error)
        return await self._take(headers, body)

    async def _take(self, headers: Mapping[str, str], body: bytes) -> int:
        try:
            return await self._hand_over(self._check(headers, body))
        except NotificationError as error:
            return _refuse(error)
        except Exception:
            logger.exception("a notification could not be handled; its sender is asked to try again")
            return 500

    async def _hand_over(self, notification: Notification) -> int:
        key = (notification.task_id, notification.id)
        if key in self._running:
            return 503
        if not self._seen.add(key):
            return 204
        if notification.id:
            self._running.add(key)
        is_done = False
        try:
            await self._callback(notification)
            is_done = True
        finally:
            self._running.discard(key)
            if not is_done:
                self._seen.discard(key)
        return 204


def _refuse(error: NotificationError) -> int:
    logger.warning("a notification was refused with HTTP %d: %s", error.status, error)
    return error.status


def _load_headers(lines: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By lower-case name; several lines of one are joined, and then match nothing that is compared as a whole."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _read_body(headers: Mapping[str, str], receive: _Receive, limit: int) -> bytes:
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):
        raise NotificationTooLargeError(f"it has {length[:20]} bytes; {limit} are taken")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > limit:
            raise NotificationTooLargeError(f"it has more than {limit} bytes")
        if not message.get("more_body", False):
            return bytes(body)


async def _send_status(send: _Send, status: int) -> None:
    headers = [*_EXTRA_HEADERS.get(status, ())]
    if status != 204:  # which has no body, and so no length either (RFC 9110, 8.6)
        headers.append((b"content-length", b"0"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _run_lifespan(receive: _Receive, send: _Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
