"""Whatever JSON arrives, admission answers with a job or an error of the protocol."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from dragoman.agent import Agent, Context, SkillHandler
from dragoman.engine import Call, Limits
from dragoman.model import A2AError, Message, Part, Role, SendMessageRequest


class Node(BaseModel):
    name: str = ""
    children: "list[Node]" = []


class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float = 0


def text(text: str) -> None: ...
def number(n: int) -> None: ...
def color(color: Color) -> None: ...
def node(node: Node) -> None: ...
def either(value: Node | Point | list[int] | None) -> None: ...
def several(query: str, limit: int = 3, mode: Literal["a", 1] = "a", point: Point | None = None) -> None: ...
def optional(a: str = "", b: int = 0) -> None: ...
def files(title: str, content: bytes, rest: list[Part] | None = None) -> None: ...
def nothing() -> None: ...
async def reader(ctx: Context) -> None: ...


FUNCTIONS: list[Callable[..., Any]] = [
    text,
    number,
    color,
    node,
    either,
    several,
    optional,
    files,
    nothing,
    reader,
]

names = st.sampled_from(
    ["n", "text", "node", "name", "children", "query", "limit", "mode", "point", "x", "skill", "content"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
json_texts = values.map(lambda value: msgspec.json.encode(value).decode())
parts = st.one_of(
    (st.text(max_size=20) | json_texts).map(Part.of_text),
    values.map(Part.of_data),
    st.binary(max_size=8).map(Part.of_bytes),
    st.just(Part.of_url("https://example.com")),
)
metadata = (
    st.none()
    | st.dictionaries(names, values, max_size=2)
    | st.sampled_from([{"skill": f.__name__} for f in FUNCTIONS])
)


def make_handler(functions: list[Callable[..., Any]], default: str | None = None) -> SkillHandler:
    agent = Agent("Fuzz", default_skill=default)
    for function in functions:
        agent.skill(function)
    return SkillHandler(agent.skills, extended_card=None, limits=Limits())


def refuse(handler: SkillHandler, request: SendMessageRequest) -> A2AError | None:
    """Why the request is not admitted, or None if it is; anything but an error of the protocol goes through."""
    try:
        handler.admit(request, Call())
    except A2AError as error:
        return error
    return None


HANDLERS = [make_handler([function]) for function in FUNCTIONS]
HANDLERS += [make_handler(FUNCTIONS), make_handler(FUNCTIONS, "several"), make_handler([])]


@pytest.mark.parametrize("handler", HANDLERS)
@given(parts=st.lists(parts, min_size=1, max_size=4), outer=metadata, inner=metadata)
@settings(max_examples=60, deadline=None)
def test_any_json_gets_a_job_or_a_declared_error(handler, parts, outer, inner):
    message = Message(message_id="m", role=Role.USER, parts=tuple(parts), metadata=inner)
    error = refuse(handler, SendMessageRequest(message=message, metadata=outer))
    if error is not None:
        assert error.message
        assert all(violation.field.startswith(("message.", "metadata.")) for violation in error.violations)
        assert all(violation.description for violation in error.violations)


@pytest.mark.parametrize("depth", [10, 300, 900])
def test_deep_data_is_admitted_or_refused(depth):
    value: Any = {}
    for _ in range(depth):
        value = {"children": [value]}
    for content in (Part.of_data(value), Part.of_text("[" * 100_000), Part.of_text('{"children":[' * 50_000)):
        message = Message(message_id="m", role=Role.USER, parts=(content,))
        for handler in HANDLERS:
            error = refuse(handler, SendMessageRequest(message=message))
            assert error is None or len(str(error)) < 5_000
