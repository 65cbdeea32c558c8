"""What a function says about a skill, and which functions cannot be one."""

import functools
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from dragoman.agent import Agent, AuthoringError, Context, Progress, Skill, SyncContext
from dragoman.model import DragomanError, Message, Part, Task
from dragoman.security import Principal
from tests.unit.agent import late_annotations


def make(function: Any, **options: Any) -> Skill:
    agent = Agent("Test")
    agent.skill(**options)(function)
    return next(iter(agent.skills.values()))


def plan_trip(city: str) -> str:
    """Plan a trip
    to a city.

    With hotels.
    """
    return city


def undocumented(city: str) -> str:
    return city


def test_facts_come_from_the_function():
    facts = make(plan_trip).facts
    assert (facts.id, facts.name, facts.description) == ("plan_trip", "Plan Trip", "Plan a trip to a city.")
    assert facts.tags == ("plan_trip",)


def test_facts_that_the_author_gives_win():
    facts = make(
        plan_trip,
        id="plan",
        name="Planner",
        description="Plans.",
        tags=["travel"],
        examples=["Rome"],
        output_modes=["text/markdown"],
    ).facts
    assert (facts.id, facts.name, facts.description) == ("plan", "Planner", "Plans.")
    assert (facts.tags, facts.examples, facts.output_modes) == (("travel",), ("Rome",), ("text/markdown",))


def test_no_required_member_of_a_card_is_ever_empty():
    facts = make(undocumented).facts
    assert all([facts.id, facts.name, facts.description, facts.tags])


def test_tags_of_the_agent_serve_skills_that_name_none():
    agent = Agent("Test", tags=["travel"])
    agent.skill(plan_trip)
    agent.skill(id="own", tags=["mine"])(plan_trip)
    assert [skill.facts.tags for skill in agent.skills.values()] == [("travel",), ("mine",)]


def test_a_decorated_function_stays_what_it_was():
    agent = Agent("Test")
    assert agent.skill(plan_trip) is plan_trip
    assert agent.skill(id="other")(plan_trip) is plan_trip
    assert plan_trip("Rome") == "Rome"


def test_a_bound_method_can_be_a_skill():
    class Shop:
        def buy(self, item: str) -> str:
            return item

    skill = make(Shop().buy)
    assert skill.id == "buy"
    assert [parameter.name for parameter in skill.signature.parameters] == ["item"]


def test_a_wrapped_function_keeps_its_signature():
    @functools.wraps(plan_trip)
    def wrapper(*args: Any, **kwargs: Any) -> str:
        return plan_trip(*args, **kwargs)

    assert [parameter.name for parameter in make(wrapper).signature.parameters] == ["city"]


def test_what_the_run_provides_is_found_by_type():
    async def everything(
        a: int,
        ctx: Context,
        message: Message,
        *,
        task: Task,
        who: Principal | None = None,
        b: Annotated[int, Field(ge=1)] = 2,
    ) -> None: ...

    signature = make(everything).signature
    assert signature.provided == {"ctx": Context, "message": Message, "task": Task, "who": Principal}
    assert [parameter.name for parameter in signature.parameters] == ["a", "b"]


def test_annotations_as_strings_are_read():
    assert late_annotations.agent.skills["order"].input_schema["required"] == ["item"]


def test_types_local_to_a_function_are_found():
    skills = late_annotations.define_locally().skills
    assert [skill.input_schema["required"] for skill in skills.values()] == [["weight"], ["weight"]]


def test_a_type_that_exists_only_for_checkers_is_refused_with_advice():
    with pytest.raises(AuthoringError, match="'Decimal' is not defined; import what they name at run time"):
        late_annotations.define_unreadable()


async def wrong_context(ctx: SyncContext) -> None: ...
def wrong_sync_context(ctx: Context) -> None: ...
def untyped(city) -> None: ...
def many_cities(*cities: str) -> None: ...
def anything_named(**options: str) -> None: ...
def path(file: Path) -> None: ...
def stream(file: io.BytesIO) -> None: ...
def opaque(session: io.StringIO | object) -> None: ...


class Opaque: ...


def custom(thing: Opaque) -> None: ...


REFUSED = [
    (wrong_context, "is async: take `Context`, not `SyncContext`"),
    (wrong_sync_context, "is not async: take `SyncContext`, not `Context`"),
    (untyped, "the parameter 'city' of untyped() has no type; write one"),
    (many_cities, "takes *cities: str, which a caller cannot know how to fill; take a list"),
    (anything_named, "takes **options: str"),
    (path, "Path cannot come from a caller; take `bytes` or `Part`"),
    (stream, "BytesIO cannot come from a caller"),
    (opaque, "StringIO cannot come from a caller"),
    (custom, "cannot be validated: Unable to generate pydantic-core schema for <class"),
    (lambda: "x", "a lambda has no name"),
    (functools.partial(plan_trip, "x"), "a skill is a function or a bound method"),
    (Opaque, "a skill is a function or a bound method"),
    (len, "a skill is a function or a bound method"),
]


@pytest.mark.parametrize("function, reason", REFUSED)
def test_a_function_that_cannot_be_a_skill_is_refused_with_advice(function, reason):
    with pytest.raises(AuthoringError) as caught:
        make(function)
    assert reason in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, DragomanError)


def test_a_text_where_a_list_belongs_is_refused():
    with pytest.raises(AuthoringError, match=r"tags is a list of texts: write \['travel'\]"):
        make(plan_trip, tags="travel")


def test_two_skills_of_one_id_are_refused():
    agent = Agent("Test")
    agent.skill(plan_trip)
    with pytest.raises(AuthoringError, match="there is a skill 'plan_trip' already"):
        agent.skill(plan_trip)


def test_two_defaults_are_refused():
    agent = Agent("Test")
    agent.skill(default=True)(plan_trip)
    with pytest.raises(AuthoringError, match="'plan_trip' is the default skill already"):
        agent.skill(default=True)(undocumented)


class Itinerary(BaseModel):
    stops: list[str]


def gives_model() -> Itinerary:
    raise NotImplementedError


def gives_text() -> str:
    raise NotImplementedError


def gives_either() -> Itinerary | str | None: ...
def gives_nothing() -> None: ...
def gives_anything(): ...
async def streams() -> AsyncIterator[Itinerary | Progress]:
    yield Progress()


def yields() -> Iterator[str]:
    yield ""


def gives_file() -> Path:
    raise NotImplementedError


def gives_image() -> bytes:
    raise NotImplementedError


def gives_parts() -> list[Part]:
    raise NotImplementedError


def replies() -> Message:
    raise NotImplementedError


def test_schemas_of_input_and_output_are_at_hand():
    agent = Agent("Test")

    @agent.skill
    def plan(
        city: str, days: Annotated[int, Field(ge=1, description="how long")] = 3, sign: object = object()
    ) -> Itinerary:
        return Itinerary(stops=[])

    schemas = agent.skill_schemas()["plan"]
    assert schemas["input"]["required"] == ["city"]
    assert schemas["input"]["properties"]["days"] == {
        "type": "integer",
        "minimum": 1,
        "default": 3,
        "title": "Days",
        "description": "how long",
    }
    assert schemas["output"] is not None
    assert schemas["output"]["properties"]["stops"] == {
        "type": "array",
        "items": {"type": "string"},
        "title": "Stops",
    }


def test_a_skill_that_takes_one_object_publishes_that_object():
    def take(itinerary: Itinerary) -> None: ...

    schema = make(take).input_schema
    assert schema["type"] == "object"
    assert schema["required"] == ["stops"]


@pytest.mark.parametrize(
    "function, has_schema, modes",
    [
        (gives_model, True, ("application/json",)),
        (gives_text, False, ("text/plain",)),
        (gives_either, True, ("application/json", "text/plain")),
        (gives_nothing, False, ("text/plain",)),
        (gives_anything, False, ("text/plain",)),
        (streams, True, ("application/json",)),
        (yields, False, ("text/plain",)),
        (gives_file, False, ("application/octet-stream",)),
        (gives_image, False, ("application/octet-stream",)),
        (gives_parts, False, ("text/plain", "application/json")),
        (replies, False, ("text/plain",)),
    ],
)
def test_what_comes_out_is_read_off_the_return_type(function, has_schema, modes):
    skill = make(function)
    assert (skill.output_schema is not None, skill.gives) == (has_schema, modes)


@pytest.mark.parametrize(
    "function, expected", [(replies, True), (gives_text, False), (gives_either, False), (streams, False)]
)
def test_only_a_return_type_with_message_may_answer_without_a_task(function, expected):
    assert make(function).signature.may_reply is expected


def takes_text(text: str) -> None: ...
def takes_file(file: bytes) -> None: ...
def takes_both(text: str, file: bytes) -> None: ...
def takes_nothing() -> None: ...


@pytest.mark.parametrize(
    "function, modes",
    [
        (takes_text, ("text/plain", "application/json")),
        (takes_file, ("application/octet-stream",)),
        (takes_both, ("text/plain", "application/json", "application/octet-stream")),
        (takes_nothing, ("text/plain", "application/json")),
    ],
)
def test_what_goes_in_is_read_off_the_parameters(function, modes):
    assert make(function).takes == modes
