# mypy: disable-error-code="import-not-found,import-untyped,misc"
"""How the Python peers are hosted: on a free port, until their input ends."""

import asyncio
import socket
import sys
from typing import Any

import uvicorn


def listen() -> tuple[socket.socket, str]:
    """A socket on loopback, and its address. The protocol is named: asyncio sets TCP_NODELAY only where it is, and Nagle waits 40 ms."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


async def serve(app: Any, listener: socket.socket, base: str) -> None:
    """Serve the app; print the address, and end when standard input does."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([listener]))
    print(base, flush=True)  # noqa: T201 - read by the matrix
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving
