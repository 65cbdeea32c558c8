"""Telling the type checkers what decoded JSON is."""

from typing import TypeGuard

from dragoman.model import JSON


def is_object(value: JSON) -> TypeGuard[dict[str, JSON]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_array(value: JSON) -> TypeGuard[list[JSON]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)
