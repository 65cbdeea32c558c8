"""The socket that a served agent listens at, and the addresses that lead to it."""

import errno
import os
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager

from dragoman.cli.failures import CommandError

CAN_SHARE_PORTS = sys.platform == "linux"
"""Whether several processes can listen at one port, and each gets its share of the connections."""

_BACKLOG = 2048
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with what was typed, not bound

_REASONS = {
    errno.EADDRINUSE: "something else listens there; choose another with --port, or --port 0 for any that is free",
    errno.EACCES: "this port is reserved for the system; choose one above 1023 with --port",
    socket.EAI_NONAME: "there is no such host; choose an address of this machine with --host",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose one with --host",
}


def listen(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """A socket that listens; CommandError that says why there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, because asyncio sets TCP_NODELAY only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error)).replace("--port", option)
        raise CommandError(f"cannot listen at {host} port {port}: {reason}") from None
    return listener


@contextmanager
def reserving(host: str, port: int) -> Generator[int, None, None]:
    """A port for gRPC, which binds it itself, once in each process; CommandError that says why there is none.

    0 takes any that is free. While the block runs, it is kept for who shares it, where the system knows sharing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with listen(host, port, option="--grpc-port") as probe:
        number: int = probe.getsockname()[1]
    with socket.socket(family, socket.SOCK_STREAM) as kept:
        if CAN_SHARE_PORTS:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            kept.bind((host, number))
        yield number


def get_address(listener: socket.socket) -> str:
    """The URL by which this machine reaches a socket."""
    bound, port = listener.getsockname()[:2]
    host = _EVERYWHERE.get(bound) or str(bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_everywhere(host: str) -> bool:
    """Whether other machines reach it through any of this one's addresses."""
    return host in _EVERYWHERE
