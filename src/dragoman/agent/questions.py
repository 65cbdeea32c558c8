"""Questions to the caller, and answers that fit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from dragoman.agent.answers import UnfitAnswerError, read_as, schema_of
from dragoman.agent.delivery import Delivery
from dragoman.agent.payload import Speech, make_parts
from dragoman.model import JSON, Message, Part, SkillError
from dragoman.model.extensions import QUESTION_SCHEMA, dump_question_schema

T = TypeVar("T")

Schema: TypeAlias = Mapping[str, JSON]

MAX_ATTEMPTS = 3


async def ask(delivery: Delivery, question: Speech, kind: Any, attempts: int = MAX_ATTEMPTS) -> Any:
    """The answer as a `kind`; SkillError once `attempts` answers did not fit."""
    return await repeat(delivery, question, read_as(kind), attempts, schema_of(kind))


async def confirm(delivery: Delivery, question: Speech) -> bool:
    """Whether the caller says yes."""
    read = read_as(bool)

    def read_yes_or_no(message: Message) -> bool:
        try:
            return bool(read(message))
        except UnfitAnswerError:
            raise UnfitAnswerError("answer yes or no") from None

    return await repeat(delivery, question, read_yes_or_no, schema=schema_of(bool))


async def choose(delivery: Delivery, question: Speech, options: Sequence[T] | Mapping[str, T]) -> T:
    """The option that the caller names, or gives the number of."""
    labels = {str(label): value for label, value in _label(options)}
    if not labels or len(labels) != len(options):
        raise ValueError("a choice needs at least one option, and no two that read the same")
    listed = "\n".join(f"{number}. {label}" for number, label in enumerate(labels, 1))
    return await repeat(
        delivery,
        (*make_parts(question), Part.of_text(listed)),
        lambda message: _pick(message.text, labels),
        schema={"type": "string", "enum": list(labels)},
    )


async def repeat(
    delivery: Delivery,
    question: Speech,
    read: Callable[[Message], T],
    attempts: int = MAX_ATTEMPTS,
    schema: Schema | None = None,
) -> T:
    """Ask until `read` takes the answer, telling each time why the last one did not fit.

    The schema of the answer goes with the question to callers that have asked for schemas.
    """
    parts = make_parts(question)
    reason = ""
    for _ in range(attempts):
        said = (Part.of_text(f"That does not fit: {reason}."), *parts) if reason else parts
        answer = await delivery.turn.ask(pose(delivery, said, schema))
        try:
            return read(answer)
        except UnfitAnswerError as error:
            reason = str(error)
    raise SkillError(f"no answer fitted the question after {attempts} attempts: {reason}")


def pose(delivery: Delivery, speech: Speech, schema: Schema | None) -> Message:
    """A question, with the schema of its answer if the caller wants to know it."""
    message = delivery.compose(speech)
    if schema is None or QUESTION_SCHEMA not in delivery.turn.call.extensions:
        return message
    metadata = {**(message.metadata or {}), **dump_question_schema(schema)}
    return replace(message, metadata=metadata, extensions=(*message.extensions, QUESTION_SCHEMA))


def _label(options: Sequence[T] | Mapping[str, T]) -> list[tuple[object, T]]:
    if isinstance(options, Mapping):
        return list(options.items())
    return [(option, option) for option in options]


def _pick(answer: str, labels: Mapping[str, T]) -> T:
    wanted = answer.strip().casefold()
    for label, value in labels.items():
        if label.strip().casefold() == wanted:
            return value
    if wanted.isdecimal() and 1 <= int(wanted[:9]) <= len(labels):
        return list(labels.values())[int(wanted[:9]) - 1]
    raise UnfitAnswerError("name one of the options, or its number")
