"""Our client drives an agent of the official SDK through every operation, over sockets."""

import asyncio
from typing import Any

import pytest

from dragoman import Client, Message, Part, Role, TaskState
from dragoman.model import (
    AuthenticationInfo,
    Binding,
    ExtendedAgentCardNotConfiguredError,
    InputRequiredError,
    InvalidParamsError,
    ListTasksRequest,
    TaskArtifactUpdateEvent,
    TaskFailedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    TaskStatusUpdateEvent,
    UnsupportedOperationError,
)
from tests.interaction.peer_process import needs_peer, serving_peer
from tests.peer.receiver import Receiver

KINDS = {"jsonrpc": Binding.JSONRPC, "rest": Binding.REST, "grpc": Binding.GRPC}
UNICODE = "Grüße 👩‍🚀 שלום \u2028 e\u0301 \ufeff line\nbreak \x7f \U0010ffff"

pytestmark = [pytest.mark.slow, needs_peer]


@pytest.fixture(scope="module")
def unique():
    """A name that no other test uses, for the gates of the server."""
    counter = iter(range(10_000))
    return lambda: f"gate-{next(counter)}"


@pytest.fixture(scope="module")
def url():
    with serving_peer("tests.peer.official_server") as url:
        yield url


@pytest.fixture(params=list(KINDS))
async def client(request, url):
    async with Client(url, bindings=[KINDS[request.param]]) as client:
        yield client


async def release(client, gate):
    await client.send(f"open {gate}")


async def test_its_card_is_read(client):
    card = await client.card()
    assert card.name == "official"
    assert [entry.protocol_binding for entry in card.supported_interfaces] == [
        "JSONRPC",
        "HTTP+JSON",
        "GRPC",
    ]


async def test_it_is_asked_and_answers(client):
    assert await client.ask("hello") == "hello"
    handle = await client.send("hello")
    assert handle.state is TaskState.COMPLETED
    assert handle.text == "hello"


async def test_a_send_that_does_not_wait_is_followed_to_its_end(client, unique):
    gate = unique()
    handle = await client.send(f"hold {gate}", return_immediately=True)
    assert not handle.state.is_terminal
    async with asyncio.TaskGroup() as group:
        result = group.create_task(handle.result())
        await release(client, gate)
    assert result.result().state is TaskState.COMPLETED
    assert handle.text == "held"


async def test_a_message_instead_of_a_task(client):
    reply = await client.send("message for you")
    assert isinstance(reply, Message)
    assert reply.text == "message for you"
    (event,) = [event async for event in client.stream("message for you")]
    assert event.text == "message for you"
    assert await client.ask("message for you") == "message for you"


async def test_its_chunks_are_put_together(client):
    stream = client.stream("chunks")
    events = [event async for event in stream]
    pieces = [event for event in events if isinstance(event, TaskArtifactUpdateEvent)]
    assert [piece.append for piece in pieces] == [False, True, True]
    assert isinstance(events[-1], TaskStatusUpdateEvent)
    assert stream.view.task.state is TaskState.COMPLETED
    assert "".join(part.text for part in stream.view.task.artifacts[0].parts) == "one two three"
    assert await client.ask("chunks") == "one two three"


async def test_it_asks_back_and_is_answered(client):
    answered = await client.ask("ask", on_question=lambda question: f"echo {question}")
    assert answered == "echo which one?"
    with pytest.raises(InputRequiredError):
        await client.ask("ask")


async def test_a_task_goes_on_by_its_id_alone(client):
    asked = await client.send("ask")
    answer = Message(message_id="m1", role=Role.USER, parts=(Part.of_text("echo red"),), task_id=asked.id)
    answered = await client.send(answer)
    assert (answered.id, answered.context_id) == (asked.id, asked.context_id)
    assert answered.state is TaskState.COMPLETED


@pytest.mark.parametrize("behaviour", ["fail", "reject"])
async def test_its_failures_are_raised_with_its_words(client, behaviour):
    with pytest.raises(TaskFailedError, match="no seats" if behaviour == "fail" else "not today"):
        await client.ask(behaviour)


async def test_a_crash_of_its_handler_is_an_error_or_a_failed_task(client):
    with pytest.raises(Exception, match=r".") as raised:
        await client.ask("raise")
    assert raised.type.__module__.startswith("dragoman.")


async def test_a_task_is_read_with_as_much_history_as_wanted(client):
    handle = await client.send("hello")
    assert (await client.get_task(handle.id)).artifacts
    assert not (await client.get_task(handle.id, history_length=0)).history
    assert len((await client.get_task(handle.id, history_length=1)).history) == 1


async def test_tasks_are_listed_over_all_pages_and_by_filter(client):
    first = await client.send("one")
    for text in ("two", "three"):
        await client.send(text, context=first.context_id)
    await client.send("ask", context=first.context_id)
    tasks = [task async for task in client.list_tasks(context=first.context_id, page_size=3)]
    assert len({task.id for task in tasks}) == 4
    assert not any(task.artifacts for task in tasks)
    done = client.list_tasks(context=first.context_id, status=TaskState.COMPLETED, include_artifacts=True)
    assert [bool(task.artifacts) async for task in done] == [True] * 3
    page = await client.list_page(ListTasksRequest(context_id=first.context_id, page_size=1))
    assert (page.total_size, len(page.tasks), bool(page.next_page_token)) == (4, 1, True)
    asked = next(task for task in tasks if task.state is TaskState.INPUT_REQUIRED)
    late = client.list_tasks(context=first.context_id, after=asked.status.timestamp)
    assert asked.id in {task.id async for task in late}


async def test_it_is_told_to_cancel(client, unique):
    handle = await client.send(f"hold {unique()}", return_immediately=True)
    assert (await handle.cancel()).state is TaskState.CANCELED
    with pytest.raises(TaskNotCancelableError):
        await handle.cancel()


async def test_a_working_task_is_subscribed_to_from_its_snapshot_on(client, unique):
    gate = unique()
    handle = await client.send(f"hold {gate}", return_immediately=True)
    stream = client.subscribe(handle.id)
    async with stream:
        first = await anext(stream)
        assert first.id == handle.id
        await release(client, gate)
        rest = [event async for event in stream]
    assert rest[-1].status.state is TaskState.COMPLETED
    assert stream.view.task.artifacts[0].parts[0].text == "held"


async def test_push_configurations_are_made_read_listed_and_removed(client, unique):
    handle = await client.send(f"hold {unique()}", return_immediately=True)
    made = await client.create_push_config(handle.id, "http://127.0.0.1:9/hook", token="t1", config_id="mine")
    assert (made.id, made.url, made.token) == ("mine", "http://127.0.0.1:9/hook", "t1")
    assert await client.get_push_config(handle.id, "mine") == made
    assert [config.id async for config in client.list_push_configs(handle.id)] == ["mine"]
    await client.delete_push_config(handle.id, "mine")
    await client.delete_push_config(handle.id, "mine")
    assert [config.id async for config in client.list_push_configs(handle.id)] == []
    with pytest.raises(TaskNotFoundError):
        await client.get_push_config(handle.id, "mine")
    await handle.cancel()


async def test_its_webhooks_arrive(client, unique):
    gate = unique()
    async with Receiver() as receiver:
        handle = await client.send(f"hold {gate}", return_immediately=True)
        login = AuthenticationInfo(scheme="Bearer", credentials="s3cret")
        await client.create_push_config(handle.id, receiver.url, token="tok", authentication=login)
        await release(client, gate)
        taken = await receiver.until_state("TASK_STATE_COMPLETED")
    assert {one.headers["authorization"] for one in taken} == {"Bearer s3cret"}
    assert {one.headers["x-a2a-notification-token"] for one in taken} == {"tok"}


async def test_a_webhook_can_go_with_the_message(client):
    async with Receiver() as receiver:
        handle = await client.send("hello", push=TaskPushNotificationConfig(url=receiver.url, token="tok"))
        taken = await receiver.until_state("TASK_STATE_COMPLETED")
    assert handle.id in str([one.payload for one in taken])


async def test_an_extended_card_that_it_promises_and_has_not_is_an_error(client):
    with pytest.raises(ExtendedAgentCardNotConfiguredError):
        await client.extended_card()


async def test_its_errors_are_ours(client):
    done = await client.send("hello")
    asking = await client.send("ask")

    def follow_up(task_id, context_id=""):
        parts = (Part.of_text("more"),)
        return Message(message_id="m", role=Role.USER, parts=parts, task_id=task_id, context_id=context_id)

    with pytest.raises(TaskNotFoundError):
        await client.get_task("nobody")
    with pytest.raises(TaskNotFoundError):
        await client.send(follow_up("nobody"))
    with pytest.raises(UnsupportedOperationError):
        await client.send(follow_up(done.id))
    with pytest.raises(InvalidParamsError):
        await client.send(follow_up(asking.id, done.context_id))
    with pytest.raises(InvalidParamsError):
        await client.list_page(ListTasksRequest(page_size=1000))
    with pytest.raises(InvalidParamsError):
        await client.list_page(ListTasksRequest(page_token="nonsense"))
    with pytest.raises(TaskNotCancelableError):
        await client.task(done.id).cancel()


async def test_files_travel_both_ways_byte_for_byte(client):
    sent = Part.of_bytes(bytes(range(256)), media_type="application/x-test", filename="größe.bin")
    handle = await client.send([sent])
    assert handle.task.artifacts[0].parts == (sent,)
    made = (await client.send("file")).task.artifacts[0].parts
    assert made[0].raw == bytes(range(256))
    assert (made[0].filename, made[0].media_type) == ("all.bin", "application/octet-stream")
    assert made[1].data == {"größe": [1, None]}


async def test_text_travels_both_ways_sign_for_sign(client):
    assert await client.ask(UNICODE) == UNICODE
    handle = await client.send(UNICODE)
    assert handle.text == UNICODE


async def test_data_travel_both_ways_value_for_value(client):
    value: dict[str, Any] = {"text": "ä", "list": [1, 2.5, None, True, {"deep": []}], "größe": {"": 0}}
    handle = await client.send(value)
    assert handle.task.artifacts[0].parts[0].data == value
