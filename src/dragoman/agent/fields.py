"""A parameter as pydantic understands it. Imported by the first type that needs pydantic."""

import inspect
import types
import typing
from typing import Any

from pydantic import Field, InstanceOf, WithJsonSchema
from pydantic.fields import FieldInfo

from dragoman.model import Part

_PART_HINT = typing.Annotated[
    InstanceOf[Part], WithJsonSchema({"description": "a file part", "type": "object"})
]


def read_field(name: str, annotation: Any, default: Any) -> tuple[str, bool]:
    """What callers name a parameter, which its author may have said, and whether it is required."""
    field = FieldInfo.from_annotation(make_hint(annotation, default))
    alias = field.validation_alias
    return (alias if isinstance(alias, str) else name), field.is_required()


def make_hint(annotation: Any, default: Any) -> Any:
    """The annotation with the default, which is `inspect.Parameter.empty` where there is none."""
    hint = _mark_parts(annotation)
    if default is inspect.Parameter.empty:
        return hint
    field = default if isinstance(default, FieldInfo) else Field(default=default)
    return typing.Annotated[hint, field]


def _mark_parts(annotation: Any) -> Any:
    """Tell pydantic to take a `Part` as it is, wherever the annotation names one."""
    if annotation is Part:
        return _PART_HINT
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if not arguments or origin is typing.Literal:
        return annotation
    if origin is typing.Annotated:
        return typing.Annotated[(_mark_parts(arguments[0]), *arguments[1:])]
    marked = tuple(_mark_parts(argument) for argument in arguments)
    if marked == arguments:
        return annotation
    return (typing.Union if origin is types.UnionType else origin)[marked]
