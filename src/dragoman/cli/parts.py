"""The parts of a message or an artifact, for a person to read."""

from collections.abc import Iterable

from dragoman.model import Part
from dragoman.wire.codec import encode


def show_part(part: Part) -> str:
    """Text as it is, data as JSON, and of a file what it is."""
    if isinstance(part.text, str):
        return part.text
    if isinstance(part.url, str):
        return _join(part.filename, part.media_type, part.url)
    if isinstance(part.raw, bytes):
        return f"[{_join('file', part.filename, part.media_type, show_size(len(part.raw)))}]"
    return encode(part.data).decode()


def show_message(parts: Iterable[Part]) -> str:
    """Each on a line of its own: a question and its options are parts of one message."""
    return "\n".join(filter(None, (show_part(part).removesuffix("\n") for part in parts)))


def show_artifact(parts: Iterable[Part]) -> str:
    """One after the other: neighbouring texts are chunks of one, everything else has its own line."""
    shown = ""
    was_text = True
    for part in parts:
        is_text = isinstance(part.text, str)
        if shown and not (is_text and was_text) and not shown.endswith("\n"):
            shown += "\n"
        shown += show_part(part)
        was_text = is_text
    return shown


def show_size(count: int) -> str:
    """`1.5 kB`: a number of bytes in a few characters."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _join(*words: str) -> str:
    return " ".join(word for word in words if word)
