"""Which of several skills a message goes to."""

import pytest
from pydantic import BaseModel

from dragoman.agent import Agent, Context
from dragoman.agent.selection import select_skill
from dragoman.model import InvalidParamsError, Message, SendMessageRequest
from tests.unit.agent.turns import say


class Trip(BaseModel, extra="forbid"):
    city: str


def make_agent(*, default: str | None = None) -> Agent:
    agent = Agent("Travel", default_skill=default)

    @agent.skill
    def plan(trip: Trip) -> str:
        """Plan a trip."""
        return trip.city

    @agent.skill
    def book(city: str, days: int) -> str:
        """Book a hotel."""
        return city

    @agent.skill
    def chat(text: str) -> str:
        """Talk about travel."""
        return text

    return agent


def select(agent: Agent, message: Message, metadata: dict[str, object] | None = None) -> str:
    skill, _ = select_skill(agent.skills, SendMessageRequest(message=message, metadata=metadata))
    return skill.id


@pytest.mark.parametrize(
    "message, metadata, chosen",
    [
        (say("hi", metadata={"skill": "chat"}), None, "chat"),
        (say("hi"), {"skill": "chat"}, "chat"),
        (say("hi", metadata={"skill": "plan"}), {"skill": "chat"}, "chat"),
        (say("hi", metadata={"other": 1}), {"skill": "chat"}, "chat"),
        (say({"city": "Rome"}), None, "plan"),
        (say({"city": "Rome", "days": 2}), None, "book"),
        (say('{"city": "Rome", "days": 2}'), None, "book"),
        (say("please", {"city": "Rome", "days": 2}), None, "book"),
    ],
)
def test_a_skill_is_found(message, metadata, chosen):
    assert select(make_agent(), message, metadata) == chosen


@pytest.mark.parametrize(
    "message, metadata, field",
    [
        (say("hi"), {"skill": "swim"}, "metadata.skill"),
        (say("hi", metadata={"skill": "swim"}), None, "message.metadata.skill"),
        (say("hi"), {"skill": 3}, "metadata.skill"),
        (say("hi"), None, None),
        (say("[1, 2]"), None, None),
        (say({"unknown": 1}), None, None),
        (say(b"file"), None, None),
    ],
)
def test_without_a_fitting_skill_all_are_listed(message, metadata, field):
    with pytest.raises(InvalidParamsError) as caught:
        select(make_agent(), message, metadata)
    assert "plan: Plan a trip.; book: Book a hotel.; chat: Talk about travel." in caught.value.message
    assert [violation.field for violation in caught.value.violations] == ([field] if field else [])


def test_data_that_fits_two_skills_lists_them():
    agent = make_agent()

    @agent.skill
    def visit(city: str) -> str:
        """Visit a city."""
        return city

    with pytest.raises(InvalidParamsError, match="more than one skill fits") as caught:
        select(agent, say({"city": "Rome"}))
    assert "plan: Plan a trip.; visit: Visit a city." in caught.value.message
    assert "chat" not in caught.value.message


def test_the_default_takes_what_fits_no_other():
    agent = make_agent(default="chat")
    assert select(agent, say("hi")) == "chat"
    assert select(agent, say({"city": "Rome"})) == "plan"


def test_the_default_says_why_data_does_not_fit_it():
    with pytest.raises(InvalidParamsError) as caught:
        select(make_agent(default="book"), say({"city": "Rome", "days": "x"}))
    assert [violation.field for violation in caught.value.violations] == ["message.parts[0].data.days"]


def test_the_only_skill_takes_everything():
    agent = Agent("One")

    @agent.skill
    def hello(name: str) -> str:
        return name

    assert select(agent, say("hi")) == "hello"


def test_a_skill_that_takes_nothing_fits_no_data():
    agent = make_agent()

    @agent.skill
    async def read(ctx: Context) -> None: ...

    assert select(agent, say({"city": "Rome"})) == "plan"


def test_an_agent_without_skills_says_so():
    with pytest.raises(InvalidParamsError, match="this agent has no skills"):
        select(Agent("Empty"), say("hi"))
