"""Server-sent events, written and read incrementally (HTML standard, 9.2; SPEC 3.3, 3.5)."""

import re
from typing import NamedTuple

from dragoman.model import BadResponse

COMMENT = b":\n\n"
"""An empty comment: keeps proxies from closing a quiet stream, and readers ignore it."""

MAX_EVENT_BYTES = 32 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")
_FALSE_LINE_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


class ServerSentEvent(NamedTuple):
    """One event. `id` is the last one that the stream has sent, which may be that of an earlier event."""

    data: bytes
    event: str = ""
    id: str = ""


def make_line(json: bytes) -> bytes:
    """The same JSON with U+0085, U+2028 and U+2029 escaped, which httpx and the official SDK take for line ends.

    Outside of a string valid JSON has none of them.
    """
    for sign, escape in _FALSE_LINE_ENDS:
        if sign in json:
            json = json.replace(sign, escape)
    return json


def encode_event(data: bytes, *, id: str = "", event: str = "") -> bytes:
    """One event; ValueError if `id` or `event` contains a line end."""
    head = _encode_field("event", event) + _encode_field("id", id)
    if b"\n" not in data and b"\r" not in data:
        return b"%bdata: %b\n\n" % (head, data)
    lines = b"".join(b"data: %b\n" % line for line in _LINE_END.split(data))
    return head + lines + b"\n"


def _encode_field(name: str, value: str) -> bytes:
    if not value:
        return b""
    if "\n" in value or "\r" in value or "\0" in value:
        raise ValueError(f"the {name} of an event is one line without NUL, not {value[:60]!r}")
    return f"{name}: {value}\n".encode()


class EventDecoder:
    """Reads events from chunks that may be split anywhere.

    After `feed`, `last_event_id` is what to send as `Last-Event-ID` when reconnecting, and `retry_millis` the
    delay that the server asked for. Work and memory are linear in the bytes fed; an event larger than
    `max_event_bytes` raises BadResponse.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = ""
        self.retry_millis: int | None = None
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._event = ""
        self._at_start = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that `chunk` completes, in order; BadResponse if one is too large."""
        if not chunk:
            return []
        first, *rest = self._split(chunk)
        self._line += first
        events: list[ServerSentEvent] = []
        for following in rest:
            self._end_line(events)
            self._line += following
        self._check_size()
        return events

    def close(self) -> bool:
        """Whether the stream ended inside an event, which is then lost."""
        return bool(self._line or self._data)

    def _split(self, chunk: bytes) -> list[bytes]:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r") if chunk else False
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk.split(b"\n")

    def _check_size(self) -> None:
        if self._size + len(self._line) > self._max_event_bytes:
            raise BadResponse(f"an event of the stream is larger than {self._max_event_bytes} bytes")

    def _end_line(self, events: list[ServerSentEvent]) -> None:
        self._check_size()
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if line:
            self._take_field(line)
        else:
            self._dispatch(events)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data:
            events.append(ServerSentEvent(b"\n".join(self._data), self._event, self.last_event_id))
        self._data.clear()
        self._size = 0
        self._event = ""

    def _take_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data.append(value)
                self._size += len(value) + 1
            case b"event":
                self._event = value.decode("utf-8", "replace")
            case b"id" if b"\0" not in value:
                self.last_event_id = value.decode("utf-8", "replace")
            case b"retry" if value.isdigit() and len(value) <= 9:
                self.retry_millis = int(value)
            case _:
                return
