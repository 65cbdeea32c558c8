"""A question and its answer, with what the agent asks back in between."""

import asyncio

import pytest

from dragoman import Agent
from dragoman.client import Client, Question
from dragoman.model import (
    AgentCapabilities,
    InputRequiredError,
    NoTextError,
    Part,
    Task,
    TaskFailedError,
    TaskState,
    TimedOut,
    wrap_reply,
)
from tests.unit.client.scripted import (
    FastWorld,
    ScriptedAgent,
    chunk,
    gives,
    in_turn,
    make_card,
    says_message,
    status,
    task,
)

MUTE = make_card(capabilities=AgentCapabilities())
ASKS = status(TaskState.INPUT_REQUIRED, "which hotel?")
DONE = (status(TaskState.WORKING), chunk("booked", append=False), status(TaskState.COMPLETED))


def streaming(*streams, **scripts):
    return ScriptedAgent(SendStreamingMessage=in_turn(*streams), **scripts)


def open_client(agent, **options):
    return Client(agent, world=FastWorld().world, **options)


async def test_the_answer_of_a_stream():
    async with open_client(
        streaming([task(TaskState.WORKING), chunk("Hel"), chunk("lo"), DONE[-1]])
    ) as client:
        assert await client.ask("hi") == "Hello"


async def test_a_message_is_an_answer():
    async with open_client(streaming([says_message("hello")])) as client:
        assert await client.ask("hi") == "hello"


async def test_a_task_without_artifacts_says_its_status():
    async with open_client(streaming([task(TaskState.COMPLETED, says="done")])) as client:
        assert await client.ask("hi") == "done"


@pytest.mark.parametrize("answer", [task(TaskState.COMPLETED, "Hello"), says_message("Hello")])
async def test_an_agent_without_streams_is_asked_to_hold_its_answer(answer):
    agent = ScriptedAgent(MUTE, SendMessage=gives(wrap_reply(answer)))
    async with open_client(agent) as client:
        assert await client.ask("hi") == "Hello"
    assert "configuration" not in agent.of("SendMessage")[0].request


async def test_an_agent_that_does_not_hold_its_answer_is_polled():
    agent = ScriptedAgent(
        MUTE,
        SendMessage=gives(wrap_reply(task(TaskState.WORKING))),
        GetTask=gives(task(TaskState.WORKING), task(TaskState.WORKING), task(TaskState.COMPLETED, "Hello")),
    )
    world = FastWorld()
    async with Client(agent, world=world.world) as client:
        assert await client.ask("hi") == "Hello"
    assert world.waits == pytest.approx([0.1, 0.15, 0.225])


async def test_polling_slows_down_to_its_interval():
    answers = [task(TaskState.WORKING)] * 12
    agent = ScriptedAgent(
        MUTE,
        SendMessage=gives(wrap_reply(task(TaskState.WORKING))),
        GetTask=gives(*answers, task(TaskState.COMPLETED, "Hello")),
    )
    world = FastWorld()
    async with Client(agent, world=world.world, polling_seconds=0.5) as client:
        await client.ask("hi")
    assert world.waits[-1] == 0.5


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.REJECTED, TaskState.CANCELED])
async def test_a_task_without_a_result_is_an_error(state):
    async with open_client(streaming([task(state, says="no seats")])) as client:
        with pytest.raises(TaskFailedError, match="no seats") as caught:
            await client.ask("hi")
    assert caught.value.task.state is state


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_question_is_answered_in_its_task(is_async):
    questions = []

    def answer(question: Question):
        questions.append(str(question))
        return "the blue one"

    async def answer_later(question: Question):
        return answer(question)

    agent = streaming([task(TaskState.WORKING), ASKS], DONE)
    async with open_client(agent) as client:
        text = await client.ask("book", skill="hotels", on_question=answer_later if is_async else answer)
    assert text == "booked"
    assert questions == ["which hotel?"]
    first, reply = agent.of("SendStreamingMessage")
    assert "taskId" not in first.request["message"]
    assert (reply.request["message"]["taskId"], reply.request["message"]["contextId"]) == ("t1", "c1")
    assert reply.request["message"]["parts"] == [{"text": "the blue one"}]
    assert first.request["metadata"] == {"skill": "hotels"}


async def test_an_answer_may_be_data():
    agent = streaming([task(TaskState.WORKING), ASKS], DONE)
    async with open_client(agent) as client:
        await client.ask("book", on_question=lambda question: {"hotel": 2})
    assert agent.of("SendStreamingMessage")[1].request["message"]["parts"] == [{"data": {"hotel": 2}}]


async def test_a_question_may_follow_another():
    agent = streaming(
        [task(TaskState.WORKING), ASKS], [status(TaskState.INPUT_REQUIRED, "which room?")], DONE
    )
    questions: list[str] = []

    def remember(question):
        questions.append(question.text)
        return "1"

    async with open_client(agent) as client:
        await client.ask("book", on_question=remember)
    assert questions == ["which hotel?", "which room?"]


async def test_a_question_that_is_shown_again_is_not_asked_again():
    """An agent may start the stream of the answer with the task as it was."""
    asking = task(TaskState.INPUT_REQUIRED, says="which hotel?")
    agent = streaming([asking], [asking, *DONE])
    questions: list[str] = []

    def remember(question):
        questions.append(question.text)
        return "1"

    async with open_client(agent) as client:
        assert await client.ask("book", on_question=remember) == "booked"
    assert len(questions) == 1


async def test_a_question_of_an_agent_that_keeps_the_stream_open_is_answered():
    async def script(call):
        if "taskId" in call.request["message"]:
            for event in DONE:
                yield event
            return
        yield task(TaskState.WORKING)
        yield ASKS
        await asyncio.Event().wait()

    async with open_client(ScriptedAgent(SendStreamingMessage=script)) as client:
        assert await client.ask("book", on_question=lambda question: "1") == "booked"


async def test_a_question_of_an_agent_without_streams_is_answered():
    asking = task(TaskState.INPUT_REQUIRED, says="which hotel?")
    agent = ScriptedAgent(
        MUTE, SendMessage=gives(wrap_reply(asking), wrap_reply(task(TaskState.COMPLETED, "booked")))
    )
    async with open_client(agent) as client:
        assert await client.ask("book", on_question=lambda question: "1") == "booked"


async def test_a_question_that_nobody_answers_is_an_error():
    async with open_client(streaming([task(TaskState.WORKING), ASKS])) as client:
        with pytest.raises(InputRequiredError, match=r"which hotel?") as caught:
            await client.ask("book")
    assert caught.value.task.id == "t1"


async def test_no_answer_to_a_question_is_an_error():
    async with open_client(streaming([task(TaskState.WORKING), ASKS])) as client:
        with pytest.raises(InputRequiredError):
            await client.ask("book", on_question=lambda question: None)


async def test_credentials_that_come_by_another_way_are_waited_for():
    logs_in = status(TaskState.AUTH_REQUIRED, "log in at https://x")
    agent = streaming(
        [task(TaskState.WORKING), logs_in],
        SubscribeToTask=in_turn([task(TaskState.AUTH_REQUIRED, says="log in at https://x"), *DONE]),
    )
    shown = []

    def show(question):
        assert question.is_about_credentials
        shown.append(question.text)

    async with open_client(agent) as client:
        assert await client.ask("book", on_question=show) == "booked"
    assert shown == ["log in at https://x"]
    assert len(agent.of("SendStreamingMessage")) == 1


async def test_context_and_output_modes_travel():
    agent = streaming([says_message("x")])
    async with open_client(agent, accepted_output_modes=["text/plain"]) as client:
        await client.ask([Part.of_text("a")], context="c7", metadata={"k": 1})
    request = agent.of("SendStreamingMessage")[0].request
    assert request["message"]["contextId"] == "c7"
    assert request["configuration"] == {"acceptedOutputModes": ["text/plain"]}
    assert request["metadata"] == {"k": 1}


async def test_a_deadline_holds_for_all_turns_together():
    async def stall(call):
        yield task(TaskState.WORKING)
        await asyncio.Event().wait()

    async with open_client(ScriptedAgent(SendStreamingMessage=stall)) as client:
        with pytest.raises(TimedOut, match=r"no result after 0.05 seconds"):
            await client.ask("hi", deadline=0.05)


async def test_a_deadline_holds_for_who_answers_questions():
    async def think(question):
        await asyncio.Event().wait()

    async with open_client(streaming([task(TaskState.WORKING), ASKS])) as client:
        with pytest.raises(TimedOut):
            await client.ask("hi", on_question=think, deadline=0.05)


async def test_files_alone_are_no_text_and_said_so():
    agent = make_file_agent()
    async with Client(agent) as client:
        with pytest.raises(NoTextError, match=r"get it with send\(\)") as caught:
            await client.ask("", skill="picture")
        answer = caught.value.answer
        assert isinstance(answer, Task)
        assert [part.raw for artifact in answer.artifacts or () for part in artifact.parts] == [b"\x89PNG"]
        assert await client.ask("", skill="both") == "look"
        assert await client.ask("", skill="nothing") == ""
        assert await client.ask("", skill="poem") == "roses"


def make_file_agent():
    agent = Agent("Painter", "Paints")

    @agent.skill
    def picture() -> bytes:
        return b"\x89PNG"

    @agent.skill
    def both() -> list[Part]:
        return [Part.of_text("look"), Part.of_bytes(b"\x89PNG")]

    @agent.skill
    def nothing() -> None:
        """Say nothing."""

    @agent.skill
    def poem() -> Part:
        return Part.of_bytes(b"roses", media_type="text/plain")

    return agent
