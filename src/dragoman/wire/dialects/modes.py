"""The media types that 0.1 has short words for (SPEC 7.4)."""

from dragoman.model import JSON
from dragoman.wire.dialects.members import each

_MEDIA_TYPES = {"text": "text/plain", "data": "application/json"}


def read_modes(value: JSON) -> JSON:
    """The modes as media types: "text", which is the schema's default, is "text/plain", which is the prose's."""
    return each(value, lambda mode: _MEDIA_TYPES.get(mode, mode) if isinstance(mode, str) else mode)
