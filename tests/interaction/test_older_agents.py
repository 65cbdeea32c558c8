"""Our client calls our agents in every generation that they serve (SPEC 7)."""

import asyncio
import logging

import pytest
from msgspec.structs import replace

from dragoman import Client, Message, Part, TaskState
from dragoman.client import TaskHandle
from dragoman.client.http import AsgiHttp
from dragoman.model import (
    AgentInterface,
    Binding,
    Generation,
    InputRequiredError,
    InvalidParamsError,
    Task,
    TaskArtifactUpdateEvent,
    TaskFailedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    UnauthenticatedError,
    UnsupportedOperationError,
)
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.recorder import Recorder
from tests.interaction.requirements import requirement
from tests.interaction.test_older_generations import EXTENDED
from tests.peer.receiver import Receiver

V1_0, V0_3, V0_2, V0_1 = Generation.V1_0, Generation.V0_3, Generation.V0_2, Generation.V0_1
WAYS = {
    "0.3": (V0_3, Binding.JSONRPC),
    "0.3-rest": (V0_3, Binding.REST),
    "0.2": (V0_2, Binding.JSONRPC),
    "0.1": (V0_1, Binding.JSONRPC),
}
WITHOUT_0_1 = [way for way in WAYS if way != "0.1"]
UNICODE = "Grüße 👩‍🚀 שלום \u2028 e\u0301 \ufeff line\nbreak \x7f \U0010ffff"
BASE = "http://localhost"


@pytest.fixture(params=list(WAYS))
def way(request):
    return WAYS[request.param]


@pytest.fixture
async def agent(way):
    parrot = Parrot(generations={way[0]})
    async with parrot.running():
        yield parrot


@pytest.fixture
def recorder(agent):
    return Recorder(agent)


@pytest.fixture
async def client(way, recorder):
    async with Client(recorder, bindings=[way[1]]) as client:
        yield client


def only(*names):
    return pytest.mark.parametrize("way", [WAYS[name] for name in names], ids=names)


def text_of(task):
    return "".join(part.text for artifact in task.artifacts for part in artifact.parts)


@requirement("V03-09", "MIG-01")
async def test_it_answers_and_the_generation_shows(client, way, caplog):
    before = client.generation
    assert await client.ask(UNICODE) == UNICODE
    assert await client.ask("again") == "again"
    assert (before, client.generation) == (None, way[0])
    assert client.interface in (await client.card()).supported_interfaces
    told = [record.message for record in caplog.records if record.name == "dragoman.client"]
    assert told == [f"'Parrot' is called in A2A {way[0].value}"]


async def test_a_task_is_sent_read_and_gone_on_with(client):
    handle = await client.send("", skill="ask")
    assert (handle.state, handle.question.text) == (TaskState.INPUT_REQUIRED, "which one?")
    assert (await client.get_task(handle.id)).status == handle.task.status
    answered = await handle.reply("the red one")
    assert answered is handle
    assert (handle.state, handle.text) == (TaskState.COMPLETED, "you said the red one")


async def test_a_conversation_is_had_in_one_call(client):
    answer = await client.ask("", skill="ask", on_question=lambda question: f"not {question}")
    assert answer == "you said not which one?"
    with pytest.raises(InputRequiredError):
        await client.ask("", skill="ask")


async def test_tasks_of_one_context_are_one_conversation(client):
    first = await client.send("one", skill="remember", context="talk")
    second = await client.send("two", skill="remember", context="talk")
    assert (first.context_id, second.context_id) == ("talk", "talk")
    assert second.task.artifacts[0].parts[0].data in (["one", "two"], {"value": ["one", "two"]})
    stream = client.stream("three", skill="remember", context="talk")
    assert {event.context_id async for event in stream} == {"talk"}


async def test_a_stream_is_put_together(client, way):
    stream = client.stream("", skill="chunks")
    events = [event async for event in stream]
    assert isinstance(events[0], Task) is (way[0] is not V0_1)
    assert any(isinstance(event, TaskArtifactUpdateEvent) for event in events)
    assert text_of(stream.view.task) == "one two three"
    assert stream.view.state is TaskState.COMPLETED
    assert await client.ask("", skill="chunks") == "one two three"


@only(*WITHOUT_0_1)
async def test_a_message_instead_of_a_task(client):
    answer = await client.send("for you", skill="reply")
    assert isinstance(answer, Message)
    assert answer.text == "for you"


@only(*WITHOUT_0_1)
async def test_a_send_waits_or_does_not_as_it_is_told(client, agent):
    handle = await client.start("gate", skill="hold")
    assert not handle.state.is_terminal
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(client.send("gate", skill="hold"))
        result = group.create_task(handle.result())
        agent.gates.open("gate")
    assert (result.result().state, handle.text) == (TaskState.COMPLETED, "held")
    assert waiting.result().state is TaskState.COMPLETED


async def begin(client, agent, skill, gate):
    """A task at work, and the stream that it was begun with, cut off."""
    stream = client.stream(gate, skill=skill)
    async with stream:
        while not stream.view.task_id or (skill == "drip" and not (stream.view.task.artifacts or ())):
            await anext(stream)
    return client.task(stream.view.task_id)


async def test_a_task_is_canceled(client, agent):
    handle = await begin(client, agent, "hold", "never")
    assert (await handle.cancel()).state is TaskState.CANCELED
    with pytest.raises(TaskNotCancelableError):
        await handle.cancel()


async def test_a_task_at_work_is_subscribed_to_and_nothing_is_lost_or_repeated(client, agent):
    handle = await begin(client, agent, "drip", "door")
    stream = client.subscribe(handle.id)
    async with stream:
        first = await anext(stream)
        assert isinstance(first, Task)
        assert text_of(first) == "drip "
        agent.gates.open("door")
        events = [event async for event in stream]
    assert text_of(stream.view.task) == "drip drop"
    assert events[-1].status.state is TaskState.COMPLETED
    said = [event.artifact.parts for event in events if isinstance(event, TaskArtifactUpdateEvent)]
    assert "".join(str(part.text) for parts in said for part in parts) == "drop"


async def test_a_task_that_has_ended_is_subscribed_to(client):
    handle = await client.send("hello")
    (event,) = [event async for event in client.subscribe(handle.id)]
    assert (event.state, text_of(event)) == (TaskState.COMPLETED, "hello")


async def test_webhooks_are_told(client, agent, way):
    async with Receiver() as receiver:
        handle = await begin(client, agent, "hold", "door")
        made = await client.create_push_config(handle.id, receiver.url, token="tok")
        assert (made.task_id, made.url, made.token) == (handle.id, receiver.url, "tok")
        assert await client.get_push_config(handle.id, made.id) == made
        agent.gates.open("door")
        taken = await receiver.until_state_03("completed")
    assert taken[-1].payload["id"] == handle.id
    assert taken[-1].headers["x-a2a-notification-token"] == "tok"


async def test_a_webhook_goes_with_the_message(client):
    async with Receiver() as receiver:
        handle = await client.send("hello", push=TaskPushNotificationConfig(url=receiver.url, token="tok"))
        taken = await receiver.until_state_03("completed")
    assert taken[-1].payload["id"] == handle.id


@only(*WITHOUT_0_1)
async def test_webhooks_are_listed_and_removed(client):
    handle = await client.send("", skill="ask")
    made = await client.create_push_config(handle.id, "http://127.0.0.1:9/hook", config_id="mine")
    assert [config async for config in client.list_push_configs(handle.id)] == [made]
    await client.delete_push_config(handle.id, "mine")
    assert [config async for config in client.list_push_configs(handle.id)] == []


async def test_files_and_data_come_back_as_they_went(client):
    sent = Part.of_bytes(bytes(range(256)), media_type="application/x-test", filename="größe.bin")
    assert (await client.send([sent], skill="file")).task.artifacts[0].parts == (sent,)
    for data in ({"größe": [1, None]}, [1, "two"], 7):
        back = await client.send([Part.of_data(data)], skill="mirror")
        assert back.task.artifacts[0].parts[0].data == data


async def test_history_comes_as_much_as_wanted(client):
    handle = await client.send("hello")
    assert (await client.get_task(handle.id)).history
    assert (await client.get_task(handle.id, history_length=0)).history == ()
    assert (await client.send("hello", history_length=0)).task.history == ()


@requirement("V03-09")
async def test_errors_are_those_of_1_0(client):
    done = await client.send("hello")
    with pytest.raises(TaskNotFoundError):
        await client.get_task("nobody")
    with pytest.raises(TaskNotCancelableError):
        await client.task(done.id).cancel()
    with pytest.raises((UnsupportedOperationError, InvalidParamsError)):
        await client.send("more", task=done.id)
    with pytest.raises(TaskFailedError, match="no seats"):
        await client.ask("", skill="fail")


@only("0.1", "0.2", "0.3", "0.3-rest")
async def test_what_the_generation_lacks_is_refused_before_anything_is_sent(client, recorder, way):
    with pytest.raises(UnsupportedOperationError, match=rf"A2A {way[0].value} has no ListTasks"):
        await anext(client.list_tasks())
    if way[0] is V0_1:
        with pytest.raises(UnsupportedOperationError, match=r"A2A 0\.1 has no DeleteTaskPush"):
            await client.delete_push_config("t", "c")
    assert recorder.seen == []


async def test_what_is_sent_is_what_the_generation_knows(client, recorder, way):
    await client.ask("hello")
    (seen,) = recorder.seen
    assert seen.headers.get("a2a-version") == ("0.3" if way[0] is V0_3 else None)
    assert "a2a-extensions" not in seen.headers
    assert ("x-a2a-extensions" in seen.headers) is (way[0] is not V0_1)
    if way[1] is Binding.REST:
        assert seen.path == "/v1/message:stream"
    else:
        assert seen.json["method"] == ("tasks/sendSubscribe" if way[0] is V0_1 else "message/stream")


@only("0.3", "0.2")
async def test_a_send_over_json_rpc_says_whether_it_waits(client, recorder):
    await client.send("hello")
    await client.send("hello", return_immediately=True)
    assert [seen.params["configuration"]["blocking"] for seen in recorder.seen] == [True, False]


@only(*WITHOUT_0_1)
async def test_extensions_are_active_that_the_agent_says_under_the_old_name(client):
    await client.ask("hello")
    assert "urn:dragoman:extensions:idempotency-key/v1" in client.active_extensions


@pytest.mark.parametrize("way", [WAYS[name] for name in WITHOUT_0_1], ids=WITHOUT_0_1)
@requirement("V03-09")
async def test_the_extended_card_takes_the_place_of_the_public_one(way):
    agent = Parrot(generations={way[0]}, authenticator=admit_by_name, extended_card=EXTENDED)
    async with agent.running(), Client(agent, bindings=[way[1]], auth=be_alice) as client:
        assert (await client.extended_card()).name == "Parrot for friends"
        assert await client.ask("hello") == "hello"
        assert client.generation is way[0]


async def be_alice(*_):
    return {"authorization": "Bearer alice"}


async def test_who_is_not_known_is_told_how_to_say_who_it_is(way):
    agent = Parrot(generations={way[0]}, authenticator=admit_by_name)
    async with agent.running(), Client(agent, bindings=[way[1]]) as client:
        with pytest.raises(UnauthenticatedError) as raised:
            await client.ask("hello")
    assert "parrot" in raised.value.challenge


# One agent of several generations


@requirement("MIG-01")
async def test_1_0_is_spoken_where_it_is_offered(caplog):
    agent = Parrot()
    async with agent.running(), Client(agent) as client:
        assert await client.ask("hello") == "hello"
        assert client.generation is V1_0
    assert "dragoman.client" not in {
        record.name for record in caplog.records if record.levelno >= logging.WARNING
    }


@requirement("MIG-04")
@pytest.mark.parametrize("way", list(WAYS.values()), ids=list(WAYS))
async def test_the_old_names_go_on_working_beside_the_new_ones(way):
    agent = Parrot()
    async with agent.running():
        # The card of an agent of all generations names 0.3 for all that are older.
        where = AgentInterface(url=BASE, protocol_binding=way[1].value, protocol_version=way[0].value)
        async with Client(agent) as client:
            card = replace(await client.card(), supported_interfaces=(where,))
        async with Client(card, http=AsgiHttp(agent)) as client:
            handle = await client.send("hello", skill="ask")
            assert client.generation is way[0]
        async with Client(agent, generations=[V1_0]) as client:
            if way[0] is not V0_1:
                assert isinstance(handle, TaskHandle)
                answered = await client.send("me", task=handle.id, context=handle.context_id)
                assert answered.text == "you said me"
            assert await client.ask("hello") == "hello"


async def test_an_old_agent_is_found_by_its_card_at_the_old_place():
    agent = Parrot(generations={V0_2})

    async def app(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/.well-known/agent-card.json":
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"not here"})
            return
        await agent(scope, receive, send)

    async with agent.running(), Client(BASE, http=AsgiHttp(app)) as client:
        assert await client.ask("hello") == "hello"
        assert client.generation is V0_2
