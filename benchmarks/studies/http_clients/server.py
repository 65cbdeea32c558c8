"""What is asked and answered, and the bare ASGI server that answers it."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.measuring.ports import find_free_port
from benchmarks.studies.serving import make_environment, run

Message: TypeAlias = MutableMapping[str, Any]

ROOT = Path(__file__).resolve().parents[3]
REQUEST = (
    b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"text":"' + b"q" * 320 + b'"}}}'
)
REPLY = b'{"jsonrpc":"2.0","id":1,"result":{"task":{"text":"' + b"a" * 545 + b'"}}}'
EVENT = b'id: 1\ndata: {"statusUpdate":"' + b"e" * 166 + b'"}\n\n'
EVENTS = 100
HEADERS = {"content-type": "application/json", "accept": "application/json", "a2a-version": "1.0"}

_REPLY_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(REPLY))]
_STREAM_HEADERS = [(b"content-type", b"text/event-stream")]
_UVICORN = ("--http", "httptools", "--loop", "uvloop", "--lifespan", "off", "--no-access-log")


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """POST /, GET /burst and GET /paced (1 ms apart)."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": _REPLY_HEADERS})
        await send({"type": "http.response.body", "body": REPLY})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
    for _ in range(EVENTS):
        await send({"type": "http.response.body", "body": EVENT, "more_body": True})
        if scope["path"] == "/paced":
            await asyncio.sleep(0.001)
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def serve() -> Iterator[str]:
    """The server in a process of its own: its address."""
    port = find_free_port()
    options = ("--port", str(port), "--log-level", "warning", *_UVICORN)
    command = [sys.executable, "-m", "uvicorn", f"{__name__}:app", *options]
    with (
        tempfile.TemporaryDirectory() as folder,
        run(command, port, folder=Path(folder), environment=make_environment(str(ROOT))),
    ):
        yield f"http://127.0.0.1:{port}"
