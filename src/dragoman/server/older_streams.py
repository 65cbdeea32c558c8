"""Streams in the words of older generations: each event is written once per dialect, for all its readers (I6, SPEC 7.7)."""

from collections.abc import Callable

from dragoman.engine.entries import StreamItem
from dragoman.server.streaming import Frame
from dragoman.wire import codec, sse
from dragoman.wire.dialects import Dialect

_LINE_END = b"\n"


def make_frame(dialect: Dialect, wrap: Callable[[bytes], bytes]) -> Frame:
    """What puts the events of one stream on the wire; `wrap` makes a server-sent event of one event's JSON."""
    writer = dialect.open_stream()

    def frame(item: StreamItem) -> bytes:
        writer.see(item.event)
        lines = item.encodings.get(dialect.name)
        if lines is None:
            written = [sse.make_line(codec.encode(event)) for event in writer.dump(item.event)]
            lines = item.encodings[dialect.name] = _LINE_END.join(written)
        return b"".join(map(wrap, lines.split(_LINE_END)))

    return frame
