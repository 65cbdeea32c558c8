"""A short name for the arguments of a step: equal arguments have equal ones, in every process."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from dragoman.model import JSON
from dragoman.model.timestamps import encode_extra

_LENGTH = 16


def fingerprint(*values: object) -> str:
    """A hash of the values as JSON; of what is not JSON, its type alone counts."""
    canonical = msgspec.json.encode(_canonical(values), order="sorted")
    return hashlib.sha256(canonical).hexdigest()[:_LENGTH]


def _canonical(value: Any) -> JSON:
    """The value as JSON, members of sets in an order that does not vary with the process."""
    match value:
        case BaseModel():
            return _canonical(value.model_dump())
        case msgspec.Struct():
            return _dump_leaf(msgspec.to_builtins(value, enc_hook=encode_extra))
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return {_name_key(key): _canonical(inner) for key, inner in pairs}
        case list() | tuple():
            return [_canonical(inner) for inner in cast("Iterable[object]", value)]
        case set() | frozenset():
            inner = [_canonical(member) for member in cast("Iterable[object]", value)]
            return sorted(inner, key=lambda member: msgspec.json.encode(member, order="sorted"))
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: _canonical(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return _dump_leaf(value)


def _name_key(key: object) -> str:
    return key if isinstance(key, str) else msgspec.json.encode(_canonical(key), order="sorted").decode()


def _dump_leaf(value: Any) -> JSON:
    return to_jsonable_python(value, bytes_mode="base64", inf_nan_mode="strings", fallback=_name_type)


def _name_type(value: object) -> str:
    return f"<{type(value).__module__}.{type(value).__qualname__}>"
