"""Events as they stand on the wire: made once, for all readers that are at the same place."""

from collections.abc import Callable, Iterator, Sequence

from dragoman.engine.batches import Batch
from dragoman.engine.entries import StreamItem
from dragoman.model import A2AError
from dragoman.wire import jsonrpc, sse

CHUNK_BYTES = 64_000
"""Below the 64 KiB at which transports have a writer wait."""

Cut = Callable[[StreamItem], Sequence[bytes]]
"""One event in pieces, between which the id of the reader's call belongs."""

ErrorFrame = Callable[[A2AError], bytes]

_ID_STEP = 64
_RPC_START, _RPC_END = sse.encode_event(jsonrpc.RESULT_START + b"|" + jsonrpc.RESULT_END).split(b"|")


def cut_result(json: bytes, place: bytes = b"") -> tuple[bytes, bytes]:
    """A result of a JSON-RPC call as an event, with what stands before its data, in pieces around the id."""
    return place + _RPC_START, b"%b%b%b" % (jsonrpc.RESULT_MIDDLE, json, _RPC_END)


class Template:
    """Events with a gap wherever a reader's own id belongs. Readers whose ids print the same share the whole."""

    __slots__ = ("_filled", "_id", "_pieces")

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._filled: bytes | None = None
        self._id = b""

    def fill(self, id: bytes) -> bytes:
        """The bytes for a reader with that id."""
        if self._filled is None or id != self._id:
            self._id, self._filled = id, id.join(self._pieces)
        return self._filled


class Framing:
    """What puts the events of one stream on the wire, and the error that ends it.

    Streams whose framings have the same `name` differ in nothing but the `id`.
    """

    __slots__ = ("_cut", "_id", "_room", "frame_error", "key")

    def __init__(self, name: str, cut: Cut, frame_error: ErrorFrame, *, id: bytes = b"") -> None:
        self.frame_error = frame_error
        self._cut = cut
        self._id = id
        self._room = -(-len(id) // _ID_STEP) * _ID_STEP
        self.key = (name, self._room)

    def frame(self, batch: Batch) -> Iterator[bytes]:
        """The events in chunks of about `CHUNK_BYTES`, each made when it is asked for."""
        for template in self._find(batch):
            yield template.fill(self._id)

    def _find(self, batch: Batch) -> Sequence[Template]:
        found: Sequence[Template] | None = batch.encodings.get(self.key)
        if found is None:
            found = batch.encodings[self.key] = tuple(self._make(batch))
        return found

    def _make(self, batch: Batch) -> Iterator[Template]:
        """An id takes as much room as the next multiple of `_ID_STEP`, so that no chunk is too large for anybody who shares it."""
        pieces: list[bytes] = []
        rest: list[bytes] = []
        size = 0
        for item in batch:
            event = self._cut(item)
            more = sum(map(len, event)) + self._room * (len(event) - 1)
            if size and size + more > CHUNK_BYTES:
                yield Template((*pieces, b"".join(rest)))
                pieces, rest, size = [], [], 0
            size += more
            *closed, last = event
            for piece in closed:
                pieces.append(b"".join((*rest, piece)))
                rest = []
            rest.append(last)
        if rest:
            yield Template((*pieces, b"".join(rest)))
