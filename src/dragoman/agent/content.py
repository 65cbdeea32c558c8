"""A message sorted by what its parts hold."""

from dataclasses import dataclass
from typing import Any, cast

import msgspec
from msgspec import UNSET

from dragoman.model import Message, Part

NO_JSON = object()
"""What `parse_json` gives for a text that is not JSON; None would be JSON's null."""


@dataclass(frozen=True, slots=True)
class Content:
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
    placed = tuple((f"message.parts[{index}]", part) for index, part in enumerate(message.parts))
    return Content(
        text=message.text,
        text_place=next((f"{place}.text" for place, part in placed if part.text is not UNSET), ""),
        data=tuple((f"{place}.data", part.data) for place, part in placed if part.data is not UNSET),
        files=tuple(entry for entry in placed if entry[1].raw is not UNSET or entry[1].url is not UNSET),
        parts=placed,
    )


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
