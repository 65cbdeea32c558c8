"""A skill's signature: what its caller provides, what the run provides, and what comes back."""

import collections.abc
import enum
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from dragoman.agent.context import Context
from dragoman.agent.errors import AuthoringError
from dragoman.agent.parameters import Parameter, list_members, read_parameter, strip_annotation
from dragoman.agent.sync_context import SyncContext
from dragoman.model import Message, Task
from dragoman.security import Principal

PROVIDED: tuple[type, ...] = (Context, SyncContext, Message, Task, Principal)
"""Types of parameters that the run provides."""

_STREAMS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.Generator,
)


class Kind(enum.Enum):
    """How a function runs."""

    SYNC = "function"
    ASYNC = "async function"
    SYNC_STREAM = "generator"
    ASYNC_STREAM = "async generator"

    def __init__(self, value: str) -> None:
        self.is_sync = not value.startswith("async")


class Signature(Struct, frozen=True):
    """A function as a skill. `provided` are its parameters that the run fills in, `returns` the members of what it returns or yields."""

    kind: Kind
    parameters: tuple[Parameter, ...]
    provided: Mapping[str, type]
    positional: tuple[str, ...]
    returns: tuple[Any, ...]
    may_reply: bool

    @property
    def reads_message(self) -> bool:
        """Whether the function can look at the message itself."""
        return not {Context, SyncContext, Message, Task}.isdisjoint(self.provided.values())

    def call(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Call `function` with all its arguments by name."""
        if not self.positional:
            return function(**arguments)
        positional = [arguments[name] for name in self.positional]
        named = {name: value for name, value in arguments.items() if name not in self.positional}
        return function(*positional, **named)


def read_signature(function: Callable[..., Any], scope: Mapping[str, Any]) -> Signature:
    """Raises AuthoringError where the function cannot be a skill; `scope` are names local to where it is defined."""
    kind = _get_kind(function)
    hints = _resolve(function, scope)
    parameters: list[Parameter] = []
    provided: dict[str, type] = {}
    positional: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        annotation = _get_annotation(function, parameter, hints)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(parameter.name)
        if (given := _find_provided(annotation)) is not None:
            provided[parameter.name] = given
        else:
            parameters.append(_read(function, parameter, annotation))
    _check_context(function, kind, provided)
    returns, may_reply = _read_result(hints.get("return"))
    return Signature(kind, tuple(parameters), provided, tuple(positional), returns, may_reply)


def _get_kind(function: Callable[..., Any]) -> Kind:
    if not inspect.isroutine(function) or inspect.isbuiltin(function):
        raise AuthoringError(
            f"a skill is a function or a bound method, not {function!r}; wrap it in a function"
        )
    if inspect.isasyncgenfunction(function):
        return Kind.ASYNC_STREAM
    if inspect.isgeneratorfunction(function):
        return Kind.SYNC_STREAM
    return Kind.ASYNC if inspect.iscoroutinefunction(function) else Kind.SYNC


def _resolve(function: Callable[..., Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, localns=dict(scope), include_extras=True)
    except (NameError, SyntaxError, TypeError, AttributeError) as error:
        raise AuthoringError(
            f"the annotations of {_name(function)} cannot be read: {error}; import what they name at run time, "
            "not under TYPE_CHECKING, and define local classes above the skill"
        ) from error


def _get_annotation(function: Callable[..., Any], parameter: inspect.Parameter, hints: dict[str, Any]) -> Any:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise AuthoringError(
            f"{_name(function)} takes {parameter}, which a caller cannot know how to fill; take a list or a dict instead"
        )
    if parameter.name not in hints:
        raise AuthoringError(
            f"the parameter {parameter.name!r} of {_name(function)} has no type; write one, such as `{parameter.name}: str`"
        )
    return hints[parameter.name]


def _find_provided(annotation: Any) -> type | None:
    members = list_members(annotation)
    return members[0] if len(members) == 1 and members[0] in PROVIDED else None


def _read(function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any) -> Parameter:
    try:
        return read_parameter(parameter.name, annotation, parameter.default)
    except AuthoringError as error:
        raise AuthoringError(f"the parameter {parameter.name!r} of {_name(function)}: {error}") from None


def _check_context(function: Callable[..., Any], kind: Kind, provided: Mapping[str, type]) -> None:
    wrong, right = (Context, SyncContext) if kind.is_sync else (SyncContext, Context)
    if wrong in provided.values():
        raise AuthoringError(
            f"{_name(function)} is {'not ' if kind.is_sync else ''}async: take `{right.__name__}`, not `{wrong.__name__}`"
        )


def _read_result(annotation: Any) -> tuple[tuple[Any, ...], bool]:
    """The types that come out, and whether the answer may be a mere message."""
    bare = strip_annotation(annotation)
    if typing.get_origin(bare) in _STREAMS:
        return tuple(list_members(typing.get_args(bare)[0])), False
    members = list_members(annotation)
    return tuple(members), Message in members


def _name(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__qualname__', repr(function))}()"
