"""A message sorted by what its parts hold."""

from typing import Any, cast

import msgspec
from msgspec import UNSET

from dragoman.model import Message, Part

NO_JSON = object()
"""What `parse_json` gives for a text that is not JSON; None would be JSON's null."""


class Content(msgspec.Struct, frozen=True):
    """The parts of a message by kind, each with its path in the request."""

    text: str
    text_place: str
    data: tuple[tuple[str, Any], ...]
    files: tuple[tuple[str, Part], ...]
    parts: tuple[tuple[str, Part], ...]

    @property
    def has_text(self) -> bool:
        return bool(self.text.strip())


def sort_content(message: Message) -> Content:
    """Texts are joined, a line each; files are the parts with `raw` or `url`."""
    text_place = ""
    data: list[tuple[str, Any]] = []
    files: list[tuple[str, Part]] = []
    placed: list[tuple[str, Part]] = []
    for index, part in enumerate(message.parts):
        place = f"message.parts[{index}]"
        placed.append((place, part))
        if part.text is not UNSET:
            text_place = text_place or f"{place}.text"
        elif part.data is not UNSET:
            data.append((f"{place}.data", part.data))
        else:
            files.append((place, part))
    return Content(message.text, text_place, tuple(data), tuple(files), tuple(placed))


def parse_json(text: str) -> Any:
    """The JSON value of `text`, or `NO_JSON`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return NO_JSON


def as_object(value: Any) -> dict[str, Any] | None:
    """The value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def get_media_type(part: Part) -> str:
    """What the part says it is, or else what its kind says."""
    if part.media_type:
        return part.media_type
    if part.text is not UNSET:
        return "text/plain"
    return "application/json" if part.data is not UNSET else "application/octet-stream"
