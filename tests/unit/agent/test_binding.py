"""Which arguments a message comes to: (signature, input, arguments or violations)."""

import datetime
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, Optional, Union

import pytest
from pydantic import BaseModel, Field, RootModel, field_validator
from typing_extensions import TypedDict

from dragoman.agent import Agent, Context
from dragoman.model import ContentTypeNotSupportedError, InvalidParamsError, Message, Part
from tests.unit.agent.turns import say


class Trip(BaseModel):
    city: str
    days: Annotated[int, Field(ge=1)] = 3
    legs: list[dict[str, int]] = []


@dataclass
class Point:
    x: int
    y: int = 0


class Range(TypedDict):
    low: int
    high: int


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Car(BaseModel):
    kind: Literal["car"]
    wheels: int


class Boat(BaseModel):
    kind: Literal["boat"]
    sails: int


class Numbers(RootModel[list[int]]):
    pass


class Strict(BaseModel):
    code: str

    @field_validator("code")
    @classmethod
    def refuse(cls, value: str) -> str:
        raise ValueError(f"bad code {value}")


Name = NewType("Name", str)


def text(text: str) -> None: ...
def greet(name: str = "world") -> None: ...
def optional_text(name: str | None = None) -> None: ...
def old_optional(name: Optional[str] = None) -> None: ...  # noqa: UP045 - as many still write it
def named(name: Name) -> None: ...
def annotated(name: Annotated[str, Field(max_length=5)]) -> None: ...
def number(n: int) -> None: ...
def maybe_number(n: int | None = None) -> None: ...
def real(n: float) -> None: ...
def flag(on: bool) -> None: ...
def color(color: Color) -> None: ...
def literal(size: Literal["s", "m"]) -> None: ...
def number_literal(n: Literal[1, 2]) -> None: ...
def day(day: datetime.date) -> None: ...
def many(items: list[int]) -> None: ...
def root(items: Numbers) -> None: ...
def anything(value: Any) -> None: ...
def trip(trip: Trip) -> None: ...
def maybe_trip(trip: Trip | None = None) -> None: ...
def point(point: Point) -> None: ...
def range_(range: Range) -> None: ...
def mapping(values: dict[str, int]) -> None: ...
def vehicle(vehicle: Annotated[Car | Boat, Field(discriminator="kind")]) -> None: ...
def plain_union(vehicle: Union[Car, Boat]) -> None: ...  # noqa: UP007 - as many still write it
def search(query: str, limit: int = 10) -> None: ...
def book(city: str, days: int) -> None: ...
def either(a: int = 1, b: int = 2) -> None: ...
def with_trip(trip: Trip, currency: str = "EUR") -> None: ...
def positional(city: str, /, *, days: int = 1) -> None: ...
def field_default(days: int = Field(3, ge=1), city: str = Field(min_length=2)) -> None: ...
def alias(origin: Annotated[str, Field(alias="from")], days: int = 1) -> None: ...
def odd_names(copy: int, schema: str = "s", _x: int = 0) -> None: ...
def nothing() -> None: ...
def reader(ctx: Context) -> None: ...
def file(content: bytes) -> None: ...
def small_file(content: Annotated[bytes, Field(max_length=2)]) -> None: ...
def files(contents: list[bytes]) -> None: ...
def part(part: Part) -> None: ...
def parts(parts: list[Part]) -> None: ...
def sequence(parts: Sequence[Part]) -> None: ...
def maybe_part(part: Part | None = None) -> None: ...
def titled(title: str, content: bytes) -> None: ...
def titled_many(title: str, rest: list[Part]) -> None: ...
def two_files(first: bytes, second: bytes) -> None: ...
def message_too(message: Message, note: str = "") -> None: ...
def strict(value: Strict) -> None: ...


PNG = Part.of_bytes(b"\x89PNG", media_type="image/png")
PDF = Part.of_bytes(b"%PDF")
LINK = Part.of_url("https://example.com/a.png")


def bind(function: Callable[..., Any], message: Message, **options: Any) -> dict[str, Any]:
    agent = Agent("Test")
    if any(parameter == "ctx" for parameter in function.__annotations__):

        async def reads(ctx: Context) -> None: ...

        function = reads
    agent.skill(id="it", **options)(function)
    return agent.skills["it"].bind(message)


FITS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (text, ("hello",), {"text": "hello"}),
    (text, ("  a ", "b"), {"text": "  a \nb"}),
    (text, ("",), {"text": ""}),
    (text, ('{"text": "x"}',), {"text": '{"text": "x"}'}),
    (text, ({"text": "x"},), {"text": "x"}),
    (text, (Part.of_data("x"),), {"text": "x"}),
    (greet, ("Ada",), {"name": "Ada"}),
    (greet, ("",), {"name": "world"}),
    (greet, (" \n",), {"name": "world"}),
    (greet, ({},), {"name": "world"}),
    (optional_text, ("Ada",), {"name": "Ada"}),
    (optional_text, (" ",), {"name": None}),
    (optional_text, (Part.of_data(None),), {"name": None}),
    (old_optional, ("Ada",), {"name": "Ada"}),
    (named, ("Ada",), {"name": "Ada"}),
    (annotated, ("Ada",), {"name": "Ada"}),
    (number, ("3",), {"n": 3}),
    (number, (" 3\n",), {"n": 3}),
    (number, ({"n": 3},), {"n": 3}),
    (number, ({"n": 3.0},), {"n": 3}),
    (number, (Part.of_data(3),), {"n": 3}),
    (maybe_number, ("",), {"n": None}),
    (maybe_number, ("3",), {"n": 3}),
    (real, ("2.5",), {"n": 2.5}),
    (flag, ("yes",), {"on": True}),
    (flag, ("false",), {"on": False}),
    (color, ("red",), {"color": Color.RED}),
    (color, (" blue\n",), {"color": Color.BLUE}),
    (literal, ("s\n",), {"size": "s"}),
    (number_literal, ("2",), {"n": 2}),
    (day, ("2026-05-01",), {"day": datetime.date(2026, 5, 1)}),
    (many, ("[1, 2]",), {"items": [1, 2]}),
    (many, (Part.of_data([1, 2]),), {"items": [1, 2]}),
    (many, ({"items": [1]},), {"items": [1]}),
    (root, ("[1]",), {"items": Numbers([1])}),
    (anything, ("free text",), {"value": "free text"}),
    (anything, ({"a": 1},), {"value": {"a": 1}}),
    (anything, ({"value": {"a": 1}},), {"value": {"a": 1}}),
    (trip, ({"city": "Rome"},), {"trip": Trip(city="Rome")}),
    (trip, ({"trip": {"city": "Rome"}},), {"trip": Trip(city="Rome")}),
    (trip, ('{"city": "Rome", "days": 2}',), {"trip": Trip(city="Rome", days=2)}),
    (trip, ('{"trip": {"city": "Rome"}}',), {"trip": Trip(city="Rome")}),
    (trip, ("please plan it", {"city": "Rome"}), {"trip": Trip(city="Rome")}),
    (maybe_trip, ("",), {"trip": None}),
    (maybe_trip, ({"city": "Rome"},), {"trip": Trip(city="Rome")}),
    (point, ({"x": 1},), {"point": Point(1)}),
    (point, ('{"x": 1, "y": 2}',), {"point": Point(1, 2)}),
    (range_, ({"low": 1, "high": 2},), {"range": {"low": 1, "high": 2}}),
    (mapping, ({"a": 1},), {"values": {"a": 1}}),
    (mapping, ({"values": {"a": 1}},), {"values": {"a": 1}}),
    (vehicle, ({"kind": "car", "wheels": 4},), {"vehicle": Car(kind="car", wheels=4)}),
    (plain_union, ({"kind": "boat", "sails": 2},), {"vehicle": Boat(kind="boat", sails=2)}),
    (search, ("rome",), {"query": "rome", "limit": 10}),
    (search, ('{"query": "rome", "limit": 2}',), {"query": "rome", "limit": 2}),
    (search, ('{"unrelated": 1}',), {"query": '{"unrelated": 1}', "limit": 10}),
    (search, ("[1]",), {"query": "[1]", "limit": 10}),
    (search, ("rome", {"limit": 2}), {"query": "rome", "limit": 2}),
    (search, ("comment", {"query": "rome"}), {"query": "rome", "limit": 10}),
    (book, ({"city": "Rome", "days": "2"},), {"city": "Rome", "days": 2}),
    (book, ("Rome", {"days": 2}), {"city": "Rome", "days": 2}),
    (either, ("",), {"a": 1, "b": 2}),
    (either, ('{"b": 3}',), {"a": 1, "b": 3}),
    (with_trip, ({"trip": {"city": "Rome"}},), {"trip": Trip(city="Rome"), "currency": "EUR"}),
    (positional, ("Rome",), {"city": "Rome", "days": 1}),
    (field_default, ("Rome",), {"days": 3, "city": "Rome"}),
    (alias, ({"from": "Rome"},), {"origin": "Rome", "days": 1}),
    (alias, ('{"from": "Rome", "days": 2}',), {"origin": "Rome", "days": 2}),
    (alias, ("Rome",), {"origin": "Rome", "days": 1}),
    (odd_names, ({"copy": 1, "_x": 2},), {"copy": 1, "schema": "s", "_x": 2}),
    (nothing, ("whatever",), {}),
    (nothing, ({},), {}),
    (reader, ({"a": 1}, b"x"), {}),
    (file, (PNG,), {"content": b"\x89PNG"}),
    (file, ({"content": "aGk="},), {"content": b"hi"}),
    (file, ("see this", PDF), {"content": b"%PDF"}),
    (files, (PNG, PDF), {"contents": [b"\x89PNG", b"%PDF"]}),
    (part, (PNG,), {"part": PNG}),
    (part, ("look", LINK), {"part": LINK}),
    (part, ("only text",), {"part": Part.of_text("only text")}),
    (parts, ("a", PNG), {"parts": [Part.of_text("a"), PNG]}),
    (sequence, (PNG,), {"parts": [PNG]}),
    (maybe_part, (PNG,), {"part": PNG}),
    (titled, ("My cat", PNG), {"title": "My cat", "content": b"\x89PNG"}),
    (titled, (PNG, {"title": "My cat"}), {"title": "My cat", "content": b"\x89PNG"}),
    (titled, ({"title": "My cat", "content": "aGk="},), {"title": "My cat", "content": b"hi"}),
    (titled_many, ("x", PNG, LINK), {"title": "x", "rest": [PNG, LINK]}),
    (two_files, (PNG, PDF), {"first": b"\x89PNG", "second": b"%PDF"}),
    (message_too, ("hi", PNG), {"note": "hi"}),
]


@pytest.mark.parametrize("function, contents, arguments", FITS)
def test_a_message_becomes_arguments(function, contents, arguments):
    assert bind(function, say(*contents)) == arguments


LONG = "x" * 5000

FAILS: list[tuple[Callable[..., Any], tuple[Any, ...], list[tuple[str, str]]]] = [
    (number, ("three",), [("message.parts[0].text", "should be a valid integer")]),
    (number, ("",), [("message.parts[0].text", "is required and missing")]),
    (number, ({"n": "three"},), [("message.parts[0].data.n", "should be a valid integer")]),
    (number, ({"m": 1},), [("message.parts[0].data.n", "missing"), ("message.parts[0].data.m", "not known")]),
    (number, (Part.of_data([1]),), [("message.parts[0].data", "should be a valid integer")]),
    (annotated, ("too long a name",), [("message.parts[0].text", "at most 5 characters")]),
    (text, (Part.of_data(3),), [("message.parts[0].data", "should be a valid string")]),
    (color, ("green",), [("message.parts[0].text", "'red' or 'blue'")]),
    (many, ('[1, "a"]',), [("message.parts[0].text[1]", "should be a valid integer")]),
    (many, (Part.of_data([1, "a"]),), [("message.parts[0].data[1]", "should be a valid integer")]),
    (trip, ("3 days in Rome",), [("message.parts[0].text", "'city' (required), 'days', 'legs'")]),
    (trip, ("[1]",), [("message.parts[0].text", "expected JSON")]),
    (trip, ("",), [("message.parts[0].text", "'city' (required)")]),
    (
        trip,
        ({"days": 0},),
        [("message.parts[0].data.city", "missing"), ("message.parts[0].data.days", "than or equal to 1")],
    ),
    (trip, ('{"days": 0, "city": ""}',), [("message.parts[0].text.days", "than or equal to 1")]),
    (trip, ({"trip": {"days": 1}},), [("message.parts[0].data.trip.city", "missing")]),
    (
        trip,
        ({"city": "x", "legs": [{"a": 1}, {"b": "c"}]},),
        [("message.parts[0].data.legs[1].b", "valid integer")],
    ),
    (trip, (Part.of_data([1]),), [("message.parts[0].data", "valid dictionary")]),
    (trip, ("comment", {"days": 1}), [("message.parts[1].data.city", "missing")]),
    (vehicle, ({"kind": "plane"},), [("message.parts[0].data", "does not match any of the expected tags")]),
    (vehicle, ({"kind": "car"},), [("message.parts[0].data.wheels", "missing")]),
    (
        plain_union,
        ({"kind": "car", "wheels": "x"},),
        [
            ("message.parts[0].data.wheels", "integer"),
            ("message.parts[0].data.kind", "'boat'"),
            ("message.parts[0].data.sails", "missing"),
        ],
    ),
    (book, ("Rome",), [("message.parts[0].text", "'city' (required), 'days' (required)")]),
    (book, ({"city": "Rome"},), [("message.parts[0].data.days", "missing")]),
    (book, ({"city": "Rome", "days": 1, "x": 2},), [("message.parts[0].data.x", "is not known here")]),
    (book, (Part.of_data([1]),), [("message.parts[0].data", "expected an object with 'city'")]),
    (book, ({"city": "Rome"}, {"days": 1}), [("message.parts[1].data", "one data part")]),
    (either, ("go",), [("message.parts[0].text", "expected JSON, or a data part, with 'a', 'b'")]),
    (
        alias,
        ({"origin": "Rome"},),
        [("message.parts[0].data.from", "missing"), ("message.parts[0].data.origin", "not known")],
    ),
    (nothing, ({"a": 1},), [("message.parts[0].data.a", "not known")]),
    (file, ("just text",), [("message.parts", "'content' is required and missing: send a file part")]),
    (file, (LINK,), [("message.parts[0]", "takes the content of a file, not its url")]),
    (file, (PNG, PDF), [("message.parts[1]", "no parameter for this file")]),
    (file, ({"content": "***"},), [("message.parts[0].data.content", "base64")]),
    (small_file, ("look", PNG), [("message.parts[1]", "should have at most 2 bytes")]),
    (files, ("none",), [("message.parts", "'contents' is required")]),
    (two_files, (PNG,), [("message.parts", "'second' is required")]),
    (strict, ({"code": LONG},), [("message.parts[0].data.code", "value error, bad code x")]),
    (number, ({LONG: 1, "n": 1},), [("message.parts[0].data.xxx", "not known")]),
    (number, ("9" * 5000,), [("message.parts[0].text", "integer")]),
]


@pytest.mark.parametrize("function, contents, expected", FAILS)
def test_what_does_not_fit_is_named(function, contents, expected):
    with pytest.raises(InvalidParamsError) as caught:
        bind(function, say(*contents))
    found = [(violation.field, violation.description) for violation in caught.value.violations]
    assert len(found) == len(expected), found
    for (field, description), (wanted_field, wanted) in zip(found, expected, strict=True):
        assert field.startswith(wanted_field) if "xxx" in wanted_field else field == wanted_field
        assert wanted in description, description


@pytest.mark.parametrize("function, contents, expected", FAILS)
def test_an_error_echoes_no_more_than_a_little(function, contents, expected):
    with pytest.raises(InvalidParamsError) as caught:
        bind(function, say(*contents))
    assert "pydantic.dev" not in str(caught.value)
    assert "x" * 101 not in str(caught.value)
    assert all(len(violation.description) <= 200 for violation in caught.value.violations)


def test_very_many_problems_are_counted_and_not_listed():
    with pytest.raises(InvalidParamsError) as caught:
        bind(many, say(Part.of_data(["a"] * 20_000)))
    (violation,) = caught.value.violations
    assert violation.description == "has 20000 problems, too many to list"


def test_at_most_twenty_problems_are_listed():
    with pytest.raises(InvalidParamsError) as caught:
        bind(many, say(Part.of_data(["a"] * 100)))
    assert len(caught.value.violations) == 20


@pytest.mark.parametrize(
    "modes, message, refused",
    [
        (["text/plain"], say("x"), []),
        (["text/*"], say("x"), []),
        (["application/json"], say("x"), ["message.parts[0]"]),
        (["text/plain"], say("x", {"text": "y"}), ["message.parts[1]"]),
        (["image/png", "text/plain"], say("x", Part.of_bytes(b"", media_type="IMAGE/PNG; q=1")), None),
        (["image/png"], say(Part.of_bytes(b"")), ["message.parts[0]"]),
    ],
)
def test_only_media_types_that_the_author_restricted_are_refused(modes, message, refused):
    if refused:
        with pytest.raises(ContentTypeNotSupportedError) as caught:
            bind(text, message, input_modes=modes)
        assert [violation.field for violation in caught.value.violations] == refused
    elif refused is None:
        with pytest.raises(InvalidParamsError):
            bind(text, message, input_modes=modes)
    else:
        assert bind(text, message, input_modes=modes) == {"text": "x"}


def test_a_default_that_can_change_is_not_shared():
    def collect(items: list[int] = []) -> None: ...  # noqa: B006 - what is being tested

    first = bind(collect, say(""))
    first["items"].append(1)
    assert bind(collect, say("")) == {"items": []}


@pytest.mark.parametrize(
    "function, contents, refused", [(text, (PNG,), 0), (trip, (b"x",), 0), (text, ("x", LINK), 1)]
)
def test_a_skill_without_a_parameter_for_files_takes_none(function, contents, refused):
    with pytest.raises(ContentTypeNotSupportedError, match="takes text/plain, application/json") as caught:
        bind(function, say(*contents))
    assert [violation.field for violation in caught.value.violations] == [f"message.parts[{refused}]"]
