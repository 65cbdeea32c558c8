"""From a message to the arguments of a skill: the one place that decides which part goes where."""

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct

from dragoman.agent.arguments import Arguments
from dragoman.agent.content import NO_JSON, Content, as_object, parse_json, sort_content
from dragoman.agent.files import Files, take_files
from dragoman.agent.parameters import Parameter, Shape
from dragoman.agent.violations import explain
from dragoman.model import FieldViolation, InvalidParamsError, Message

if TYPE_CHECKING:
    from pydantic import ValidationError

NOWHERE = "message.parts"


class Reading(Struct, frozen=True):
    """One way to understand a message: arguments by key, and where in the request each one lies.

    The place of the empty key is where arguments that are missing should have been.
    """

    values: dict[str, Any]
    places: dict[str, str]


class Binding:
    """Binds messages to the arguments of one skill, or of one question."""

    def __init__(self, owner: str, arguments: Arguments, *, reads_message: bool = False) -> None:
        self._owner = owner
        self._arguments = arguments
        self._reads_message = reads_message
        self._values = [parameter for parameter in arguments.parameters if not parameter.is_file]
        self._takes_files = len(self._values) < len(arguments.parameters)
        self._target = _choose_target(self._values)
        self.takes_object = len(self._values) > 1 or any(
            parameter.shape is Shape.OBJECT for parameter in self._values
        )
        """Whether a text that is JSON is read as the arguments."""
        self._sole_text = self._find_sole_text()

    def bind(self, message: Message) -> dict[str, Any]:
        """The arguments by parameter name; raises InvalidParamsError with a violation per problem."""
        if not self._arguments.parameters and self._reads_message:
            return {}
        if self._sole_text and (text := _read_sole_text(message)):
            try:
                return self._arguments.validate({self._sole_text: text})
            except _misfit():
                pass  # and again below, where it is known which part of the message it was
        try:
            return self._validate(sort_content(message))
        except RecursionError:
            raise self._refuse(NOWHERE, "is nested too deeply") from None

    def _find_sole_text(self) -> str:
        """The key of the only parameter, if any text is one and no text is read as JSON."""
        parameters = self._arguments.parameters
        sole = parameters[0] if len(parameters) == 1 else None
        if sole is None or sole is not self._target or sole.shape is not Shape.TEXT or self.takes_object:
            return ""
        return sole.key

    def _validate(self, content: Content) -> dict[str, Any]:
        violations: tuple[FieldViolation, ...] = ()
        for reading in self._read(content):
            files = self._take_files(content, reading)
            try:
                return self._arguments.validate({**files.values, **reading.values})
            except _misfit() as error:
                violations = explain(error, reading.values, {**files.places, **reading.places})
        raise InvalidParamsError(f"the input does not fit {self._owner}", violations=violations)

    def _take_files(self, content: Content, reading: Reading) -> Files:
        if not content.files and not self._takes_files:
            return Files()
        parameters, given = self._arguments.parameters, reading.values
        return take_files(parameters, content, given=given, is_strict=not self._reads_message)

    def _read(self, content: Content) -> Iterator[Reading]:
        """The possible readings, best first; at least one. What is wrong is told of the last."""
        if content.data:
            return self._read_data(content)
        if content.has_text and self._values:
            return self._read_text(content)
        return self._read_nothing(content)

    def _read_data(self, content: Content) -> Iterator[Reading]:
        (place, value), *others = content.data
        if others:
            raise self._refuse(others[0][0], "one data part is expected: put all arguments into one object")
        return self._read_json(place, value, content)

    def _read_json(self, place: str, value: Any, content: Content) -> Iterator[Reading]:
        sole = self._values[0] if len(self._values) == 1 else None
        if sole is not None and (self._arguments.inline or not self._is_wrapped(value, sole)):
            yield Reading({sole.key: value}, {sole.key: place})
        named = as_object(value)
        if named is None and sole is None:
            raise self._refuse(place, f"expected an object with {self._arguments.list_expected()}")
        if named is not None and (
            self._arguments.inline is None or self._is_wrapped(value, self._arguments.inline)
        ):
            comment = self._read_comment(content, named)
            yield Reading({**comment, **named}, {"": place, **dict.fromkeys(comment, content.text_place)})

    def _read_comment(self, content: Content, given: Container[str]) -> dict[str, Any]:
        """A text beside the data goes to the one text parameter that the data leaves open."""
        texts = [parameter.key for parameter in self._values if parameter.shape is Shape.TEXT]
        is_open = content.has_text and content.data and len(texts) == 1 and texts[0] not in given
        return {texts[0]: content.text} if is_open else {}

    def _read_text(self, content: Content) -> Iterator[Reading]:
        named = as_object(parse_json(content.text)) if self.takes_object else None
        if named is not None and (self._target is None or not self._is_foreign(named)):
            return self._read_json(content.text_place, named, content)
        if self._target is None or self._target.shape is Shape.OBJECT:
            words = f"expected JSON, or a data part, with {self._arguments.list_expected()}"
            raise self._refuse(content.text_place, words)
        return self._read_plain_text(self._target, content)

    def _read_plain_text(self, target: Parameter, content: Content) -> Iterator[Reading]:
        places = {target.key: content.text_place, "": content.text_place}
        yield Reading({target.key: content.text}, places)
        if target.shape is Shape.TEXT:
            return
        yield Reading({target.key: content.text.strip()}, places)
        if (value := parse_json(content.text)) is not NO_JSON:
            yield Reading({target.key: value}, places)

    def _read_nothing(self, content: Content) -> Iterator[Reading]:
        place = content.text_place or NOWHERE
        if self._arguments.inline is not None and self._arguments.inline.is_required:
            raise self._refuse(place, f"expected a data part with {self._arguments.list_expected()}")
        target = self._target
        if target is None or not content.text_place:
            yield Reading({}, {"": place})
        else:
            is_text = target.is_required and target.shape is Shape.TEXT
            yield Reading({target.key: content.text} if is_text else {}, {target.key: place, "": place})

    def _is_wrapped(self, value: Any, sole: Parameter) -> bool:
        """Whether a JSON value holds the only parameter under its name, files beside it perhaps."""
        keys = {parameter.key for parameter in self._arguments.parameters}
        return isinstance(value, dict) and sole.key in value and value.keys() <= keys

    def _is_foreign(self, value: dict[str, Any]) -> bool:
        """Whether a JSON object names none of the arguments, so that it is more likely a text about something else."""
        return self._arguments.inline is None and not any(
            parameter.key in value for parameter in self._values
        )

    def _refuse(self, place: str, words: str) -> InvalidParamsError:
        violation = FieldViolation(field=place, description=words)
        return InvalidParamsError(f"the input does not fit {self._owner}", violations=(violation,))


def _read_sole_text(message: Message) -> str:
    """The text of a message that has one part with a text in it, and nothing else; "" for any other."""
    if len(message.parts) != 1:
        return ""
    text = message.parts[0].text
    return text if text is not UNSET and not text.isspace() else ""


def _choose_target(values: list[Parameter]) -> Parameter | None:
    """The parameter that a plain text is meant for, if there is exactly one that it can be."""
    if len(values) == 1:
        return values[0]
    required = [parameter for parameter in values if parameter.is_required]
    texts = [parameter for parameter in values if parameter.shape is Shape.TEXT]
    choice = required or texts
    return choice[0] if len(choice) == 1 else None


def _misfit() -> "type[ValidationError]":
    """Looked for only when something was raised, which pydantic has most likely done."""
    from pydantic import ValidationError

    return ValidationError
