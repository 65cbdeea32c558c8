"""A skill: a function with what the card says about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any, Union, get_args

from msgspec import UNSET

from dragoman.agent.arguments import Arguments
from dragoman.agent.binding import Binding
from dragoman.agent.content import get_media_type
from dragoman.agent.docstrings import read_summary, read_title
from dragoman.agent.errors import AuthoringError
from dragoman.agent.parameters import Shape
from dragoman.agent.progress import Progress
from dragoman.agent.signature import Signature, read_signature
from dragoman.model import (
    JSON,
    AgentSkill,
    Artifact,
    ContentTypeNotSupportedError,
    FieldViolation,
    Message,
    Part,
)
from dragoman.wire.media import matches

TEXT, DATA, FILE = "text/plain", "application/json", "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillOptions:
    """What an author says about a skill; what is left empty is read off the function."""

    id: str = ""
    name: str = ""
    description: str = ""
    tags: Sequence[str] = ()
    examples: Sequence[str] = ()
    input_modes: Sequence[str] = ()
    output_modes: Sequence[str] = ()
    idempotent: bool = False
    default: bool = False


@dataclass(frozen=True, eq=False)
class Skill:
    """A function that callers can ask for. `facts` is how the card lists it, with the modes that its author gave."""

    facts: AgentSkill
    function: Callable[..., Any]
    signature: Signature
    is_idempotent: bool
    is_default: bool
    arguments: Arguments
    _binding: Binding = field(repr=False)

    @property
    def id(self) -> str:
        return self.facts.id

    @property
    def input_schema(self) -> dict[str, JSON]:
        """JSON Schema of the data that the skill takes."""
        return self.arguments.json_schema

    @cached_property
    def output_schema(self) -> dict[str, JSON] | None:
        """JSON Schema of the data that it returns, or None if it returns none or does not say what."""
        kinds = [kind for kind in self.signature.returns if not _is_content(kind)]
        if not kinds:
            return None
        from dragoman.agent.adapters import describe_output

        union: Any = Union  # of members that are known only now
        return describe_output(union[tuple(kinds)])

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """The media types that it takes, as declared or as its parameters tell."""
        shapes = {parameter.shape for parameter in self.signature.parameters}
        files = shapes & {Shape.BYTES, Shape.PART}
        derived = ([] if shapes and shapes == files else [TEXT, DATA]) + ([FILE] if files else [])
        return self.facts.input_modes or tuple(derived)

    @cached_property
    def gives(self) -> tuple[str, ...]:
        """The media types that it gives, as declared or as its return type tells."""
        return self.facts.output_modes or tuple(dict.fromkeys(_list_modes(self.signature.returns)))

    @property
    def takes_object(self) -> bool:
        """Whether a text that is JSON is read as the arguments."""
        return self._binding.takes_object

    def bind(self, message: Message) -> dict[str, Any]:
        """The arguments that the message holds; raises InvalidParamsError or ContentTypeNotSupportedError."""
        self._check_modes(message)
        return self._binding.bind(message)

    def _check_modes(self, message: Message) -> None:
        refused = [
            FieldViolation(field=f"message.parts[{index}]", description=f"is {get_media_type(part)}")
            for index, part in enumerate(message.parts)
            if not self._takes_part(part)
        ]
        if refused:
            raise ContentTypeNotSupportedError(
                f"skill {self.id!r} takes {', '.join(self.takes)}", violations=refused
            )

    def _takes_part(self, part: Part) -> bool:
        """Whether the part is of a media type that the skill takes (SND-05).

        Without modes of its own it is the kind of part that counts: one without a parameter for a file takes no files,
        unless it looks at the message itself.
        """
        if self.facts.input_modes:
            return any(matches(mode, get_media_type(part)) for mode in self.facts.input_modes)
        is_file = part.raw is not UNSET or part.url is not UNSET
        return not is_file or FILE in self.takes or self.signature.reads_message


def build_skill(
    function: Callable[..., Any], options: SkillOptions, *, scope: Mapping[str, Any], tags: Sequence[str] = ()
) -> Skill:
    """Raises AuthoringError if the function cannot be a skill. `tags` serve where there are no others."""
    signature = read_signature(function, scope)
    facts = _read_facts(function, options, tags)
    arguments = Arguments(facts.id, signature.parameters)
    binding = Binding(f"skill {facts.id!r}", arguments, reads_message=signature.reads_message)
    return Skill(facts, function, signature, options.idempotent, options.default, arguments, binding)


def _read_facts(function: Callable[..., Any], options: SkillOptions, tags: Sequence[str]) -> AgentSkill:
    skill_id = options.id or function.__name__
    if skill_id == "<lambda>":
        raise AuthoringError("a lambda has no name: give it one with skill(id=...)")
    name = options.name or read_title(skill_id)
    return AgentSkill(
        id=skill_id,
        name=name,
        description=options.description or read_summary(function.__doc__) or f"Runs {name}.",
        tags=_read_list("tags", options.tags) or tuple(tags) or (skill_id,),
        examples=_read_list("examples", options.examples),
        input_modes=_read_list("input_modes", options.input_modes),
        output_modes=_read_list("output_modes", options.output_modes),
    )


def _read_list(name: str, values: Sequence[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise AuthoringError(f"{name} is a list of texts: write [{values!r}]")
    return tuple(values)


def _is_content(kind: Any) -> bool:
    """Whether a type travels as something other than data."""
    return isinstance(kind, type) and issubclass(
        kind, (str, bytes, PurePath, Part, Artifact, Message, Progress)
    )


def _list_modes(kinds: Sequence[Any]) -> list[str]:
    modes: list[str] = []
    for kind in kinds:
        inner = get_args(kind)
        if kind in (Any, object, Part, Artifact) or Part in inner or Artifact in inner:
            modes += [TEXT, DATA]
        elif kind in (Message, str):
            modes.append(TEXT)
        elif isinstance(kind, type) and issubclass(kind, (bytes, PurePath)):
            modes.append(FILE)
        elif kind is not Progress:
            modes.append(DATA)
    return modes or [TEXT]
