"""Stopping in order: what is at work may finish, and what lasts longer is ended by the agent itself."""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from starlette.types import Message, Receive, Scope, Send

from dragoman.cli.loading import App

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Draining:
    """An app that is served. At a signal to stop it drains, at once, while the server waits for the requests under way.

    A server by itself tells an app to stop when they are over, and would wait for ever for streams that last, or cut them off.
    A second signal of the same kind gives up what is at work; a third ends the process. `on_ready` is called when it has started.
    """

    def __init__(self, app: App, on_ready: Callable[[], None] | None = None) -> None:
        self._app = app
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
                # The server ends the loop when it hears it, so nothing of ours may still run.
                ended.append(message)
                return
            await send(message)
            if message["type"] == "lifespan.startup.complete" and self._on_ready is not None:
                self._on_ready()

        with _heard_signals() as orders:
            async with asyncio.TaskGroup() as group:
                obeying = group.create_task(self._obey(orders))
                await self._app(scope, receive, pass_on)
                obeying.cancel()
        for message in ended:
            await send(message)

    async def _obey(self, orders: "Orders") -> None:
        await orders.stop.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._app.stop())
            await orders.hurry.wait()
            await self._app.stop(at_once=True)


@dataclass(frozen=True, slots=True)
class Orders:
    """What the signals of a process have said so far."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def _heard_signals() -> Generator[Orders, None, None]:
    """Orders that signals give. The first of all goes on to whoever handled it before.

    They are counted by kind, for in a terminal a process hears Ctrl-C, and then of it from the process that has started it.
    """
    orders = Orders()
    if threading.current_thread() is not threading.main_thread():  # only there signals can be handled
        yield orders
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard: Counter[int] = Counter()

    def hear(number: int, frame: FrameType | None) -> None:
        heard[number] += 1
        match heard[number]:
            case 1:
                loop.call_soon_threadsafe(orders.stop.set)
                handler = before[signal.Signals(number)]
                if heard.total() == 1 and callable(handler):
                    handler(number, frame)
            case 2:
                loop.call_soon_threadsafe(orders.hurry.set)
            case _:
                os._exit(128 + number)

    for number in SIGNALS:
        signal.signal(number, hear)
    try:
        yield orders
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
