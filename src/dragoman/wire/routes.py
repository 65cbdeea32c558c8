"""Which operation a REST path means (SPEC 3.1, 3.5, D-01, D-30)."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

from msgspec import Struct

from dragoman.model import OPERATIONS, Operation

K = TypeVar("K")


class RouteMatch(Struct, frozen=True):
    """An operation and the members of its request that the path holds, by their names in Python."""

    operation: Operation
    verb: str
    members: dict[str, str] = {}


class _Segment(NamedTuple):
    """One segment of a template: a literal, or a member with an optional literal behind it."""

    member: str
    literal: str


class _Route(NamedTuple):
    operation: Operation
    segments: tuple[_Segment, ...]

    @property
    def literal_length(self) -> int:
        return sum(len(segment.literal) for segment in self.segments)


def _load_segment(text: str) -> _Segment:
    if not text.startswith("{"):
        return _Segment("", text)
    member, _, suffix = text[1:].partition("}")
    return _Segment(member, suffix)


def _load_routes(prefix: str) -> list[_Route]:
    """The table with the most literal templates first, so that `/tasks/{id}` does not swallow `…:subscribe`."""
    paths = ((operation, prefix + operation.path) for operation in OPERATIONS)
    routes = [_Route(operation, tuple(map(_load_segment, path.split("/")[1:]))) for operation, path in paths]
    return sorted(routes, key=lambda route: -route.literal_length)


def _group(pairs: Iterable[tuple[K, _Route]]) -> dict[K, list[_Route]]:
    groups: dict[K, list[_Route]] = {}
    for key, route in pairs:
        groups.setdefault(key, []).append(route)
    return groups


# A tenant's twin comes last: `/tasks/tasks` is the task "tasks", not the list of the tenant "tasks".
_ROUTES = _load_routes("") + _load_routes("/{tenant}")
_LONGEST = max(len(route.segments) for route in _ROUTES)
_LITERAL = {(verb, operation.path): operation for operation in OPERATIONS for verb in operation.verbs}
_BY_LENGTH = _group((len(route.segments), route) for route in _ROUTES)
_BY_VERB = _group(((verb, len(route.segments)), route) for route in _ROUTES for verb in route.operation.verbs)


def match(verb: str, path: str) -> RouteMatch | None:
    """The operation that `verb` and `path` mean, or None.

    `path` is relative to the interface's URL, starts with a slash and is still percent-encoded, because an id may
    contain an encoded slash or colon.
    """
    if operation := _LITERAL.get((verb, path)):
        return RouteMatch(operation, verb)
    segments = _split(path)
    for route in _BY_VERB.get((verb, len(segments)), ()):
        members = _match_segments(route.segments, segments)
        if members is not None:
            return RouteMatch(route.operation, verb, members)
    return None


def verbs_for(path: str) -> tuple[str, ...]:
    """The verbs that `path` answers to, for `Allow`; empty if it leads nowhere."""
    segments = _split(path)
    routes = _BY_LENGTH.get(len(segments), ())
    matching = (route for route in routes if _match_segments(route.segments, segments) is not None)
    return tuple(dict.fromkeys(verb for route in matching for verb in route.operation.verbs))


def _split(path: str) -> list[str]:
    return path[1:].split("/", _LONGEST) if path.startswith("/") else []


def _match_segments(template: tuple[_Segment, ...], segments: list[str]) -> dict[str, str] | None:
    members: dict[str, str] = {}
    for (member, literal), text in zip(template, segments, strict=True):
        if not (text.endswith(literal) if member else text == literal):
            return None
        if member:
            members[member] = _decode_segment(text.removesuffix(literal))
    return members if all(members.values()) else None


def _decode_segment(text: str) -> str:
    """The text that was percent-encoded; empty, which is no id, if it is not UTF-8."""
    try:
        return unquote(text, errors="strict") if "%" in text else text
    except UnicodeDecodeError:
        return ""
