"""What an answer should look like, in a few words."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from dragoman.model import JSON, Task
from dragoman.model.extensions import load_question_schema

_MOST_CHOICES = 12
_MOST_CHARS = 60


def describe_answer(task: Task) -> str:
    """What the agent wants to hear, as far as its question says so; "" for any text."""
    schema = load_question_schema(task.status.message)
    return "" if schema is None else _describe(schema)


def takes_data(task: Task) -> bool:
    """Whether the answer is an object or a list, which `--data` sends."""
    schema = load_question_schema(task.status.message)
    return schema is not None and schema.get("type") in ("object", "array")


def _describe(schema: Mapping[str, JSON]) -> str:
    if choices := _as_list(schema.get("enum")):
        shown = [_show(choice) for choice in choices[:_MOST_CHOICES]]
        return f"one of: {', '.join(shown)}"
    match schema.get("type"):
        case "boolean":
            return "yes or no"
        case "integer":
            return f"a whole number{_describe_range(schema)}"
        case "number":
            return f"a number{_describe_range(schema)}"
        case "object":
            return _describe_object(schema)
        case "array":
            return "a list, as JSON"
        case _:
            return ""


def _describe_range(schema: Mapping[str, JSON]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    words = [
        f"{word} {bound}"
        for word, bound in (("from", least), ("to", most))
        if isinstance(bound, int | float) and not isinstance(bound, bool)
    ]
    return f" {' '.join(words)}" if words else ""


def _describe_object(schema: Mapping[str, JSON]) -> str:
    members: object = schema.get("properties")
    needed = set(map(str, _as_list(schema.get("required"))))
    if not isinstance(members, dict) or not members:
        return "an object, as JSON"
    names = list(cast("dict[str, Any]", members))[:_MOST_CHOICES]
    shown = [_show(name) if name in needed else f"{_show(name)} (optional)" for name in names]
    return f"JSON with {', '.join(shown)}"


def _as_list(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def _show(value: object) -> str:
    """One line of text, whatever an agent has put there."""
    text = " ".join(str(value).split())[:_MOST_CHARS]
    return "".join(sign if sign.isprintable() else "?" for sign in text)
