"""What the wire must know of a record beyond its types: both spellings, enum numbers, what may be left out.

Made once per record from `msgspec.inspect`; `lenient` reads by it, `violations` explains by it.
"""

import binascii
import re
from collections.abc import Callable, Hashable, Iterator
from functools import cache
from typing import TypeAlias

from msgspec import Struct, inspect, structs

from dragoman.model import JSON, Role, TaskState, Timestamp
from dragoman.wire.narrowing import is_object

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

ENUM_NUMBERS: dict[type, dict[int, str]] = {
    Role: {1: "ROLE_USER", 2: "ROLE_AGENT"},
    TaskState: {number: state.value for number, state in enumerate(TaskState)},
}
"""The numbers that ProtoJSON parsers accept for the identifiers (SPEC 1.2)."""


class Leaf(Struct, frozen=True):
    """A value that is read as it stands. `empty` is what its absence means in ProtoJSON, if it may be absent."""

    expected: str
    accepts: Callable[[JSON], bool]
    empty: JSON = None


class Enumeration(Struct, frozen=True):
    """One of some identifiers, or its number."""

    identifiers: tuple[str, ...]
    numbers: dict[int, str]

    def accepts(self, value: JSON) -> bool:
        return isinstance(value, str) and value in self.identifiers

    @property
    def expected(self) -> str:
        return f"one of {', '.join(self.identifiers)}"


class Items(Struct, frozen=True):
    """An array."""

    item: "Shape"
    at_least: int


class Values(Struct, frozen=True):
    """An object with free names and values of one shape."""

    value: "Shape"


class Member(Struct, frozen=True):
    """One member of a record, under both of its names."""

    name: str
    proto_name: str
    shape: "Shape"
    required: bool

    @property
    def empty(self) -> JSON:
        """What to put for it when it is REQUIRED and absent, or None if that is an error (D-08, D-09)."""
        match self.shape:
            case Leaf(empty=empty):
                return empty
            case Items(at_least=0):
                return []
            case _:
                return None


class Fields(Struct, frozen=True):
    """The members of one kind of record. `by_name` has each under both spellings."""

    kind: type[Struct]
    members: tuple[Member, ...]
    by_name: dict[str, Member]


Shape: TypeAlias = Leaf | Enumeration | Items | Values | Fields


def _is_base64(value: JSON) -> bool:
    if isinstance(value, bytes):  # protobuf has them as they are
        return True
    try:
        binascii.a2b_base64(value, strict_mode=True)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str)


def _is_timestamp(value: JSON) -> bool:
    try:
        Timestamp.parse(value)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _is_object_of_text(value: JSON) -> bool:
    return is_object(value) and all(isinstance(text, str) for text in value.values())


TEXT = Leaf("a string", lambda value: isinstance(value, str), empty="")
FILLED_TEXT = Leaf("a non-empty string", lambda value: isinstance(value, str) and value != "")
INTEGER = Leaf(
    "a 32-bit integer", lambda value: type(value) is int and INT32_MIN <= value <= INT32_MAX, empty=0
)
FLAG = Leaf("true or false", lambda value: isinstance(value, bool), empty=False)
BYTES = Leaf("base64 text", _is_base64)
TIMESTAMP = Leaf("an RFC 3339 timestamp in UTC, such as '2026-01-31T12:00:00.000Z'", _is_timestamp)
OBJECT = Leaf("an object", is_object, empty={})
OBJECT_OF_TEXT = Leaf("an object with string values", _is_object_of_text, empty={})
ANYTHING = Leaf("any JSON", lambda _: True)


@cache
def shape_of(kind: Hashable) -> Shape:
    """The shape of a record or of any other type that msgspec reads."""
    return _load_shape(inspect.type_info(kind))


def _load_shape(info: inspect.Type) -> Shape:
    match info:
        case inspect.StructType(cls=kind):
            return fields_of(kind)
        case inspect.UnionType(types=types):
            return _load_union(types)
        case inspect.Metadata(type=inner):
            return _load_shape(inner)
        case (
            inspect.VarTupleType(item_type=item, min_length=least)
            | inspect.ListType(item_type=item, min_length=least)
        ):
            return Items(_load_shape(item), least or 0)
        case inspect.DictType(value_type=value):
            return _load_map(value)
        case inspect.EnumType(cls=kind):
            return Enumeration(tuple(member.value for member in kind), ENUM_NUMBERS.get(kind, {}))
        case _:
            return _load_leaf(info)


def _load_leaf(info: inspect.Type) -> Leaf:
    match info:
        case inspect.StrType(min_length=least):
            return FILLED_TEXT if least else TEXT
        case inspect.IntType():
            return INTEGER
        case inspect.BoolType():
            return FLAG
        case inspect.BytesType():
            return BYTES
        case inspect.CustomType(cls=kind) if issubclass(kind, Timestamp):
            return TIMESTAMP
        case _:
            return ANYTHING


def _load_union(types: tuple[inspect.Type, ...]) -> Shape:
    present = [info for info in types if not isinstance(info, inspect.NoneType)]
    return _load_shape(present[0]) if len(present) == 1 else ANYTHING


def _load_map(value: inspect.Type) -> Shape:
    match value:
        case inspect.StructType():
            return Values(_load_shape(value))
        case inspect.StrType():
            return OBJECT_OF_TEXT
        case _:
            return OBJECT


@cache
def fields_of(kind: type[Struct]) -> Fields:
    """The members of one kind of record."""
    members = tuple(
        Member(field.encode_name, field.name, shape_of(field.type), required=field.required)
        for field in structs.fields(kind)
    )
    spellings = [(name, member) for member in members for name in (member.proto_name, member.name)]
    return Fields(kind, members, dict(spellings))


def list_proto_names(shape: Shape) -> Iterator[str]:
    """Every proto name below `shape` that differs from the JSON name."""
    match shape:
        case Fields(members=members):
            for member in members:
                if member.proto_name != member.name:
                    yield member.proto_name
                yield from list_proto_names(member.shape)
        case Items(item=inner) | Values(value=inner):
            yield from list_proto_names(inner)
        case _:
            return


Scan: TypeAlias = Callable[[bytes | memoryview], object]


def compile_scan(shape: Shape) -> Scan:
    """A search in undecoded JSON for a member by its proto name; it finds all, and seldom something else.

    It starts from underscores, which are rarer than quotes and cheap to search for.
    """
    heads: dict[str, list[str]] = {}
    for name in sorted(set(list_proto_names(shape))):
        heads.setdefault(name.rpartition("_")[2], []).append(name)
    if not heads:
        return _find_nothing
    choices = "|".join(_compile_choice(tail, names) for tail, names in heads.items())
    return re.compile(f'_(?:{choices})"\\s*:'.encode()).search


def _compile_choice(tail: str, names: list[str]) -> str:
    wholes = "|".join(f'(?<="{name})' for name in names)
    return f"{tail}(?:{wholes})"


def _find_nothing(_: bytes | memoryview) -> None:
    return None
