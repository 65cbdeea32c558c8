"""Streams in the words of older generations: each event is written once per dialect, for all its readers (I6, SPEC 7.7)."""

from collections.abc import Sequence

from dragoman.engine.batches import Batch
from dragoman.engine.entries import StreamItem
from dragoman.server.framing import RESULT_END, RESULT_START, ErrorFrame, Framing, Template
from dragoman.wire import codec, sse
from dragoman.wire.dialects import Dialect
from dragoman.wire.dialects.base import EventWriter

_LINE_END = b"\n"


class OlderFraming(Framing):
    """Puts the events of one stream on the wire in a dialect: as answers to a JSON-RPC call if there is an `id`, else bare."""

    __slots__ = ("_dialect", "_wrap", "_writer")

    def __init__(self, dialect: Dialect, frame_error: ErrorFrame, *, id: bytes = b"") -> None:
        self._dialect = dialect
        self._writer = dialect.open_stream()
        self._wrap = _wrap_result if id else sse.encode_event
        name = f"{dialect.name} jsonrpc" if id else dialect.name
        super().__init__(name, self._put, frame_error, id=id)

    def _find(self, batch: Batch) -> Sequence[Template]:
        if self.key in batch.encodings and not isinstance(self._writer, EventWriter):
            for item in batch:  # the writer has to see what others wrote
                self._writer.see(item.event)
        return super()._find(batch)

    def _put(self, item: StreamItem) -> bytes:
        self._writer.see(item.event)
        return b"".join([self._wrap(line) for line in self._write(item).split(_LINE_END)])

    def _write(self, item: StreamItem) -> bytes:
        """The JSON of what the event is in this dialect, a line for each."""
        lines: bytes | None = item.encodings.get(self._dialect.name)
        if lines is None:
            written = map(codec.encode, self._writer.dump(item.event))
            lines = item.encodings[self._dialect.name] = _LINE_END.join(written)
        return lines


def _wrap_result(json: bytes) -> bytes:
    return b"%b%b%b" % (RESULT_START, json, RESULT_END)
