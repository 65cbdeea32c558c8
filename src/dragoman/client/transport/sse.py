"""Events out of an HTTP answer, whichever binding wrote them."""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from dragoman.client.http import HttpStream
from dragoman.client.transport.base import EventSource, StreamEvent
from dragoman.client.transport.replies import naming
from dragoman.model import A2AError, StreamResponse, Unreachable
from dragoman.wire.errors import load_rest_error
from dragoman.wire.sse import EventDecoder, ServerSentEvent

LoadEvent: TypeAlias = Callable[[bytes], StreamResponse]
"""Read the data of one event; raises the A2AError that it carries instead, or BadResponse."""

ERROR_EVENT = "error"


class SseSource(EventSource):
    """Reads a `text/event-stream`."""

    def __init__(self, stream: HttpStream, load: LoadEvent, *, max_event_bytes: int, url: str) -> None:
        self._stream = stream
        self._load = load
        self._url = url
        self._decoder = EventDecoder(max_event_bytes=max_event_bytes)
        self._events: deque[ServerSentEvent] = deque()

    async def read(self) -> StreamEvent | None:
        with naming(self._url):
            while not self._events:
                chunk = await self._stream.read()
                if not chunk:
                    self._end()
                    return None
                self._events.extend(self._decoder.feed(chunk))
            return self._load_event(self._events.popleft())

    def close(self) -> None:
        self._stream.close()

    def _end(self) -> None:
        self.close()
        if self._decoder.close():
            raise Unreachable("the stream ended inside an event")

    def _load_event(self, event: ServerSentEvent) -> StreamEvent:
        if event.event == ERROR_EVENT:
            raise load_rest_error(500, event.data) or A2AError(event.data.decode("utf-8", "replace"))
        return StreamEvent(event.id, self._load(event.data))


class SingleSource(EventSource):
    """One event that came as a plain answer instead of a stream (D-25)."""

    def __init__(self, payload: StreamResponse) -> None:
        self._payload: StreamResponse | None = payload

    async def read(self) -> StreamEvent | None:
        payload, self._payload = self._payload, None
        return None if payload is None else StreamEvent("", payload)

    def close(self) -> None:
        self._payload = None
