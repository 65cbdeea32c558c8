"""Decompression in small pieces, so that little input cannot become much memory."""

import zlib
from collections.abc import Iterator

PIECE_BYTES = 64 * 1024


class Inflater:
    """Passes on what it is fed, decompressed if it has something to do that with. Raises zlib.error for bad input."""

    def __init__(self, window_bits: int = 0) -> None:
        self._inner = zlib.decompressobj(window_bits) if window_bits else None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk holds, in pieces of at most `PIECE_BYTES` if it was compressed."""
        if self._inner is None:
            yield chunk
            return
        while chunk:
            piece = self._inner.decompress(chunk, PIECE_BYTES)
            if piece:
                yield piece
            chunk = self._inner.unconsumed_tail
            if self._inner.eof and (self._inner.unused_data or chunk):
                raise zlib.error("there is more after the end")

    def finish(self) -> None:
        """Raise zlib.error unless what was fed is complete."""
        if self._inner is not None and not self._inner.eof:
            raise zlib.error("it is cut short")


def make_inflater(encoding: str) -> Inflater | None:
    """For a `Content-Encoding`; None for one that is not understood."""
    match encoding:
        case "" | "identity":
            return Inflater()
        case "gzip" | "x-gzip":
            return Inflater(zlib.MAX_WBITS | 16)
        case "deflate":
            return Inflater(zlib.MAX_WBITS)
        case _:
            return None
