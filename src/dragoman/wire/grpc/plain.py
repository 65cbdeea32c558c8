"""Messages of protobuf from and to the JSON that ProtoJSON would print for them, whatever their schema (SPEC 1.1).

There are two differences: bytes that are read stay bytes, and numbers are integers again where the double is integral. The readers and
writers of a message are made once, from its descriptor.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from dragoman.model import JSON, DragomanError, Timestamp
from dragoman.wire.grpc.schema import ProtoMessage
from dragoman.wire.narrowing import is_array, is_object

MAX_NESTING = 100
"""Messages inside of messages: what protobuf's own readers take."""

_INT64 = 2.0**63
_NANOS = 1_000_000_000
_LEVELS_OF_OBJECT = 3  # Struct, the entry of its map, Value
_LEVELS_OF_ARRAY = 2  # ListValue, Value


class NotJsonError(DragomanError):
    """A number that JSON lacks. `place` is the path to it, innermost step first."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.place: list[str] = []


class UnsayableError(DragomanError, ValueError):
    """What protobuf cannot say, and JSON could."""


Read: TypeAlias = Callable[[Any], JSON]


class _Reader(NamedTuple):
    name: str
    read: Read


# --- reading -----------------------------------------------------------------------------------------------------------


def read_message(message: ProtoMessage) -> dict[str, JSON]:
    """What is set in `message`, by camelCase name; NotJsonError if a number is not one."""
    readers = _make_readers(message.DESCRIPTOR)
    result: dict[str, JSON] = {}
    for field, value in message.ListFields():
        name, read = readers[field.number]
        try:
            result[name] = read(value)
        except NotJsonError as error:
            error.place.append(name)
            raise
    return result


@cache
def _make_readers(descriptor: Descriptor) -> dict[int, _Reader]:
    return {field.number: _Reader(field.json_name, _choose_reader(field)) for field in descriptor.fields}


def _choose_reader(field: FieldDescriptor) -> Read:
    if _is_map(field):
        read = _choose_single_reader(_get_map_value(field))
        return lambda entries: {name: read(entries[name]) for name in entries}
    read = _choose_single_reader(field)
    return _read_items(read) if field.is_repeated else read


def _choose_single_reader(field: FieldDescriptor) -> Read:
    if field.message_type is not None:
        return _READERS.get(field.message_type.full_name, read_message)
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)
    return _read_scalar


def _read_items(read: Read) -> Read:
    def read_all(items: Any) -> JSON:
        result: list[JSON] = []
        for index, item in enumerate(items):
            try:
                result.append(read(item))
            except NotJsonError as error:
                error.place.append(f"[{index}]")
                raise
        return result

    return list if read is _read_scalar else read_all


def _read_scalar(value: Any) -> JSON:
    return value


def _read_value(value: ProtoMessage) -> JSON:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return _read_number(value.number_value)
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _read_struct(value.struct_value)
        case "list_value":
            return _read_list(value.list_value.values)
        case _:
            return None


def _read_struct(value: ProtoMessage) -> JSON:
    result: dict[str, JSON] = {}
    for name, member in value.fields.items():
        try:
            result[name] = _read_value(member)
        except NotJsonError as error:
            error.place.append(name)
            raise
    return result


def _read_number(number: float) -> JSON:
    if number.is_integer() and -_INT64 <= number < _INT64:
        return int(number)
    if not math.isfinite(number):
        raise NotJsonError(f"expected a number, found {number}")
    return number


def _read_timestamp(value: ProtoMessage) -> JSON:
    """RFC 3339; the bare seconds if they are no time that RFC 3339 can say."""
    if not 0 <= value.nanos < _NANOS:
        return value.nanos
    try:
        return Timestamp.from_millis(value.seconds * 1000 + value.nanos // 1_000_000).text
    except (ValueError, OverflowError, OSError):
        return value.seconds


def _read_duration(value: ProtoMessage) -> JSON:
    return f"{value.seconds}.{value.nanos:09d}s"


_read_list = _read_items(_read_value)
_READERS: Mapping[str, Read] = {
    "google.protobuf.Struct": _read_struct,
    "google.protobuf.Value": _read_value,
    "google.protobuf.Timestamp": _read_timestamp,
    "google.protobuf.Duration": _read_duration,
}


# --- writing -----------------------------------------------------------------------------------------------------------


def write_message(message: ProtoMessage, value: JSON, *, exact: bool = False) -> None:
    """Set the members of `message` to those of the object `value`.

    Non-finite numbers become null, as in JSON. `exact`: UnsayableError for an integer that no double equals; else it is rounded.
    """
    _Writer(exact=exact).write(message, value)


class _Writer:
    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._nesting = 0

    def write(self, message: ProtoMessage, value: dict[str, JSON]) -> None:
        with self._nested(1):
            self._write(message, value)

    @contextmanager
    def _nested(self, levels: int) -> Generator[None]:
        self._nesting += levels
        if self._nesting > MAX_NESTING:
            raise UnsayableError("gRPC cannot carry JSON that is nested this deep")
        yield
        self._nesting -= levels

    def _write(self, message: ProtoMessage, value: dict[str, JSON]) -> None:
        fields = _find_fields(message.DESCRIPTOR)
        for name, member in value.items():
            field = fields[name]
            if member is not None or _is_value(field):
                self._put(message, field, member)

    def _put(self, message: ProtoMessage, field: FieldDescriptor, value: JSON) -> None:
        if _is_map(field):
            self._put_entries(getattr(message, field.name), _get_map_value(field), value)
        elif field.is_repeated:
            self._put_items(getattr(message, field.name), field, value)
        elif field.message_type is not None:
            part = getattr(message, field.name)
            part.SetInParent()
            self._fill(part, value)
        else:
            setattr(message, field.name, _to_scalar(field, value))

    def _put_items(self, items: Any, field: FieldDescriptor, values: list[JSON]) -> None:
        if field.message_type is None:
            items.extend(_to_scalar(field, value) for value in values)
            return
        for value in values:
            self._fill(items.add(), value)

    def _put_entries(self, entries: Any, field: FieldDescriptor, values: dict[str, JSON]) -> None:
        for name, value in values.items():
            if field.message_type is None:
                entries[name] = _to_scalar(field, value)
            else:
                self._fill(entries[name], value)

    def _fill(self, message: ProtoMessage, value: JSON) -> None:
        match message.DESCRIPTOR.full_name:
            case "google.protobuf.Struct":
                with self._nested(_LEVELS_OF_OBJECT):
                    self._fill_struct(message, value)
            case "google.protobuf.Value":
                with self._nested(1):
                    self._fill_value(message, value)
            case "google.protobuf.Timestamp":
                _fill_timestamp(message, value)
            case _:
                self.write(message, value)

    def _fill_struct(self, message: ProtoMessage, value: dict[str, JSON]) -> None:
        fields = message.fields
        for name, member in value.items():
            self._fill_value(fields[name], member)

    def _fill_value(self, message: ProtoMessage, value: JSON) -> None:
        if is_object(value):
            message.struct_value.SetInParent()
            with self._nested(_LEVELS_OF_OBJECT):
                self._fill_struct(message.struct_value, value)
        elif is_array(value):
            message.list_value.SetInParent()
            with self._nested(_LEVELS_OF_ARRAY):
                for item in value:
                    self._fill_value(message.list_value.values.add(), item)
        elif isinstance(value, str):
            message.string_value = value
        elif isinstance(value, bytes):
            message.string_value = b64encode(value).decode()
        elif isinstance(value, bool):
            message.bool_value = value
        elif value is None or (isinstance(value, float) and not math.isfinite(value)):
            message.null_value = 0
        else:
            message.number_value = self._to_double(value)

    def _to_double(self, value: float) -> float:
        number = float(value)
        if self._exact and number != value:
            raise UnsayableError(
                f"gRPC carries numbers as doubles, and none equals {value}; send it as a string, or over JSON-RPC or HTTP+JSON"
            )
        return number


@cache
def _find_fields(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    return {field.json_name: field for field in descriptor.fields}


def _to_scalar(field: FieldDescriptor, value: JSON) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES and isinstance(value, str):
        return b64decode(value)
    return value if field.enum_type is None else _find_number(field.enum_type, value)


def _find_number(kind: EnumDescriptor, name: str) -> int:
    return kind.values_by_name[name].number


def _fill_timestamp(message: ProtoMessage, text: str) -> None:
    seconds, millis = divmod(Timestamp.parse(text).millis, 1000)
    message.seconds = seconds
    message.nanos = millis * 1_000_000


def _is_value(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Value"


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _get_map_value(field: FieldDescriptor) -> FieldDescriptor:
    assert field.message_type is not None  # an entry of a map is a message
    return field.message_type.fields_by_name["value"]
