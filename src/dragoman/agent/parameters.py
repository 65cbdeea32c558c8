"""The parameters of a skill that its caller fills in, and what kind of content each one takes."""

import enum
import inspect
import io
import types
import typing
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from pathlib import PurePath
from typing import Any

from msgspec import Struct
from typing_extensions import is_typeddict

from dragoman.agent.errors import AuthoringError
from dragoman.model import Part

MISSING: Any = inspect.Parameter.empty

PLAIN = (str, bytes, Part)
"""What a message holds as it is. A value of such a type need not be checked by anything."""


class Shape(enum.Enum):
    """What a parameter wants from a message."""

    TEXT = "text"
    OBJECT = "object"
    VALUE = "value"
    BYTES = "bytes"
    PART = "part"


class Parameter(Struct, frozen=True):
    """One parameter. `key` is what a caller names it; `is_many` tells a list of files from one."""

    name: str
    key: str
    annotation: Any
    shape: Shape
    default: Any = MISSING
    is_many: bool = False
    is_required: bool = True
    is_plain: bool = False

    @property
    def is_file(self) -> bool:
        return self.shape in (Shape.BYTES, Shape.PART)


def read_parameter(name: str, annotation: Any, default: Any = MISSING) -> Parameter:
    """Raises AuthoringError for a type that nothing in a message could ever be."""
    shape, is_many = _classify(annotation)
    if _is_plain(annotation, default):
        needed = default is MISSING
        return Parameter(name, name, annotation, shape, default=default, is_required=needed, is_plain=True)
    from dragoman.agent.fields import read_field

    key, is_required = read_field(name, annotation, default)
    return Parameter(name, key, annotation, shape, default=default, is_many=is_many, is_required=is_required)


def _is_plain(annotation: Any, default: Any) -> bool:
    if default is MISSING:
        return any(annotation is kind for kind in PLAIN)
    return (annotation is str or annotation is bytes) and type(default) is annotation


def strip_annotation(annotation: Any) -> Any:
    """The type itself, without `Annotated`, `NewType` and the names of type aliases."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # `type X = ...`, from Python 3.12 on
            annotation = annotation.__value__
        else:
            return annotation


def list_members(annotation: Any) -> list[Any]:
    """The members of a union, or the one type; None left out."""
    annotation = strip_annotation(annotation)
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return [] if annotation in (None, types.NoneType) else [annotation]
    return [member for inner in typing.get_args(annotation) for member in list_members(inner)]


def is_hashable(annotation: Any) -> bool:
    """Whether what was made for the annotation can be kept under it: its metadata may be anything."""
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def _classify(annotation: Any) -> tuple[Shape, bool]:
    members = list_members(annotation)
    for member in members:
        _refuse_path(member)
    if len(members) == 1:
        return _classify_single(members[0])
    if members and all(_is_object(member) for member in members):
        return Shape.OBJECT, False
    return Shape.VALUE, False


def _classify_single(kind: Any) -> tuple[Shape, bool]:
    if _is_sequence(kind) and (items := list_members(typing.get_args(kind)[0])):
        shape, is_many = _classify_single(items[0])
        is_files = shape in (Shape.BYTES, Shape.PART) and not is_many and len(items) == 1
        return (shape, True) if is_files else (Shape.VALUE, False)
    if kind in _SHAPES:
        return _SHAPES[kind], False
    return (Shape.OBJECT if _is_object(kind) else Shape.VALUE), False


_SHAPES: dict[Any, Shape] = {str: Shape.TEXT, bytes: Shape.BYTES, Part: Shape.PART}
_SEQUENCES = (list, tuple, Sequence, MutableSequence)
_MAPPINGS = (dict, Mapping, MutableMapping)


def _is_sequence(kind: Any) -> bool:
    return typing.get_origin(kind) in _SEQUENCES and bool(typing.get_args(kind))


def _is_object(kind: Any) -> bool:
    kind = strip_annotation(kind)
    kind = typing.get_origin(kind) or kind
    if kind in _MAPPINGS or is_typeddict(kind):
        return True
    if not isinstance(kind, type):
        return False
    from pydantic import BaseModel, RootModel

    record: type[Any] = kind
    is_record = issubclass(record, BaseModel) or hasattr(record, "__dataclass_fields__")
    return is_record and not issubclass(record, RootModel)


def _refuse_path(kind: Any) -> None:
    if isinstance(kind, type) and issubclass(kind, (PurePath, io.IOBase)):
        raise AuthoringError(
            f"{kind.__name__} cannot come from a caller; take `bytes` or `Part` for a file, `str` for the name of one"
        )
