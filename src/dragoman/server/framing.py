"""Events as they stand on the wire: made once, for all readers that are at the same place."""

from collections.abc import Callable, Iterator, Sequence

from dragoman.engine.batches import Batch
from dragoman.engine.entries import StreamItem
from dragoman.model import A2AError
from dragoman.wire import jsonrpc, sse

CHUNK_BYTES = 64_000
"""A little less than the 64 KiB at which transports have a writer wait."""

GAP = b"\0"
"""Stands for the id of the reader's call. JSON has it in no other place, nor has any other part of an event."""

Frame = Callable[[StreamItem], bytes]
"""One event, with gaps; signs that readers may take for line ends are escaped later."""

ErrorFrame = Callable[[A2AError], bytes]

RESULT_START, RESULT_END = sse.encode_event(
    jsonrpc.RESULT_START + GAP + jsonrpc.RESULT_MIDDLE + b"|" + jsonrpc.RESULT_END
).split(b"|")
"""What stands around a result of a JSON-RPC call that is an event."""

_ID_STEP = 64


class Template:
    """Events with their gaps. Readers whose ids print the same share what becomes of it."""

    __slots__ = ("_filled", "_id", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = sse.make_line(text)
        self._id = b""
        self._filled = self._text

    def fill(self, id: bytes) -> bytes:
        """The bytes for a reader with that id."""
        if id != self._id:
            self._id, self._filled = id, self._text.replace(GAP, id)
        return self._filled


class Framing:
    """What puts the events of one stream on the wire, and the error that ends it.

    Streams whose framings have the same `name` differ in nothing but the `id`. Without one there are no gaps.
    """

    __slots__ = ("_frame", "_id", "_room", "frame_error", "key")

    def __init__(self, name: str, frame: Frame, frame_error: ErrorFrame, *, id: bytes = b"") -> None:
        self.frame_error = frame_error
        self._frame = frame
        self._id = sse.make_line(id)
        self._room = -(-len(self._id) // _ID_STEP) * _ID_STEP
        self.key = (name, self._room)

    def frame(self, batch: Batch) -> Iterator[bytes]:
        """The events in chunks of about `CHUNK_BYTES`, each made when it is asked for."""
        for template in self._find(batch):
            yield template.fill(self._id)

    def _find(self, batch: Batch) -> Sequence[Template]:
        found: Sequence[Template] | None = batch.encodings.get(self.key)
        if found is None:
            found = batch.encodings[self.key] = tuple(map(Template, self._gather(batch)))
        return found

    def _gather(self, batch: Batch) -> Iterator[bytes]:
        """An id takes as much room as the next multiple of `_ID_STEP`, so that no chunk is too large for anybody who shares it."""
        frame, room = self._frame, self._room
        gathered: list[bytes] = []
        size = 0
        for item in batch:
            event = frame(item)
            more = len(event) + room
            if size and size + more > CHUNK_BYTES:
                yield b"".join(gathered)
                gathered, size = [], 0
            gathered.append(event)
            size += more
        if gathered:
            yield b"".join(gathered)
