"""What a caller gives becomes a message, and what an agent answers becomes text."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeAlias

import msgspec

from dragoman.model import Artifact, Message, Part, Role, Task
from dragoman.wire.codec import encode

Content: TypeAlias = Any
"""What can be said: text, bytes, a `Part`, a list of them, a `Message`, or anything that is JSON at heart.

A dict, a list, a number, a dataclass, a msgspec struct or a pydantic model becomes a data part.
"""


def compose(content: Content, *, message_id: str, context_id: str = "", task_id: str = "") -> Message:
    """A message of the caller's. One that is given keeps what it has and gets the ids that it lacks."""
    if not isinstance(content, Message):
        return Message(
            message_id=message_id,
            role=Role.USER,
            parts=to_parts(content),
            context_id=context_id,
            task_id=task_id,
        )
    return msgspec.structs.replace(
        content,
        message_id=content.message_id or message_id,
        context_id=content.context_id or context_id,
        task_id=content.task_id or task_id,
    )


def to_parts(content: Content) -> tuple[Part, ...]:
    """The parts that say `content`; TypeError for what has no form in JSON."""
    match content:
        case str():
            return (Part.of_text(content),)
        case bytes():
            return (Part.of_bytes(content),)
        case Part():
            return (content,)
        case [Part(), *_] if all(isinstance(entry, Part) for entry in content):
            return tuple(content)
        case _:
            return (Part.of_data(_to_json(content)),)


def _to_json(content: Content) -> Any:
    if dump := getattr(content, "model_dump", None):
        return dump(mode="json")
    try:
        return msgspec.to_builtins(content, str_keys=True)
    except (TypeError, ValueError) as failure:
        kind = type(content).__name__
        raise TypeError(
            f"cannot send a {kind}: {failure}; give text, bytes, JSON, a Part or a Message"
        ) from None


def read_text(answer: Task | Message) -> str:
    """The answer in text: a message's parts, or a task's artifacts, or else what its status says."""
    if isinstance(answer, Message):
        return _join_lines(answer.parts)
    lines = [text for artifact in answer.artifacts or () if (text := read_artifact(artifact))]
    if not lines and answer.status.message is not None:
        return read_text(answer.status.message)
    return "\n".join(lines)


def has_files(answer: Task | Message) -> bool:
    """Whether it brings content that has no text."""
    parts = (
        answer.parts
        if isinstance(answer, Message)
        else [part for one in answer.artifacts or () for part in one.parts]
    )
    return any(isinstance(part.raw, bytes) for part in parts)


def read_artifact(artifact: Artifact) -> str:
    """Its content in text: neighbouring text parts are chunks of one text, anything else stands on its own line."""
    runs = groupby(artifact.parts, key=lambda part: isinstance(part.text, str))
    return "\n".join(
        text
        for is_text, parts in runs
        if (text := "".join(map(_read_part, parts)) if is_text else _join_lines(parts))
    )


def _join_lines(parts: Iterable[Part]) -> str:
    return "\n".join(_iterate_texts(parts))


def _iterate_texts(parts: Iterable[Part]) -> Iterator[str]:
    return (text for part in parts if (text := _read_part(part)))


def _read_part(part: Part) -> str:
    if isinstance(part.text, str):
        return part.text
    if isinstance(part.url, str):
        return part.url
    if isinstance(part.raw, bytes):
        return part.raw.decode("utf-8", "replace") if part.media_type.startswith("text/") else ""
    return encode(part.data).decode()


def read_metadata(skill: str, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The metadata of a request that asks for `skill`."""
    metadata = dict(given or {})
    if skill:
        metadata[SKILL_KEY] = skill
    return metadata or None


SKILL_KEY = "skill"
"""Where the metadata of a request names the skill that it wants."""
