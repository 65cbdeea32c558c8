"""What a server does once, when its app has started."""

import gc

from starlette.types import Message, Receive, Scope, Send

from dragoman.cli.draining import Draining


class Started:
    """An app that starts, and stops at once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    async def stop(self, *, at_once: bool = False) -> None: ...


async def run_lifespan(served: Draining) -> list[str]:
    told: list[str] = []

    async def send(message: Message) -> None:
        told.append(message["type"])

    async def receive() -> Message:
        raise AssertionError("nothing is to be heard")

    await served({"type": "lifespan"}, receive, send)
    return told


async def test_what_is_there_at_the_start_is_kept_from_the_collector():
    frozen: list[int] = []
    try:
        told = await run_lifespan(Draining(Started(), lambda: frozen.append(gc.get_freeze_count())))  # type: ignore[arg-type]
    finally:
        gc.unfreeze()
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert frozen[0] > 10_000
