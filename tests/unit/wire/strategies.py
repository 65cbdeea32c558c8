"""Hypothesis strategies for every record, made from the records' own types."""

import string
from datetime import UTC
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec import inspect

from dragoman import model
from dragoman.model import (
    OAuthFlows,
    Part,
    Record,
    SecurityScheme,
    SendMessageResponse,
    StreamResponse,
    Timestamp,
)

FAST = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
THOROUGH = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

KINDS: list[type[Record]] = sorted(
    (
        kind
        for name in model.__all__
        if isinstance(kind := getattr(model, name), type) and issubclass(kind, Record) and kind is not Record
    ),
    key=lambda kind: kind.__name__,
)

ONE_OF: dict[type, tuple[str, ...]] = {
    Part: ("text", "raw", "url", "data"),
    SendMessageResponse: ("task", "message"),
    StreamResponse: ("task", "message", "status_update", "artifact_update"),
    OAuthFlows: ("authorization_code", "client_credentials", "implicit", "password", "device_code"),
    SecurityScheme: (
        "api_key_security_scheme",
        "http_auth_security_scheme",
        "oauth2_security_scheme",
        "open_id_connect_security_scheme",
        "mtls_security_scheme",
    ),
}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
FILLED_TEXTS = st.text(string.ascii_letters + 'é/:% \0"\\', min_size=1, max_size=6)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
# Names that look like members of the protocol must survive in free JSON.
NAMES = TEXTS | st.sampled_from(["task_id", "taskId", "context_id", "message_id", "role", "raw"])
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(NAMES, JSON_VALUES, max_size=2)
TIMESTAMPS = st.datetimes(timezones=st.just(UTC)).map(Timestamp.at)
INT32S = st.integers(-(2**31), 2**31 - 1)


def records(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any record of `kind`."""
    return st.deferred(lambda: _records(kind))


def _records(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    values = {name: _values(inspect.type_info(field.type)) for name, field in fields.items()}
    choices = ONE_OF.get(kind, ())
    required = {
        name: values[name] for name, field in fields.items() if field.required and name not in choices
    }
    optional = {name: values[name] for name in fields if name not in required and name not in choices}
    plain = st.fixed_dictionaries(required, optional=optional)
    if not choices:
        return plain.map(lambda members: kind(**members))
    chosen = st.one_of([st.fixed_dictionaries({name: values[name]}) for name in choices])
    return st.tuples(plain, chosen).map(lambda pair: kind(**pair[0], **pair[1]))


def _values(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.StructType(cls=kind):
            return records(kind)
        case inspect.UnionType(types=types):
            return _values(next(info for info in types if not isinstance(info, inspect.NoneType)))
        case inspect.VarTupleType(item_type=item, min_length=least):
            return st.lists(_values(item), min_size=least or 0, max_size=2).map(tuple)
        case inspect.DictType(value_type=value):
            return st.dictionaries(NAMES, _values(value), max_size=2)
        case inspect.EnumType(cls=kind):
            return st.sampled_from(list(kind))
        case inspect.StrType(min_length=least):
            return FILLED_TEXTS if least else TEXTS
        case _:
            return _SIMPLE[type(info)]


_SIMPLE: dict[type, st.SearchStrategy[Any]] = {
    inspect.CustomType: TIMESTAMPS,
    inspect.IntType: INT32S,
    inspect.BoolType: st.booleans(),
    inspect.BytesType: st.binary(max_size=8),
    inspect.AnyType: JSON_VALUES,
}
