"""A function as the work of a step: its name, what it returns, and whether it asks for the attempt."""

import collections.abc
import functools
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from dragoman.agent.errors import AuthoringError
from dragoman.agent.parameters import strip_annotation
from dragoman.agent.results import ResultForm, form_of
from dragoman.engine.handler import Attempt

_AWAITABLES = (collections.abc.Awaitable, collections.abc.Coroutine)


class StepFunction(Struct, frozen=True):
    """A function, and what a step needs to know of it. `attempt_at` is its parameter for the attempt: its place and name."""

    function: Callable[..., Any]
    name: str
    is_async: bool
    form: ResultForm
    attempt_at: tuple[int, str] | None = None

    def call(self, attempt: Attempt, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call it, with the attempt if it asks for one."""
        if self.attempt_at is None:
            return self.function(*args, **kwargs)
        place, name = self.attempt_at
        if len(args) < place:
            return self.function(*args, **{**kwargs, name: attempt})
        return self.function(*args[:place], attempt, *args[place:], **kwargs)


def read_function(function: Callable[..., Any]) -> StepFunction:
    """Raises AuthoringError for what cannot be a step."""
    if not callable(function):
        raise AuthoringError(
            f"a step is a function and its arguments, not {function!r}; call ctx.step(function, argument)"
        )
    inner = _unwrap(function)
    hints = _read_hints(inner)
    return StepFunction(
        function,
        name=_name(inner),
        is_async=inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__),
        form=form_of(_read_result(hints)),
        attempt_at=_find_attempt(function, hints),
    )


def _unwrap(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", "") or type(function).__qualname__


def _read_hints(function: Callable[..., Any]) -> dict[str, Any]:
    if isinstance(function, type):
        return {"return": function}
    annotated: Any = function if inspect.isroutine(function) else type(function).__call__
    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except (NameError, SyntaxError, AttributeError) as error:
        raise AuthoringError(
            f"the annotations of {_name(function)}() cannot be read: {error}; import what they name at run time, "
            "not under TYPE_CHECKING, and define it at the top of its module"
        ) from error
    except TypeError:  # something built in, without annotations
        return {}


def _read_result(hints: Mapping[str, Any]) -> Any:
    result = hints.get("return", Any)
    is_awaitable = typing.get_origin(strip_annotation(result)) in _AWAITABLES
    return typing.get_args(strip_annotation(result))[-1] if is_awaitable else result


def _find_attempt(function: Callable[..., Any], hints: Mapping[str, Any]) -> tuple[int, str] | None:
    wanted = {name for name, hint in hints.items() if strip_annotation(hint) is Attempt}
    if not wanted:
        return None
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.name in wanted:
            return (sys.maxsize if parameter.kind is parameter.KEYWORD_ONLY else place), parameter.name
    return None
