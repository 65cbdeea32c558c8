"""What an answer should look like, in words."""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from dragoman.agent.answers import schema_of
from dragoman.cli.hints import describe_answer, takes_data
from dragoman.model import Message, Part, Role, Task, TaskState, TaskStatus
from dragoman.model.extensions import QUESTION_SCHEMA, dump_question_schema, load_question_schema


class Trip(BaseModel):
    city: str
    days: int = 3


def ask(metadata: dict[str, Any] | None) -> Task:
    question = Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("?"),), metadata=metadata)
    return Task(id="t", status=TaskStatus(state=TaskState.INPUT_REQUIRED, message=question))


@pytest.mark.parametrize(
    "kind, words",
    [
        (str, ""),
        (bool, "yes or no"),
        (int, "a whole number"),
        (Annotated[float, Field(ge=0.5, le=2)], "a number from 0.5 to 2"),
        (Literal["aisle", "window"], "one of: aisle, window"),
        (Trip, "JSON with city, days (optional)"),
        (dict[str, int], "an object, as JSON"),
        (list[Trip], "a list, as JSON"),
    ],
)
def test_a_schema_is_told_in_words(kind, words):
    schema = schema_of(kind)
    assert schema is not None
    task = ask(dump_question_schema(schema))
    assert describe_answer(task) == words
    assert takes_data(task) == ("JSON" in words)


def test_a_file_has_no_schema():
    assert schema_of(bytes) is None
    assert schema_of(Part) is None


def test_a_question_without_a_schema_wants_anything():
    strange: list[dict[str, Any]] = [
        {},
        {QUESTION_SCHEMA: 5},
        {QUESTION_SCHEMA: {}},
        {QUESTION_SCHEMA: {"schema": []}},
    ]
    for metadata in (None, *strange):
        assert describe_answer(ask(metadata)) == ""
        assert not takes_data(ask(metadata))
    assert load_question_schema(None) is None


def test_signs_that_move_the_cursor_are_not_told():
    words = describe_answer(ask(dump_question_schema({"enum": ["\x1b[2Jred", "a\nb"]})))
    assert words == "one of: ?[2Jred, a b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(["enum", "type", "minimum", "maximum", "properties", "required"]), JSON)
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["object", "integer", "number"])},
        optional={"properties": JSON, "required": JSON},
    )
)
def test_any_schema_is_told_or_left_out(schema):
    assert "\n" not in describe_answer(ask(dump_question_schema(schema)))
