"""Pydantic's findings in the protocol's terms: which member of the message is wrong, and why (ERR-10)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dragoman.model import FieldViolation

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MAX_VIOLATIONS = 20
MAX_DESCRIPTION_CHARS = 200
MAX_ECHO_CHARS = 60
MAX_ERRORS_READ = 1_000
"""Past this many findings only their number is told: reading two million of them takes seconds and gigabytes."""

_WORDS = {
    "missing": "is required and missing",
    "extra_forbidden": "is not known here",
    "is_instance_of": "send a file part",
    "recursion_loop": "is nested too deeply",
}


def explain(
    error: "ValidationError", values: dict[str, Any], places: dict[str, str]
) -> tuple[FieldViolation, ...]:
    """At least one and at most `MAX_VIOLATIONS` problems; `places` says where in the message each argument lies."""
    if error.error_count() > MAX_ERRORS_READ:
        words = f"has {error.error_count()} problems, too many to list"
        return (FieldViolation(field=next(iter(places.values()), "message.parts"), description=words),)
    found: dict[FieldViolation, None] = {}
    for details in error.errors(include_url=False):
        found[_explain_one(details, values, places)] = None
        if len(found) == MAX_VIOLATIONS:
            break
    return tuple(found)


def shorten(text: str, limit: int = MAX_ECHO_CHARS) -> str:
    """The text, or its beginning."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _explain_one(details: "ErrorDetails", values: dict[str, Any], places: dict[str, str]) -> FieldViolation:
    key, *rest = details["loc"] or ("",)
    place = places.get(str(key)) or f"{places.get('', 'message.parts')}.{shorten(str(key))}"
    is_absent = details["type"] == "missing"
    steps = _follow(values.get(str(key)), rest, is_absent=is_absent)
    return FieldViolation(field=place + "".join(steps), description=_describe(details))


def _follow(value: Any, path: Sequence[int | str], *, is_absent: bool) -> Iterator[str]:
    """The steps of `path` that the value really has; the others name branches of a union."""
    for index, step in enumerate(path):
        try:
            value = value[step]
        except (LookupError, TypeError):
            if not is_absent or index < len(path) - 1:
                continue
        yield f"[{step}]" if isinstance(step, int) else f".{shorten(step)}"


def _describe(details: "ErrorDetails") -> str:
    if words := _WORDS.get(details["type"]):
        return words
    message = details["msg"].removeprefix("Input ")
    for echo in (details["input"], *details.get("ctx", {}).values()):
        if isinstance(echo, str) and len(echo) > MAX_ECHO_CHARS:
            message = message.replace(echo, shorten(echo))
    return shorten(message[:1].lower() + message[1:], MAX_DESCRIPTION_CHARS)
