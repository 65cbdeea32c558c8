"""Picking members out of JSON that came from anybody, under any of their names."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from dragoman.model import JSON, FieldViolation, InvalidParamsError, Record
from dragoman.wire.codec import decode_json, encode
from dragoman.wire.narrowing import is_array, is_object


def to_json(record: Record) -> dict[str, JSON]:
    """The record as A2A 1.0 JSON, in a form that may be changed."""
    value: dict[str, JSON] = decode_json(encode(record))
    return value


def pick(value: Mapping[str, JSON], *names: str) -> JSON:
    """The first of these members that is there and not null, in camelCase or snake_case; None if none is."""
    for name in names:
        for spelling in (name, to_snake(name)):
            if (found := value.get(spelling)) is not None:
                return found
    return None


def to_snake(name: str) -> str:
    """The proto name of a member; the other way round is never needed."""
    if name.islower():
        return name
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)


def copy(value: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    """Those of the members that are there and not null, under their camelCase names."""
    return {name: found for name in names if (found := pick(value, name)) is not None}


def put(target: dict[str, JSON], name: str, value: JSON) -> None:
    """Set the member, unless there is nothing to set."""
    if value is not None:
        target[name] = value


def drop_empty(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """Without what is null, "", [] or {}; false and 0 stay."""
    return {name: entry for name, entry in value.items() if entry not in (None, "", [], {})}


def each(value: JSON, change: Callable[[JSON], JSON]) -> JSON:
    """The array with every element changed; what is no array stays as it is, for the decoder to refuse."""
    return [change(entry) for entry in value] if is_array(value) else value


def change_object(value: JSON, change: Callable[[dict[str, JSON]], JSON]) -> JSON:
    """The object changed; what is no object stays as it is, for the decoder to refuse."""
    return change(value) if is_object(value) else value


def require_object(value: JSON, place: str = "params") -> dict[str, JSON]:
    """The object; InvalidParamsError if it is none."""
    if not is_object(value):
        refuse(place, "must be an object")
    return value


def refuse(field: str, description: str) -> NoReturn:
    """Raise InvalidParamsError about one member."""
    raise InvalidParamsError(violations=[FieldViolation(field=field, description=description)])
