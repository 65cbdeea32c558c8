"""What a skill can do with its run, from a coroutine and from a thread."""

import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from dragoman.agent import Agent, Context, Progress, SyncContext
from dragoman.agent.conversation import MAX_STATE_BYTES
from dragoman.model import Message, Part, SkillError, TaskState
from tests.unit.agent.turns import FakeTurn, admit, run, say

WORKING, INPUT, AUTH = TaskState.WORKING, TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED


class Trip(BaseModel):
    city: str
    days: int = 3


def make(skill: Callable[..., Any]) -> Agent:
    agent = Agent("Test")
    agent.skill(id="it")(skill)
    return agent


async def result_of(skill: Callable[..., Any], *answers: Message) -> tuple[Any, FakeTurn]:
    """What the skill returned, and the turn."""
    turn = await run(make(skill), say("go"), answers=answers)
    return turn.artifacts[-1].parts[0].data, turn


# Progress


async def test_progress_is_a_status_with_a_fraction():
    async def work(ctx: Context) -> None:
        await ctx.progress("searching", 0.5)
        await ctx.progress("still")
        await ctx.progress(fraction=1)
        await ctx.progress([Part.of_text("a"), Part.of_text("b")])

    turn = await run(make(work), say("go"))
    assert turn.statuses == [
        (WORKING, "searching", {"progress": 0.5}),
        (WORKING, "still", None),
        (WORKING, "", {"progress": 1}),
        (WORKING, "a\nb", None),
    ]


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_fraction_lies_between_0_and_1(fraction):
    with pytest.raises(ValueError, match="a fraction lies between 0 and 1"):
        Progress("x", fraction)


# Artifacts


async def test_an_artifact_is_written_in_chunks_and_closed():
    async def work(ctx: Context) -> None:
        async with ctx.artifact(
            "report.md", media_type="text/markdown", description="A report", metadata={"a": 1}
        ) as out:
            assert out.artifact_id == "artifact-1"
            await out.write("# Hi")
            await out.write("\nthere")

    turn = await run(make(work), say("go"))
    assert turn.chunks == [("# Hi", False, False), ("\nthere", True, False), ("", True, True)]
    (artifact,) = turn.artifacts
    assert (artifact.name, artifact.description, artifact.metadata) == ("report.md", "A report", {"a": 1})
    assert {part.media_type for part in artifact.parts} == {"text/markdown"}
    assert turn.rooms == 3


async def test_an_artifact_of_bytes_is_closed_with_bytes():
    async def work(ctx: Context) -> None:
        async with ctx.artifact("a.png", media_type="image/png") as out:
            await out.write(b"ab")

    turn = await run(make(work), say("go"))
    assert [part.raw for part in turn.artifacts[0].parts] == [b"ab", b""]
    assert [last for _, _, last in turn.chunks] == [False, True]


async def test_data_needs_no_closing_piece():
    async def work(ctx: Context) -> None:
        async with ctx.artifact("rows") as out:
            await out.write({"row": 1})
            await out.write(Trip(city="Rome"))

    turn = await run(make(work), say("go"))
    assert [part.data for part in turn.artifacts[0].parts] == [{"row": 1}, {"city": "Rome", "days": 3}]
    assert [(append, last) for _, append, last in turn.chunks] == [(False, False), (True, True)]


async def test_an_artifact_that_fails_is_not_closed_as_if_it_were_complete():
    async def work(ctx: Context) -> None:
        async with ctx.artifact("report") as out:
            await out.write("half")
            raise SkillError("no more")

    turn = FakeTurn(say("go"))
    with pytest.raises(SkillError):
        await admit(make(work), say("go")).run(turn)
    assert turn.chunks == [("half", False, False)]


async def test_an_artifact_without_content_is_none():
    async def work(ctx: Context) -> None:
        async with ctx.artifact("report"):
            pass

    assert (await run(make(work), say("go"))).events == []


async def test_a_closed_artifact_takes_no_more():
    async def work(ctx: Context) -> None:
        async with ctx.artifact("report") as out:
            pass
        await out.write("late")

    with pytest.raises(ValueError, match="artifact 'report' is closed"):
        await run(make(work), say("go"))


async def test_artifacts_have_ids_of_their_own():
    async def work(ctx: Context) -> str:
        async with ctx.artifact("a") as first, ctx.artifact("b") as second:
            await first.write("1")
            await second.write("2")
        return "3"

    turn = await run(make(work), say("go"))
    assert [artifact.artifact_id for artifact in turn.artifacts] == ["artifact-1", "artifact-2", "artifact-3"]


# Questions


@pytest.mark.parametrize(
    "kind, answer, expected",
    [
        (str, say("Rome"), "Rome"),
        (int, say("3"), 3),
        (bool, say("yes"), True),
        (Literal["a", "b"], say("b"), "b"),
        (Annotated[int, Field(ge=1)], say("3"), 3),
        (int | None, say("3"), 3),
        (list[int], say("[1]"), [1]),
        (Trip, say('{"city": "Rome"}'), Trip(city="Rome")),
        (Trip, say({"city": "Rome"}), Trip(city="Rome")),
        (bytes, say(b"file"), b"file"),
        (Part, say("x"), Part.of_text("x")),
        (Any, say("x"), "x"),
    ],
)
async def test_an_answer_is_read_as_its_type(kind, answer, expected):
    found: list[Any] = []

    async def work(ctx: Context) -> None:
        found.append(await ctx.ask("well?", kind))

    turn = await run(make(work), say("go"), answers=[answer])
    assert found == [expected]
    assert turn.asked == [(INPUT, "well?")]


async def test_an_answer_is_text_unless_said_otherwise():
    async def work(ctx: Context) -> list[str]:
        return [await ctx.ask([Part.of_text("well?")])]

    assert (await result_of(work, say("Rome")))[0] == ["Rome"]


async def test_an_answer_that_does_not_fit_is_asked_for_again_with_the_reason():
    async def work(ctx: Context) -> list[Any]:
        trip = await ctx.ask("where to?", Trip)
        return [await ctx.ask("how many?", int), trip.city]

    answers = [say({"days": "x"}), say({"city": "Rome"}), say("many"), say("3")]
    data, turn = await result_of(work, *answers)
    assert data == [3, "Rome"]
    no_integer = "should be a valid integer, unable to parse string as an integer"
    assert [text for _, text in turn.asked] == [
        "where to?",
        f"That does not fit: city is required and missing; days {no_integer}.\nwhere to?",
        "how many?",
        f"That does not fit: {no_integer}.\nhow many?",
    ]


async def test_a_question_is_not_asked_for_ever():
    async def work(ctx: Context) -> None:
        await ctx.ask("how many?", int, attempts=2)

    with pytest.raises(
        SkillError, match="no answer fitted the question after 2 attempts: should be a valid integer"
    ):
        await run(make(work), say("go"), answers=[say("a"), say("b"), say("3")])


async def test_a_question_needs_something_to_say():
    async def work(ctx: Context) -> None:
        await ctx.ask([])

    with pytest.raises(TypeError, match="a message is a text, a Part or a sequence"):
        await run(make(work), say("go"))


async def test_yes_or_no():
    async def work(ctx: Context) -> list[bool]:
        return [await ctx.confirm("sure?"), await ctx.confirm("really?")]

    data, turn = await result_of(work, say("Yes"), say("hm"), say("no"))
    assert data == [True, False]
    assert turn.asked[2][1] == "That does not fit: answer yes or no.\nreally?"


@pytest.mark.parametrize(
    "options, answer, chosen",
    [
        (["Ritz", "Plaza"], "plaza ", "Plaza"),
        (["Ritz", "Plaza"], "1", "Ritz"),
        ([10, 2, 1], "2", 2),
        ([10, 2, 7], "3", 7),
        ({"cheap": {"price": 1}, "dear": {"price": 9}}, "dear", {"price": 9}),
        ({"cheap": {"price": 1}}, "1", {"price": 1}),
    ],
)
async def test_a_choice_by_name_or_number(options, answer, chosen):
    async def work(ctx: Context) -> list[Any]:
        return [await ctx.choose("which?", options)]

    data, turn = await result_of(work, say("none"), say("99"), say(answer))
    assert data == [chosen]
    first = next(iter(options))
    assert turn.asked[0][1].startswith(f"which?\n1. {first}")
    assert turn.asked[1][1].startswith("That does not fit: name one of the options, or its number.\nwhich?")


@pytest.mark.parametrize("options", [[], ["a", "a"], [1, "1"]])
async def test_a_choice_needs_options_that_differ(options):
    async def work(ctx: Context) -> None:
        await ctx.choose("which?", options)

    with pytest.raises(ValueError, match="at least one option, and no two that read the same"):
        await run(make(work), say("go"))


async def test_credentials_are_asked_for_with_a_state_of_their_own():
    async def work(ctx: Context) -> str:
        return (await ctx.ask_auth("log in at https://example.com")).text

    turn = await run(make(work), say("go"), answers=[say("done")])
    assert turn.asked == [(AUTH, "log in at https://example.com")]
    assert turn.artifacts[0].text == "done"


async def test_the_next_message_is_awaited():
    async def work(ctx: Context) -> str:
        return (await ctx.next_message()).text

    assert (await run(make(work), say("go"), answers=[say("more")])).artifacts[0].text == "more"


# Facts, state, log


async def test_a_context_knows_its_run():
    async def work(text: str, ctx: Context) -> list[Any]:
        return [
            ctx.task_id,
            ctx.context_id,
            ctx.skill.id,
            ctx.caller.subject,
            ctx.message.text,
            ctx.task.id,
            ctx.is_canceled,
        ]

    data, _ = await result_of(work)
    assert data == ["task", "context", "it", "", "go", "task", False]


async def test_a_conversation_remembers():
    async def work(ctx: Context) -> list[Any]:
        before = [await ctx.state.get("n"), await ctx.state.get("n", 0), await ctx.state.all()]
        await ctx.state.set("n", 1)
        await ctx.state.set("trip", Trip(city="Rome"))
        await ctx.state.set("gone", 1)
        await ctx.state.delete("gone")
        await ctx.state.delete("never")
        return [*before, await ctx.state.get("n"), await ctx.state.all()]

    data, turn = await result_of(work)
    remembered = {"n": 1, "trip": {"city": "Rome", "days": 3}}
    assert data == [None, 0, {}, 1, remembered]

    async def again(ctx: Context) -> Any:
        return await ctx.state.all()

    later = FakeTurn(say("go"))
    later.state = turn.state
    await admit(make(again), say("go")).run(later)
    assert later.artifacts[0].parts[0].data == remembered


async def test_a_conversation_remembers_only_so_much():
    async def work(ctx: Context) -> None:
        await ctx.state.set("big", "x" * MAX_STATE_BYTES)

    with pytest.raises(ValueError, match="the state of a conversation has at most 262144 bytes"):
        await run(make(work), say("go"))


async def test_the_log_names_the_task(caplog):
    async def work(ctx: Context) -> None:
        ctx.log.info("found %d", 3, extra={"more": 1})

    with caplog.at_level(logging.INFO, "dragoman.skill"):
        await run(make(work), say("go"))
    (record,) = caplog.records
    assert (record.getMessage(), record.task_id, record.context_id, record.skill, record.more) == (
        "found 3",
        "task",
        "context",
        "it",
        1,
    )


# From a thread


async def test_a_synchronous_skill_has_the_same_methods():
    def work(ctx: SyncContext) -> Any:
        ctx.progress("working", 0.5)
        with ctx.artifact("report", media_type="text/markdown") as out:
            assert out.artifact_id == "artifact-1"
            out.write("a")
        answers = [
            ctx.ask("how many?", int),
            ctx.ask("what?"),
            ctx.confirm("sure?"),
            ctx.choose("which?", ["a", "b"]),
            ctx.ask_auth("who?").text,
            ctx.next_message().text,
        ]
        ctx.state.set("n", 1)
        ctx.state.set("m", 2)
        ctx.state.delete("m")
        facts = [
            ctx.task.id,
            ctx.message.text,
            ctx.is_canceled,
            ctx.state.get("n"),
            ctx.state.all(),
            ctx.reply("x").text,
        ]
        return [*answers, *facts]

    answers = [say(text) for text in ("3", "that", "y", "2", "me", "more")]
    data, turn = await result_of(work, *answers)
    assert data == [3, "that", True, "b", "me", "more", "task", "go", False, 1, {"n": 1}, "x"]
    assert turn.statuses == [(WORKING, "working", {"progress": 0.5})]
    assert turn.chunks[:2] == [("a", False, False), ("", True, True)]


async def test_errors_of_the_context_are_raised_in_the_thread():
    def work(ctx: SyncContext) -> str:
        try:
            ctx.progress("x", 3)
        except ValueError as error:
            return str(error)
        return ""

    turn = await run(make(work), say("go"))
    assert turn.artifacts[0].text == "a fraction lies between 0 and 1, not at 3"


async def test_a_synchronous_artifact_that_fails_is_left_open():
    def work(ctx: SyncContext) -> None:
        with ctx.artifact("report") as out:
            out.write("half")
            raise SkillError("no more")

    turn = FakeTurn(say("go"))
    with pytest.raises(SkillError):
        await admit(make(work), say("go")).run(turn)
    assert turn.chunks == [("half", False, False)]
