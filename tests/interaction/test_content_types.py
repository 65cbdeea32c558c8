"""Media types of what comes and of what goes, over every binding (SND-05, SND-13)."""

import base64
from typing import Any

import pytest

from dragoman import Agent, Context, Part
from tests.interaction.requirements import requirement
from tests.interaction.wires import Wire

PNG = {"raw": base64.b64encode(b"\x89PNG").decode(), "mediaType": "image/png"}


def make_agent(ran: list[str]) -> Agent:
    agent = Agent("Typed", "Minds what things are")

    @agent.skill(input_modes=["text/plain", "image/*"], output_modes=["text/markdown"])
    async def look(ctx: Context) -> str:
        """Look at a picture."""
        ran.append("look")
        return "# seen"

    @agent.skill
    async def say(text: str) -> str:
        """Say it again."""
        ran.append("say")
        return text

    @agent.skill
    async def weigh(ctx: Context) -> dict[str, int]:
        """Say what it weighs."""
        return {"grams": 7}

    @agent.skill
    async def draw(ctx: Context) -> Part:
        """Draw, or describe, as the caller likes."""
        if ctx.accepts("image/png"):
            return Part.of_bytes(b"\x89PNG", media_type="image/png")
        return Part.of_text(f"a picture, for whom takes {', '.join(ctx.accepted_output_modes)}")

    return agent


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
async def typed(connect, ran) -> Wire:
    wire: Wire = await connect(make_agent(ran))
    return wire


@requirement("SND-05")
@pytest.mark.parametrize(
    "skill, parts, at_fault",
    [
        ("look", [{"text": "what is it?"}, {"data": {"a": 1}}], "message.parts[1]"),
        ("look", [{**PNG, "mediaType": "application/pdf"}], "message.parts[0]"),
        ("look", [{"url": "https://example.com/a.mp4", "mediaType": "video/mp4"}], "message.parts[0]"),
        ("say", [{"text": "hello"}, PNG], "message.parts[1]"),
        ("say", [{"url": "https://example.com/a.png"}], "message.parts[0]"),
    ],
)
async def test_a_part_that_the_skill_does_not_take_is_refused_before_it_runs(
    typed, ran, skill, parts, at_fault
):
    answer = await typed.send(parts, skill)
    assert (answer.error.reason, answer.error.fields) == ("CONTENT_TYPE_NOT_SUPPORTED", [at_fault])
    assert (await typed.call("ListTasks")).result["tasks"] == []
    assert ran == []


async def test_a_part_of_a_kind_that_the_skill_takes_is_taken(typed, ran):
    assert (await typed.send([{"text": "what is it?"}, PNG], "look")).is_result
    assert (await typed.send([{"text": "# hello", "mediaType": "text/markdown"}], "say")).is_result
    assert ran == ["look", "say"]


async def send_accepting(wire: Wire, skill: str, *modes: str) -> dict[str, Any]:
    answer = await wire.send("hello", skill, acceptedOutputModes=list(modes))
    [artifact] = answer.task["artifacts"]
    [part] = artifact["parts"]
    return dict(part)


@requirement("SND-13")
async def test_results_come_as_what_the_caller_accepts(typed):
    assert await send_accepting(typed, "weigh") == {"data": {"grams": 7}}
    assert await send_accepting(typed, "weigh", "application/json", "text/plain") == {"data": {"grams": 7}}
    assert await send_accepting(typed, "weigh", "text/*") == {"text": '{"grams":7}'}
    assert await send_accepting(typed, "say", "application/json") == {"data": "hello"}
    assert await send_accepting(typed, "say", "*/*") == {"text": "hello"}
    assert "raw" in await send_accepting(typed, "draw", "image/*")
    assert await send_accepting(typed, "draw", "text/plain") == {
        "text": "a picture, for whom takes text/plain"
    }


@requirement("SND-13")
async def test_a_result_that_cannot_be_made_acceptable_comes_as_it_is(typed):
    """What the caller accepts is a wish: a result is neither thrown away for it nor refused."""
    assert await send_accepting(typed, "say", "audio/ogg") == {"text": "hello"}
    assert await send_accepting(typed, "weigh", "audio/ogg") == {"data": {"grams": 7}}
    assert await send_accepting(typed, "look", "text/html") == {
        "text": "# seen",
        "mediaType": "text/markdown",
    }
