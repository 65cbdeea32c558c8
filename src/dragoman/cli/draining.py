"""Stopping in order: what is under way may finish, and what lasts longer is ended by the agent itself."""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from starlette.types import Message, Receive, Scope, Send

from dragoman.cli.loading import App

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Draining:
    """An app that is served. After a signal to stop, its requests have `seconds`; then it ends its streams with an error.

    A server by itself would wait for ever for streams that last, or cut them off. `on_ready` is called when it has started.
    """

    def __init__(self, app: App, seconds: float, on_ready: Callable[[], None] | None = None) -> None:
        self._app = app
        self._seconds = seconds
        self._on_ready = on_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        ended: list[Message] = []

        async def pass_on(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                ended.append(
                    message
                )  # the server ends the loop when it hears it, so nothing of ours may still run
                return
            await send(message)
            if message["type"] == "lifespan.startup.complete" and self._on_ready is not None:
                self._on_ready()

        with _told_to_stop() as told:
            async with asyncio.TaskGroup() as group:
                stopping = group.create_task(self._stop_late(told))
                await self._app(scope, receive, pass_on)
                stopping.cancel()
        for message in ended:
            await send(message)

    async def _stop_late(self, told: asyncio.Event) -> None:
        await told.wait()
        await asyncio.sleep(self._seconds)
        await self._app.stop()


@contextmanager
def _told_to_stop() -> Generator[asyncio.Event, None, None]:
    """An event that is set by a signal to stop, which goes on to whoever handled it before."""
    told = asyncio.Event()
    if threading.current_thread() is not threading.main_thread():  # only there signals can be handled
        yield told
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(told.set)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in SIGNALS:
        signal.signal(number, hear)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
