"""What a schema of protobuf says, in plain values: for a comparison of two of them."""

from collections.abc import Iterator
from typing import Any


def describe_file(file: Any) -> dict[str, Any]:
    """Every message, enum and method, by its full name."""
    found: dict[str, Any] = {}
    for message in file.message_types_by_name.values():
        found.update(_describe_message(message))
    for enum in file.enum_types_by_name.values():
        found[enum.full_name] = {value.name: value.number for value in enum.values}
    for service in file.services_by_name.values():
        found.update((method.full_name, _describe_method(method)) for method in service.methods)
    return found


def _describe_message(message: Any) -> Iterator[tuple[str, Any]]:
    yield message.full_name, {field.name: _describe_field(field) for field in message.fields}
    for nested in message.nested_types:
        yield from _describe_message(nested)


def _describe_field(field: Any) -> list[Any]:
    kind = field.message_type or field.enum_type
    choice = field.containing_oneof.name if field.containing_oneof else ""
    return [
        field.number,
        field.json_name,
        field.type,
        kind.full_name if kind else "",
        bool(field.is_repeated),
        bool(field.has_presence),
        choice,
    ]


def _describe_method(method: Any) -> list[Any]:
    return [method.input_type.full_name, method.output_type.full_name, method.server_streaming]
