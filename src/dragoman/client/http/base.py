"""The contract between the client and whatever carries its requests."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct

from dragoman.model import BadResponse

AsgiMessage: TypeAlias = MutableMapping[str, Any]
AsgiApp: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[AsgiMessage]],
        Callable[[AsgiMessage], Awaitable[None]],
    ],
    Awaitable[None],
]

DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024


class HttpRequest(Struct, frozen=True):
    """One request. `idle` is how many seconds the peer may be silent before an answer is given up; None waits."""

    verb: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    idle: float | None = None


class HttpReply(NamedTuple):
    """A whole answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpStream(ABC):
    """An answer that is still coming in."""

    status: int
    headers: Mapping[str, str]

    @abstractmethod
    async def read(self) -> bytes:
        """The next bytes as soon as there are any; empty at the end.

        Raises Unreachable if the connection breaks before the end, TimedOut after `idle` seconds of silence.
        """

    @abstractmethod
    def close(self) -> None:
        """Hang up, at once and without waiting; the peer learns of it. May be called again."""

    async def read_all(self, max_bytes: int) -> bytes:
        """The rest, and hang up; BadResponse if it is larger than `max_bytes`."""
        body = bytearray()
        try:
            while chunk := await self.read():
                body += chunk
                if len(body) > max_bytes:
                    raise BadResponse(
                        f"the answer is larger than {max_bytes} bytes; raise max_response_bytes"
                    )
            return bytes(body)
        finally:
            self.close()


class Http(ABC):
    """Carries requests. Knows nothing of A2A, follows no redirect, keeps no cookie, repeats nothing.

    Any status is an answer and no error. What fails raises NeverSent, Unreachable, TimedOut or BadResponse.
    """

    @abstractmethod
    async def open(self, request: HttpRequest) -> HttpStream:
        """Send the request and come back with status and headers."""

    @abstractmethod
    async def close(self) -> None:
        """Give up every connection. May be called again."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether something is lost when it is not closed."""

    async def request(self, request: HttpRequest, max_bytes: int = DEFAULT_MAX_RESPONSE_BYTES) -> HttpReply:
        """Send the request and read the whole answer; BadResponse if its body is larger than `max_bytes`."""
        stream = await self.open(request)
        return HttpReply(stream.status, stream.headers, await stream.read_all(max_bytes))
