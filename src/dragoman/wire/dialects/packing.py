"""Files in messages of `a2a.v1`: who writes base64 once, and who twice (SPEC 7.5, decision 0012)."""

from collections.abc import Iterator, Mapping

from dragoman.model import JSON
from dragoman.wire.dialects.members import pick
from dragoman.wire.dialects.spellings import is_surely_plain
from dragoman.wire.narrowing import is_array, is_object

_PACKED = "fileWithBytes"


def came_plain(params: Mapping[str, JSON]) -> bool:
    """Whether the message of a request has a file that is surely base64 only once: then all of its files are, and its sender reads no other."""
    return any(is_surely_plain(pick(file, _PACKED)) for file in _find_files(params))


def settle_plain(params: Mapping[str, JSON]) -> None:
    """Call the bytes of its files by the name under which nothing is guessed about them."""
    for file in _find_files(params):
        if (packed := pick(file, _PACKED)) is not None:
            file["bytes"] = packed
            for name in (_PACKED, "file_with_bytes"):
                file.pop(name, None)


def _find_files(params: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    message = pick(params, "message", "request")
    parts = pick(message, "parts", "content") if is_object(message) else None
    for part in parts if is_array(parts) else ():
        file = pick(part, "file") if is_object(part) else None
        if is_object(file):
            yield file
