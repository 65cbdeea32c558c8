"""An answer, of a caller or of an agent that was called, read as the type that was asked for."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from dragoman.agent.arguments import Arguments
from dragoman.agent.binding import Binding
from dragoman.agent.parameters import is_hashable, read_parameter
from dragoman.model import JSON, InvalidParamsError, Message

_ANSWER = "answer"
_PLACE = re.compile(r"^message\.parts(\[\d+\])?(\.(data|text))?\.?")


class UnfitAnswerError(Exception):
    """An answer that is not one to the question; the text says why, to whoever gave it."""


def read_as(kind: Any) -> Callable[[Message], Any]:
    """What reads a message as a `kind`, and raises UnfitAnswerError; AuthoringError if nothing could be one."""
    binding = _bind_to(kind) if is_hashable(kind) else _bind_to.__wrapped__(kind)

    def read(message: Message) -> Any:
        try:
            return binding.bind(message)[_ANSWER]
        except InvalidParamsError as error:
            raise UnfitAnswerError(_explain(error)) from error

    return read


def schema_of(kind: Any) -> dict[str, JSON] | None:
    """The JSON Schema of an answer that is a `kind`; None for a file, which is no JSON."""
    return _describe(kind) if is_hashable(kind) else _describe.__wrapped__(kind)


@lru_cache(maxsize=256)
def _describe(kind: Any) -> dict[str, JSON] | None:
    parameter = read_parameter(_ANSWER, kind)
    return None if parameter.is_file else Arguments("question", [parameter]).schema_of(parameter)


@lru_cache(maxsize=256)
def _bind_to(kind: Any) -> Binding:
    return Binding("the question", Arguments("question", [read_parameter(_ANSWER, kind)]))


def _explain(error: InvalidParamsError) -> str:
    reasons = ((_PLACE.sub("", violation.field), violation.description) for violation in error.violations)
    return (
        "; ".join(f"{name} {words}" if name and name != _ANSWER else words for name, words in reasons)
        or error.message
    )
