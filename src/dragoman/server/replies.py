"""What goes back to a caller in one piece."""

from collections.abc import Sequence

from msgspec import Struct
from starlette.types import Receive, Send

from dragoman.server.failures import NoSuchPathError, WrongVerbError
from dragoman.wire.media import A2A_JSON_TYPE, EVENT_STREAM_TYPE, JSON_TYPE

JSON = JSON_TYPE.encode()
A2A_JSON = A2A_JSON_TYPE.encode()
EVENT_STREAM = EVENT_STREAM_TYPE.encode()
TEXT = b"text/plain; charset=utf-8"

_NOSNIFF = (b"x-content-type-options", b"nosniff")
# For what a cache could take: answers hold what one caller may see.
NO_STORE = (b"cache-control", b"no-store")


class Reply(Struct, frozen=True, gc=False):
    """A complete answer; `headers` go beside those that every answer has."""

    content_type: bytes
    body: bytes
    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = ()

    async def deliver(self, receive: Receive, send: Send) -> None:  # noqa: ARG002 — a stream's reply listens
        headers = [
            (b"content-type", self.content_type),
            (b"content-length", b"%d" % len(self.body)),
            _NOSNIFF,
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def refusal(content_type: bytes, body: bytes, status: int, headers: Sequence[tuple[bytes, bytes]]) -> Reply:
    """An answer that is an error."""
    return Reply(content_type, body, status, (NO_STORE, *headers))


class EmptyReply(Struct, frozen=True, gc=False):
    """An answer that has no body at all, such as 204 and 304."""

    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()

    async def deliver(self, receive: Receive, send: Send) -> None:  # noqa: ARG002 — a stream's reply listens
        await send(
            {"type": "http.response.start", "status": self.status, "headers": [_NOSNIFF, *self.headers]}
        )
        await send({"type": "http.response.body", "body": b""})


def answer_about(verb: str, verbs: Sequence[str]) -> EmptyReply:
    """What to say about a path that takes `verbs`, when it is asked with another: a refusal, or to OPTIONS the list."""
    if not verbs:
        raise NoSuchPathError("there is nothing at this path")
    allowed = (*verbs, "OPTIONS")
    if verb != "OPTIONS":
        raise WrongVerbError(verb, allowed)
    return EmptyReply(204, [(b"allow", ", ".join(allowed).encode())])
