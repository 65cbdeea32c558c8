"""HTTP into an ASGI application of the same process, without a socket."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, runtime_checkable
from urllib.parse import SplitResult, unquote, urlsplit

from dragoman.client.http.base import AsgiApp, AsgiMessage, Http, HttpRequest, HttpStream
from dragoman.model import TimedOut, Unreachable

MAX_BUFFERED_CHUNKS = 16
"""Chunks that the application may be ahead of its reader, as the buffers of a socket would allow."""

CLOSE_GRACE_SECONDS = 1.0
"""How long `close` waits for calls that were told of the disconnect, before it cancels them."""


class HungUp(OSError):
    """What the application gets when it writes after the reader has gone."""


@runtime_checkable
class Runnable(Protocol):
    """What an application has that can be run by whoever uses it, such as an `Agent`."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run during the block."""
        ...


class Stay:
    """The time in which an application runs for a client, in one event loop."""

    def __init__(self, app: Runnable) -> None:
        self.loop = asyncio.get_running_loop()
        self._running = app.running()
        self._arriving = asyncio.create_task(self._running.__aenter__())

    async def begin(self) -> None:
        """Come back when it runs. A caller that is cancelled cancels nobody else."""
        await asyncio.shield(self._arriving)

    async def end(self) -> None:
        await asyncio.wait({self._arriving})
        if not self._arriving.cancelled() and self._arriving.exception() is None:
            await self._running.__aexit__(None, None, None)

    @property
    def has_failed(self) -> bool:
        arriving = self._arriving
        return arriving.done() and (arriving.cancelled() or arriving.exception() is not None)


class AsgiHttp(Http):
    """Calls `app` in the running loop, one task for each request.

    An agent runs from the first request on until `close`, unless somebody else runs it. The lifespan of any other
    application is not run: that is its server's.
    """

    def __init__(self, app: AsgiApp) -> None:
        thing: object = app
        self._app = app
        self._runnable = thing if isinstance(thing, Runnable) else None
        self._calls: dict[asyncio.Task[None], AsgiStream] = {}
        self._stay: Stay | None = None

    async def open(self, request: HttpRequest) -> HttpStream:
        if self._runnable is not None:
            await self._run(self._runnable)
        stream = AsgiStream(request)
        call = asyncio.create_task(stream.run(self._app), name=f"{request.verb} {request.url} in process")
        self._calls[call] = stream
        call.add_done_callback(self._forget)
        try:
            await stream.start()
        except BaseException:
            stream.close()
            raise
        return stream

    @property
    def is_open(self) -> bool:
        return bool(self._calls) or self._stay is not None

    async def close(self) -> None:
        await self._hang_up()
        stay, self._stay = self._stay, None
        if stay is not None and stay.loop is asyncio.get_running_loop():
            await stay.end()

    async def _run(self, app: Runnable) -> None:
        if self._stay is None or self._stay.has_failed or self._stay.loop is not asyncio.get_running_loop():
            self._stay = Stay(app)
        await self._stay.begin()

    async def _hang_up(self) -> None:
        if not self._calls:
            return
        for stream in self._calls.values():
            stream.close()
        _, pending = await asyncio.wait(self._calls, timeout=CLOSE_GRACE_SECONDS)
        for call in pending:
            call.cancel()
        if pending:
            await asyncio.wait(pending, timeout=CLOSE_GRACE_SECONDS)

    def _forget(self, call: asyncio.Task[None]) -> None:
        self._calls.pop(call, None)


class AsgiStream(HttpStream):
    """One call of the application: what it sends comes out of `read`, and `close` is the disconnect that it receives."""

    def __init__(self, request: HttpRequest) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._request = request
        self._messages: asyncio.Queue[AsgiMessage | Exception | None] = asyncio.Queue(MAX_BUFFERED_CHUNKS)
        self._hung_up = asyncio.Event()
        self._is_body_read = False
        self._is_ended = False

    async def run(self, app: AsgiApp) -> None:
        """Let the application answer; what it raises reaches the reader as Unreachable."""
        try:
            await app(_build_scope(self._request), self._receive, self._send)
        except HungUp:
            return
        except asyncio.CancelledError:
            self.close()  # else its reader would wait for ever
            raise
        except Exception as failure:  # noqa: BLE001 - a server, too, keeps running when its application raises
            await self._put(failure)
        else:
            await self._put(None)

    async def start(self) -> None:
        """Wait for status and headers."""
        message = await self._take()
        if message is None or message["type"] != "http.response.start":
            raise Unreachable("the application ended without an answer", url=self._request.url)
        self.status = message["status"]
        self.headers = _load_headers(message.get("headers", ()))

    async def read(self) -> bytes:
        while not self._is_ended:
            message = await self._take()
            if message is None:
                raise Unreachable("the application ended in the middle of its answer", url=self._request.url)
            self._is_ended = not message.get("more_body", False)
            if body := message.get("body", b""):
                return bytes(body)
        return b""

    def close(self) -> None:
        self._is_ended = True
        self._hung_up.set()
        while not self._messages.empty():
            self._messages.get_nowait()
        self._messages.put_nowait(None)  # for whoever is reading at this moment

    async def _take(self) -> AsgiMessage | None:
        scope = asyncio.timeout(self._request.idle)
        try:
            async with scope:
                message = await self._messages.get()
        except TimeoutError:
            if not scope.expired():
                raise
            raise TimedOut(
                f"the application is silent for {self._request.idle} seconds", url=self._request.url
            ) from None
        if isinstance(message, Exception):
            raise Unreachable(f"the application failed: {message!r}", url=self._request.url) from message
        return message

    async def _receive(self) -> AsgiMessage:
        if not self._is_body_read:
            self._is_body_read = True
            return {"type": "http.request", "body": self._request.body or b"", "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: AsgiMessage) -> None:
        if self._hung_up.is_set():
            raise HungUp("the reader has hung up")
        await self._put(message)

    async def _put(self, message: AsgiMessage | Exception | None) -> None:
        if not self._hung_up.is_set():
            await self._messages.put(message)


def _load_headers(pairs: Any) -> dict[str, str]:
    return {bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1") for name, value in pairs}


def _build_scope(request: HttpRequest) -> dict[str, Any]:
    url = urlsplit(request.url)
    headers = {"host": url.netloc, **{name.lower(): value for name, value in request.headers.items()}}
    if request.body is not None:
        headers["content-length"] = str(len(request.body))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.verb,
        "scheme": url.scheme,
        "path": unquote(url.path) or "/",
        "raw_path": (url.path or "/").encode("ascii"),
        "query_string": url.query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": _server_of(url),
        "state": {},
    }


def _server_of(url: SplitResult) -> tuple[str, int]:
    return url.hostname or "localhost", url.port or (443 if url.scheme == "https" else 80)
