"""What a skill says and returns, as parts of the protocol."""

import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from dragoman.model import JSON, Part
from dragoman.model.timestamps import encode_extra
from dragoman.wire.media import is_json

Speech: TypeAlias = str | Part | Sequence[Part]
"""What goes into a message: a text, a part, or several parts."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
)


def make_parts(speech: Speech) -> tuple[Part, ...]:
    """The parts of a message; TypeError for anything that is not one."""
    if isinstance(speech, str):
        return (Part.of_text(str.__str__(speech)),)
    parts: tuple[Any, ...] = (speech,) if isinstance(speech, Part) else tuple(speech)
    if not parts or not all(isinstance(part, Part) for part in parts):
        raise TypeError("a message is a text, a Part or a sequence of at least one Part")
    return parts


def make_part(value: Any, *, media_type: str = "") -> Part:
    """One value as one part; `media_type` is used where it can be true of the value."""
    match value:
        case Part():
            return value
        case str():
            return Part.of_text(str.__str__(value), media_type=media_type if _is_textual(media_type) else "")
        case bytes() | bytearray():
            return Part.of_bytes(bytes(value), media_type=media_type or sniff(bytes(value)))
        case _:
            return Part.of_data(to_json(value), media_type=media_type if is_json(media_type) else "")


def write_out(part: Part) -> Part:
    """Data as the text of its JSON; any other part as it is."""
    if part.data is UNSET:
        return part
    return Part.of_text(msgspec.json.encode(part.data).decode())


def read_file(path: Path, max_bytes: int) -> Part:
    """The file as a part, with its name and a media type guessed from it. Blocks: call it in a thread."""
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(
            f"{path.name} is larger than max_artifact_bytes, which is {max_bytes}; raise the limit or send a URL"
        )
    guessed, encoding = mimetypes.guess_type(path.name)
    media_type = guessed if guessed and not encoding else sniff(content)
    return Part.of_bytes(content, media_type=media_type, filename=path.name)


def to_json(value: Any) -> JSON:
    """A model, dataclass, record, collection or scalar as plain JSON values, by alias."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(
        value, by_alias=True, inf_nan_mode="null", bytes_mode="base64", fallback=_dump_record
    )


def sniff(content: bytes) -> str:
    """The media type that the first bytes show, or `application/octet-stream`."""
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12], "application/octet-stream")
    found = (media_type for start, media_type in _SIGNATURES if content.startswith(start))
    return next(found, "application/octet-stream")


def choose_media_type(modes: Sequence[str]) -> str:
    """The one type that a skill declares for all it returns; empty where it leaves a choice."""
    return modes[0] if len(modes) == 1 and "*" not in modes[0] and modes[0] != "text/plain" else ""


def _is_textual(media_type: str) -> bool:
    return media_type.startswith("text/") or (media_type != "" and is_json(media_type))


def _dump_record(value: Any) -> JSON:
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, enc_hook=encode_extra)
    raise TypeError(
        f"{type(value).__name__} is not JSON; return a model, a dataclass, a dict, a list or a scalar"
    )
