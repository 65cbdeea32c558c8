"""Reading a request's body within its limits."""

from starlette.types import Receive

from dragoman.model import InvalidRequestError
from dragoman.server.failures import BodyTooLargeError, BodyTooSlowError, ClientGoneError
from dragoman.server.headers import RawHeaders
from dragoman.server.patience import Patience


class BodyReader:
    """Reads bodies of at most `max_bytes` that arrive within `seconds`."""

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        self._max_bytes = max_bytes
        self._patience = Patience(seconds)

    async def read(self, headers: RawHeaders, receive: Receive) -> bytes:
        """The body; TransportError if it breaks a limit, ClientGoneError if the caller hangs up."""
        if (length := headers.get(b"content-length")) is not None:
            self._check_length(length)
        try:
            return await self._patience.wait(self._receive(receive))
        except TimeoutError:
            raise BodyTooSlowError(self._patience.seconds) from None

    def _check_length(self, length: bytes) -> None:
        if not length.isdigit() or len(length) > 18:
            raise InvalidRequestError("the content-length must be a number")
        if int(length) > self._max_bytes:
            raise BodyTooLargeError(self._max_bytes)

    async def _receive(self, receive: Receive) -> bytes:
        body = b""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            body = message.get("body", b"")
            size += len(body)
            if size > self._max_bytes:
                raise BodyTooLargeError(self._max_bytes)
            if not message.get("more_body", False):
                break
            chunks.append(body)
        return b"".join((*chunks, body)) if chunks else body
