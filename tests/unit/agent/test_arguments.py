"""Texts, files and parts are taken as they are exactly where pydantic would do the same."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from dragoman.agent.adapters import build_adapter
from dragoman.agent.arguments import Arguments
from dragoman.agent.parameters import MISSING, read_parameter
from dragoman.model import Part


class Text(str):
    __slots__ = ()


PART = Part.of_data({"a": [1]})
NAMES = ("text", "_text", "schema", "model_config", "validate", "cls")
VALUES = st.one_of(
    st.text(),
    st.sampled_from(["\ud800", PART, Part.of_text("x"), Text("sub")]),
    st.binary(),
    st.integers(),
    st.none(),
    st.lists(st.text(), max_size=2),
    st.dictionaries(st.text(), st.text(), max_size=2),
)
HINTS = st.sampled_from(
    [(str, MISSING), (str, "x"), (bytes, MISSING), (bytes, b"x"), (Part, MISSING), (Part, PART)]
)
SIGNATURES = st.dictionaries(st.sampled_from(NAMES), HINTS, max_size=3)


def make(**hints: Any) -> Arguments:
    return Arguments("test", [read_parameter(name, *hint) for name, hint in hints.items()])


def outcome(validate, values) -> Any:
    try:
        return [(name, type(value), value) for name, value in validate(values).items()]
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False)


@given(SIGNATURES, st.data())
def test_what_is_taken_as_it_is_is_what_pydantic_says(signature, data):
    arguments = make(**signature)
    names = st.sampled_from([*signature, "unknown"])
    values = data.draw(st.dictionaries(names, VALUES, max_size=4))
    expected = build_adapter("test", arguments.parameters).validate_python
    assert outcome(arguments.validate, values) == outcome(expected, values)


@pytest.mark.parametrize(
    "annotation, default",
    [
        (str, None),
        (str, Text("x")),
        (str, Field(min_length=3)),
        (Part, PART),  # pydantic copies a default that could be changed
        (Annotated[str, Field(min_length=3)], MISSING),
        (Text, MISSING),
        (list[bytes], MISSING),
        (str | None, MISSING),
        (int, MISSING),
    ],
)
def test_whatever_else_there_is_to_a_parameter_is_left_to_pydantic(annotation, default):
    assert not read_parameter("text", annotation, default).is_plain


def test_a_constraint_in_the_default_holds():
    arguments = make(text=(str, Field(min_length=3)))
    with pytest.raises(ValidationError):
        arguments.validate({"text": "ab"})
    assert arguments.schema_of(arguments.parameters[0]) == {"type": "string", "minLength": 3}


def test_the_schema_of_a_text_is_the_one_that_pydantic_gives():
    plain, checked = make(answer=(str,)), make(answer=(Annotated[str, Field()],))
    assert plain.schema_of(plain.parameters[0]) == checked.schema_of(checked.parameters[0])


@pytest.mark.parametrize("value", ["", "x", "\ud800", Text("x"), b"x", PART, 1, None, ["x"]])
@pytest.mark.parametrize("kind", [str, bytes, Part])
def test_one_value_is_what_pydantic_says(kind, value):
    arguments = make(given=(kind,))
    expected = build_adapter("test", arguments.parameters).validate_python
    assert outcome(arguments.validate, {"given": value}) == outcome(expected, {"given": value})
