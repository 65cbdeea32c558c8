"""Our client drives an agent of the official SDK 0.3.26 over JSON-RPC and REST, over sockets."""

import asyncio

import pytest

from dragoman import Client, Message, Part, Role, TaskState
from dragoman.model import (
    AuthenticationInfo,
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
    TaskStatusUpdateEvent,
    UnsupportedOperationError,
)
from tests.interaction.peer_process import PYTHON_03, needs_peer_03, serving_peer
from tests.interaction.requirements import requirement
from tests.peer.receiver import Receiver

KINDS = {"jsonrpc": Binding.JSONRPC, "rest": Binding.REST}
UNICODE = "Grüße 👩‍🚀 שלום \u2028 e\u0301 \ufeff line\nbreak \x7f \U0010ffff"

pytestmark = [pytest.mark.slow, needs_peer_03]


@pytest.fixture(scope="module")
def unique():
    """A name that no other test uses, for the gates of the server."""
    counter = iter(range(10_000))
    return lambda: f"gate-{next(counter)}"


@pytest.fixture(scope="module")
def url():
    with serving_peer("tests.peer.official_server_03", python=PYTHON_03) as url:
        yield url


@pytest.fixture(params=list(KINDS))
async def client(request, url):
    async with Client(url, bindings=[KINDS[request.param]]) as client:
        yield client
        assert client.generation is Generation.V0_3
        assert client.interface is not None
        assert client.interface.protocol_binding == KINDS[request.param].value


async def release(client, gate):
    await client.send(f"open {gate}")


def text_of(task):
    return "".join(part.text for artifact in task.artifacts for part in artifact.parts)


@requirement("V03-09")
async def test_its_card_is_read_and_its_transport_chosen_by_the_rules(url):
    async with Client(url) as client:
        card = await client.card()
        assert card.name == "official 0.3"
        assert [(entry.protocol_binding, entry.protocol_version) for entry in card.supported_interfaces] == [
            ("JSONRPC", "0.3"),
            ("HTTP+JSON", "0.3"),
        ]
        assert client.generation is None
        await client.ask("hello")
        assert client.interface == card.supported_interfaces[0]


@requirement("V03-09")
async def test_it_is_asked_and_answers(client):
    assert await client.ask(UNICODE) == UNICODE
    handle = await client.send("hello")
    assert (handle.state, handle.text) == (TaskState.COMPLETED, "hello")
    assert (await handle.refresh()).artifacts == handle.task.artifacts


async def test_a_send_that_does_not_wait_is_followed_to_its_end(client, unique):
    gate = unique()
    handle = await client.start(f"hold {gate}")
    assert not handle.state.is_terminal
    async with asyncio.TaskGroup() as group:
        result = group.create_task(handle.result())
        await release(client, gate)
    assert result.result().state is TaskState.COMPLETED
    assert handle.text == "held"


async def test_a_message_instead_of_a_task(client):
    answer = await client.send("message for you")
    assert isinstance(answer, Message)
    assert answer.text == "message for you"
    (event,) = [event async for event in client.stream("message for you")]
    assert event.text == "message for you"
    assert await client.ask("message for you") == "message for you"


async def test_its_chunks_are_put_together(client):
    stream = client.stream("chunks")
    events = [event async for event in stream]
    pieces = [event for event in events if isinstance(event, TaskArtifactUpdateEvent)]
    assert [piece.append for piece in pieces] == [False, True, True]
    assert isinstance(events[0], Task)
    assert isinstance(events[-1], TaskStatusUpdateEvent)
    assert text_of(stream.view.task) == "one two three"
    assert await client.ask("chunks") == "one two three"


async def test_it_asks_back_and_is_answered(client):
    assert await client.ask("ask", on_question=lambda question: f"echo {question}") == "echo which one?"
    with pytest.raises(InputRequiredError):
        await client.ask("ask")


async def test_a_task_goes_on_by_a_reply(client):
    asked = await client.send("ask")
    assert asked.question.text == "which one?"
    answered = await asked.reply("echo red")
    assert answered is asked
    assert (answered.state, answered.text) == (TaskState.COMPLETED, "echo red")


@pytest.mark.parametrize("behaviour", ["fail", "reject"])
async def test_its_failures_are_raised_with_its_words(client, behaviour):
    with pytest.raises(TaskFailedError, match="no seats" if behaviour == "fail" else "not today"):
        await client.ask(behaviour)


async def test_a_task_is_read_with_as_much_history_as_wanted(client):
    handle = await client.send("hello")
    assert len((await client.get_task(handle.id)).history) == 1
    assert len((await client.get_task(handle.id, history_length=1)).history) == 1
    assert not (await client.get_task(handle.id, history_length=0)).history


async def test_it_is_told_to_cancel(client, unique):
    handle = await client.start(f"hold {unique()}")
    assert (await handle.cancel()).state is TaskState.CANCELED
    with pytest.raises(TaskNotCancelableError):
        await handle.cancel()


async def test_a_working_task_is_subscribed_to_and_nothing_is_lost_or_repeated(client, unique):
    """Its resubscribe has no snapshot, so the client looks at the task itself."""
    gate = unique()
    handle = await client.start(f"drip {gate}")
    while not (await handle.refresh()).artifacts:  # noqa: ASYNC110 - what is waited for offers no event
        await asyncio.sleep(0.01)
    stream = client.subscribe(handle.id)
    async with stream:
        first = await anext(stream)
        assert (first.id, text_of(first)) == (handle.id, "drip ")
        await release(client, gate)
        rest = [event async for event in stream]
    assert rest[-1].status.state is TaskState.COMPLETED
    assert text_of(stream.view.task) == "drip drop drop"
    assert "".join(event.artifact.parts[0].text for event in rest[:-1]) == "drop drop"


async def test_a_task_that_has_ended_is_subscribed_to(client):
    handle = await client.send("hello")
    (event,) = [event async for event in client.subscribe(handle.id)]
    assert (event.state, text_of(event)) == (TaskState.COMPLETED, "hello")
    with pytest.raises(TaskNotFoundError):
        await anext(client.subscribe("nobody"))


async def test_its_webhooks_are_made_read_and_told(client, unique):
    gate = unique()
    async with Receiver() as receiver:
        handle = await client.start(f"hold {gate}")
        login = AuthenticationInfo(scheme="Bearer", credentials="s3cret")
        made = await client.create_push_config(
            handle.id, receiver.url, token="tok", authentication=login, config_id="mine"
        )
        assert (made.id, made.task_id, made.url, made.token) == ("mine", handle.id, receiver.url, "tok")
        assert await client.get_push_config(handle.id, "mine") == made
        await release(client, gate)
        taken = await receiver.until_state_03("completed")
    assert {one.headers["x-a2a-notification-token"] for one in taken} == {"tok"}


async def test_a_webhook_can_go_with_the_message(client):
    async with Receiver() as receiver:
        handle = await client.send("hello", push=TaskPushNotificationConfig(url=receiver.url, token="tok"))
        taken = await receiver.until_state_03("completed")
    assert taken[-1].payload["id"] == handle.id


async def test_webhooks_are_listed_and_removed_over_json_rpc(url, unique):
    async with Client(url, bindings=[Binding.JSONRPC]) as client:
        handle = await client.start(f"hold {unique()}")
        await client.create_push_config(handle.id, "http://127.0.0.1:9/hook", config_id="mine")
        assert [config.id async for config in client.list_push_configs(handle.id)] == ["mine"]
        await client.delete_push_config(handle.id, "mine")
        assert [config.id async for config in client.list_push_configs(handle.id)] == []
        await handle.cancel()


async def test_its_extended_card_takes_the_place_of_the_public_one(client):
    assert (await client.extended_card()).name == "official 0.3 for friends"
    assert (await client.card()).name == "official 0.3 for friends"
    assert await client.ask("hello") == "hello"


@requirement("V03-09")
async def test_its_errors_are_ours(client):
    done = await client.send("hello")

    def follow_up(task_id, context_id=""):
        parts = (Part.of_text("more"),)
        return Message(message_id="m", role=Role.USER, parts=parts, task_id=task_id, context_id=context_id)

    with pytest.raises(TaskNotFoundError):
        await client.get_task("nobody")
    with pytest.raises(TaskNotFoundError):
        await client.send(follow_up("nobody"))
    with pytest.raises(InvalidParamsError):
        await client.send(follow_up(done.id))
    with pytest.raises(TaskNotCancelableError):
        await client.task(done.id).cancel()


async def test_what_0_3_lacks_is_refused_before_anything_is_sent(client):
    with pytest.raises(UnsupportedOperationError, match=r"A2A 0\.3 has no ListTasks"):
        await anext(client.list_tasks())


async def test_files_travel_both_ways_byte_for_byte(client):
    sent = Part.of_bytes(bytes(range(256)), media_type="application/x-test", filename="größe.bin")
    handle = await client.send([sent])
    assert handle.task.artifacts[0].parts == (sent,)
    made = (await client.send("file")).task.artifacts[0].parts
    assert made[0].raw == bytes(range(256))
    assert (made[0].filename, made[0].media_type) == ("all.bin", "application/octet-stream")
    assert made[1].data == {"größe": [1, None]}
