"""Which skill a message is for."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from dragoman.agent.content import parse_json, sort_content
from dragoman.agent.skill import Skill
from dragoman.model import (
    A2AError,
    ContentTypeNotSupportedError,
    FieldViolation,
    InvalidParamsError,
    Message,
    SendMessageRequest,
)

Selected: TypeAlias = tuple[Skill, dict[str, Any]]
"""A skill and the arguments for it."""

MEMBER = "skill"
"""The member of `metadata` that names a skill."""


def select_skill(skills: Mapping[str, Skill], request: SendMessageRequest) -> Selected:
    """By name, by the one schema that validates, the only one, the default: in this order.

    Raises InvalidParamsError, or ContentTypeNotSupportedError, when none or more than one fits.
    """
    message = request.message
    if (named := _find_named(skills, request)) is not None:
        return named, named.bind(message)
    if len(skills) == 1:
        only = next(iter(skills.values()))
        return only, only.bind(message)
    default = next((skill for skill in skills.values() if skill.is_default), None)
    fitting = _list_fitting(skills.values(), message)
    if len(fitting) == 1:
        return fitting[0]
    if default is not None:
        return default, default.bind(message)
    if fitting:
        raise _refuse("more than one skill fits this data", [skill for skill, _ in fitting])
    raise _refuse("no skill was named, and none fits this message alone", skills.values())


def _find_named(skills: Mapping[str, Skill], request: SendMessageRequest) -> Skill | None:
    if request.metadata is request.message.metadata is None:
        return None
    places = (("metadata", request.metadata), ("message.metadata", request.message.metadata))
    for place, metadata in places:
        if metadata is None or (name := metadata.get(MEMBER)) is None:
            continue
        if not isinstance(name, str) or name not in skills:
            violation = FieldViolation(
                field=f"{place}.{MEMBER}", description=f"is not one of {', '.join(skills)}"
            )
            raise _refuse("no such skill", skills.values(), violation)
        return skills[name]
    return None


def _list_fitting(skills: Iterable[Skill], message: Message) -> list[Selected]:
    """The skills whose schema takes the data of the message; none if it holds no data."""
    content = sort_content(message)
    if not content.data and not isinstance(parse_json(content.text), dict):
        return []
    fitting: list[Selected] = []
    for skill in skills:
        if skill.signature.parameters and (content.data or skill.takes_object):
            try:
                fitting.append((skill, skill.bind(message)))
            except (InvalidParamsError, ContentTypeNotSupportedError):
                continue
    return fitting


def _refuse(reason: str, skills: Iterable[Skill], *violations: FieldViolation) -> A2AError:
    listed = "; ".join(f"{skill.id}: {skill.facts.description}" for skill in skills)
    if not listed:
        return InvalidParamsError("this agent has no skills", violations=violations)
    advice = f"name one in metadata.{MEMBER}, or send a data part that fits one"
    return InvalidParamsError(f"{reason}; {advice}. Skills: {listed}", violations=violations)
