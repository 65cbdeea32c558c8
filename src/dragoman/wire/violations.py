"""What is wrong with a request, member by member (ERR-10, ERR-11, SPEC 3.2)."""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from dragoman.model import JSON, FieldViolation
from dragoman.model.timestamps import decode_extra
from dragoman.wire.lenient import TwoSpellings
from dragoman.wire.narrowing import is_array, is_object
from dragoman.wire.schema import Enumeration, Fields, Items, Leaf, Member, Shape, Values

MAX_VIOLATIONS = 20
MAX_SHOWN_CHARS = 60

_PLACE = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_LITERALS = {None: "null", True: "true", False: "false"}


def find_violations(shape: Shape, value: JSON, failure: Exception) -> tuple[FieldViolation, ...]:
    """At least one and at most `MAX_VIOLATIONS` problems of a normalised `value` that did not fit.

    `failure` is what msgspec said; it is told when nothing else is found.
    """
    found = tuple(islice(_walk(shape, value, ""), MAX_VIOLATIONS))
    return found or (_explain(failure),)


def _walk(shape: Shape, value: JSON, path: str) -> Iterator[FieldViolation]:
    if isinstance(value, TwoSpellings):
        yield FieldViolation(
            field=path, description="came in camelCase and in snake_case, with different values"
        )
        return
    match shape:
        case Leaf() | Enumeration():
            if not shape.accepts(value):
                yield _mismatch(path, shape.expected, value)
        case Items():
            yield from _walk_items(shape, value, path)
        case Values(value=inner):
            yield from _walk_values(inner, value, path)
        case Fields():
            yield from _walk_record(shape, value, path)


def _walk_items(shape: Items, value: JSON, path: str) -> Iterator[FieldViolation]:
    if not is_array(value):
        yield _mismatch(path, "an array", value)
        return
    if len(value) < shape.at_least:
        yield FieldViolation(field=path, description="expected at least one element, found none")
    for index, entry in enumerate(value):
        yield from _walk(shape.item, entry, f"{path}[{index}]")


def _walk_values(shape: Shape, value: JSON, path: str) -> Iterator[FieldViolation]:
    if not is_object(value):
        yield _mismatch(path, "an object", value)
        return
    for name, entry in value.items():
        yield from _walk(shape, entry, _join(path, _shorten(name)))


def _walk_record(fields: Fields, value: JSON, path: str) -> Iterator[FieldViolation]:
    if not is_object(value):
        yield _mismatch(path, "an object", value)
        return
    sound = True
    for member in fields.members:
        for violation in _walk_member(member, value, _join(path, member.name)):
            sound = False
            yield violation
    if sound and hasattr(fields.kind, "__post_init__"):
        yield from _check_record(fields, value, path)


def _walk_member(member: Member, value: dict[str, JSON], path: str) -> Iterator[FieldViolation]:
    if member.name in value:
        yield from _walk(member.shape, value[member.name], path)
    elif member.required:
        yield FieldViolation(field=path, description="is required and missing")


def _check_record(fields: Fields, value: JSON, path: str) -> Iterator[FieldViolation]:
    try:
        msgspec.convert(value, fields.kind, dec_hook=decode_extra)
    except msgspec.ValidationError as failure:
        yield FieldViolation(field=path, description=_PLACE.sub("", str(failure)))


def _explain(failure: Exception) -> FieldViolation:
    text = str(failure)
    place = _PLACE.search(text)
    return FieldViolation(
        field=_shorten(place[1]) if place else "", description=_shorten(_PLACE.sub("", text))
    )


def _mismatch(path: str, expected: str, value: JSON) -> FieldViolation:
    return FieldViolation(field=path, description=f"expected {expected}, found {_show(value)}")


def _show(value: JSON) -> str:
    if is_object(value):
        return "an object"
    if is_array(value):
        return "an array"
    return _LITERALS[value] if value is None or isinstance(value, bool) else _shorten(repr(value))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "…"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
