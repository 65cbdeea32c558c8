# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""The official SDK's client drives an agent through every operation and prints what it saw, one JSON line per scenario.

Runs in the peer environment: `python -m tests.peer.official_client URL JSONRPC|HTTP+JSON|GRPC`.
"""

import asyncio
import json
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, Client, ClientCallContext, ClientConfig, ClientFactory
from a2a.types import (
    AgentCard,
    AuthenticationInfo,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
    TaskPushNotificationConfig,
    TaskState,
)
from google.protobuf.json_format import MessageToDict, ParseDict

from tests.peer.receiver import Receiver

SCENARIO_SECONDS = 20
UNICODE = "Grüße 👩‍🚀 שלום \u2028 e\u0301 \ufeff line\nbreak \x7f \U0010ffff"
ALL_BYTES = bytes(range(256))

Scenario = Callable[["Caller"], Awaitable[Any]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


class Caller:
    """A client for each way to send, and shorthands for what most scenarios do."""

    def __init__(self, card: AgentCard, blocking: Client, streaming: Client) -> None:
        self.card = card
        self.blocking = blocking
        self.streaming = streaming

    async def send(self, text: str = "", skill: str = "echo", **members: Any) -> Task:
        answer = await self.answer(text, skill, **members)
        return answer.task

    async def answer(self, text: str = "", skill: str = "echo", **members: Any) -> Any:
        async for event in self.blocking.send_message(request(text, skill, **members)):
            return event
        raise AssertionError("the agent answered nothing")

    async def hold(self, name: str) -> Task:
        """A task that works until `release`."""
        return await self.send(name, "hold", immediate=True)

    async def release(self, name: str) -> None:
        await self.send(name, "release")


def request(text: str, skill: str, **members: Any) -> SendMessageRequest:
    message = Message(message_id=uuid4().hex, role=Role.ROLE_USER)
    message.parts.extend(members.pop("parts", None) or [Part(text=text)])
    for name in ("task_id", "context_id"):
        setattr(message, name, members.pop(name, ""))
    configuration = SendMessageConfiguration(return_immediately=members.pop("immediate", False))
    if push := members.pop("push", None):
        configuration.task_push_notification_config.CopyFrom(push)
    if (length := members.pop("history_length", None)) is not None:
        configuration.history_length = length
    result = SendMessageRequest(message=message, configuration=configuration)
    if skill:
        result.metadata.update({"skill": skill})
    return result


async def error_of(waiting: Awaitable[Any]) -> str:
    """The name of the exception that the SDK raises."""
    try:
        await waiting
    except Exception as error:  # noqa: BLE001 - whatever it is, its name is what the test wants
        return type(error).__name__
    return "no error"


async def collect(events: AsyncIterator[Any]) -> list[Any]:
    return [MessageToDict(event) async for event in events]


def dump(record: Any) -> Any:
    return MessageToDict(record)


@scenario
async def card(caller: Caller) -> Any:
    return dump(caller.card)


@scenario
async def send(caller: Caller) -> Any:
    return dump(await caller.send("hello"))


@scenario
async def immediate(caller: Caller) -> Any:
    name = uuid4().hex
    task = await caller.hold(name)
    at_once = TaskState.Name(task.status.state)
    events = caller.streaming.subscribe(SubscribeToTaskRequest(id=task.id))
    await anext(events)
    await caller.release(name)
    return {"at_once": at_once, "rest": await collect(events)}


@scenario
async def reply(caller: Caller) -> Any:
    return dump(await caller.answer("hello", "reply"))


@scenario
async def stream(caller: Caller) -> Any:
    return await collect(caller.streaming.send_message(request("", "chunks")))


@scenario
async def stream_of_a_message(caller: Caller) -> Any:
    return await collect(caller.streaming.send_message(request("hello", "reply")))


@scenario
async def get(caller: Caller) -> Any:
    asked = await caller.send("", "ask")
    task = await caller.send("the red one", "", task_id=asked.id)
    lengths: dict[str, int | None] = {"none": 0, "one": 1, "all": None}
    return {
        name: dump(await caller.blocking.get_task(GetTaskRequest(id=task.id, history_length=length)))
        for name, length in lengths.items()
    }


@scenario
async def list_tasks(caller: Caller) -> Any:
    context = (await caller.send("first")).context_id
    for text in ("second", "third"):
        await caller.send(text, context_id=context)
    parked = await caller.send("", "ask", context_id=context)
    pages: list[Any] = []
    token = ""
    while not pages or token:
        query = ListTasksRequest(context_id=context, page_size=3, page_token=token)
        page = await caller.blocking.list_tasks(query)
        token = page.next_page_token
        pages.append(dump(page))
    full = ListTasksRequest(context_id=context, include_artifacts=True, status=TaskState.TASK_STATE_COMPLETED)
    waiting = ListTasksRequest(context_id=context, status=TaskState.TASK_STATE_INPUT_REQUIRED)
    after = ListTasksRequest(context_id=context, status_timestamp_after=parked.status.timestamp)
    queries = {"with_artifacts": full, "waiting": waiting, "after": after}
    found = {name: dump(await caller.blocking.list_tasks(query)) for name, query in queries.items()}
    return {"pages": pages, "parked": parked.id, **found}


@scenario
async def cancel(caller: Caller) -> Any:
    task = await caller.hold(uuid4().hex)
    canceled = await caller.blocking.cancel_task(CancelTaskRequest(id=task.id))
    again = await error_of(caller.blocking.cancel_task(CancelTaskRequest(id=task.id)))
    return {"task": dump(canceled), "again": again}


@scenario
async def subscribe(caller: Caller) -> Any:
    name = uuid4().hex
    task = await caller.hold(name)
    streams = [caller.streaming.subscribe(SubscribeToTaskRequest(id=task.id)) for _ in range(2)]
    firsts = [dump(await anext(stream)) for stream in streams]
    await caller.release(name)
    rests = [await collect(stream) for stream in streams]
    too_late = await error_of(anext(caller.streaming.subscribe(SubscribeToTaskRequest(id=task.id))))
    unknown = await error_of(anext(caller.streaming.subscribe(SubscribeToTaskRequest(id="nobody"))))
    return {"firsts": firsts, "rests": rests, "too_late": too_late, "unknown": unknown}


@scenario
async def push_configurations(caller: Caller) -> Any:
    client = caller.blocking
    task = await caller.hold(uuid4().hex)
    config = TaskPushNotificationConfig(task_id=task.id, url="http://127.0.0.1:9/hook", token="t1")
    created = await client.create_task_push_notification_config(config)
    config.id = "mine"
    await client.create_task_push_notification_config(config)
    got = GetTaskPushNotificationConfigRequest(task_id=task.id, id=created.id)
    listed = ListTaskPushNotificationConfigsRequest(task_id=task.id)
    gone = DeleteTaskPushNotificationConfigRequest(task_id=task.id, id=created.id)
    seen = {
        "created": dump(created),
        "got": dump(await client.get_task_push_notification_config(got)),
        "listed": dump(await client.list_task_push_notification_configs(listed)),
        "deleted": await client.delete_task_push_notification_config(gone),
        "deleted_again": await client.delete_task_push_notification_config(gone),
        "left": dump(await client.list_task_push_notification_configs(listed)),
        "missing": await error_of(client.get_task_push_notification_config(got)),
    }
    unknown = TaskPushNotificationConfig(task_id="nobody", url="http://127.0.0.1:9/hook")
    seen["unknown_task"] = await error_of(client.create_task_push_notification_config(unknown))
    await client.cancel_task(CancelTaskRequest(id=task.id))
    return seen


@scenario
async def webhook(caller: Caller) -> Any:
    name = uuid4().hex
    task = await caller.hold(name)
    async with Receiver() as receiver:
        await caller.blocking.create_task_push_notification_config(push_to(receiver, task_id=task.id))
        await caller.release(name)
        taken = await receiver.until_state("TASK_STATE_COMPLETED")
    return {"task": task.id, "taken": [{"headers": one.headers, "payload": one.payload} for one in taken]}


@scenario
async def inline_webhook(caller: Caller) -> Any:
    async with Receiver() as receiver:
        task = await caller.send("hello", push=push_to(receiver))
        taken = await receiver.until_state("TASK_STATE_COMPLETED")
    listed = ListTaskPushNotificationConfigsRequest(task_id=task.id)
    configs = await caller.blocking.list_task_push_notification_configs(listed)
    return {
        "task": task.id,
        "taken": [{"headers": one.headers, "payload": one.payload} for one in taken],
        "configs": dump(configs),
    }


def push_to(receiver: Receiver, task_id: str = "") -> TaskPushNotificationConfig:
    authentication = AuthenticationInfo(scheme="Bearer", credentials="s3cret")
    return TaskPushNotificationConfig(
        task_id=task_id, url=receiver.url, token="tok-1", authentication=authentication
    )


@scenario
async def extended_card(caller: Caller) -> Any:
    """The SDK asks only where the card promises one, so the promise is added to its copy of the card."""
    caller.card.capabilities.extended_agent_card = True
    try:
        return await error_of(caller.blocking.get_extended_agent_card(GetExtendedAgentCardRequest()))
    finally:
        caller.card.capabilities.extended_agent_card = False


@scenario
async def multi_turn(caller: Caller) -> Any:
    asked = await caller.send("", "ask")
    answered = await caller.send("the red one", "", task_id=asked.id)
    return {"asked": dump(asked), "answered": dump(answered)}


@scenario
async def failure(caller: Caller) -> Any:
    return {"fail": dump(await caller.send("", "fail")), "crash": dump(await caller.send("", "crash"))}


@scenario
async def errors(caller: Caller) -> Any:
    done = await caller.send("done")
    parked = await caller.send("", "ask")
    client = caller.blocking
    picture = [Part(raw=b"\x89PNG", media_type="image/png")]
    other_version = ClientCallContext(service_parameters={"A2A-Version": "9.9"})
    return {
        "unknown_task": await error_of(client.get_task(GetTaskRequest(id="nobody"))),
        "cancel_unknown": await error_of(client.cancel_task(CancelTaskRequest(id="nobody"))),
        "cancel_done": await error_of(client.cancel_task(CancelTaskRequest(id=done.id))),
        "send_to_unknown": await error_of(caller.send("x", task_id="nobody")),
        "send_to_done": await error_of(caller.send("x", task_id=done.id)),
        "context_mismatch": await error_of(
            caller.send("x", "", task_id=parked.id, context_id=done.context_id)
        ),
        "page_size": await error_of(client.list_tasks(ListTasksRequest(page_size=1000))),
        "page_token": await error_of(client.list_tasks(ListTasksRequest(page_token="nonsense"))),
        "history_length": await error_of(client.get_task(GetTaskRequest(id=done.id, history_length=-5))),
        "no_parts": await error_of(anext(client.send_message(without_parts()))),
        "no_such_skill": await error_of(caller.send("x", "juggle")),
        "content_type": await error_of(caller.send("", "letters", parts=picture)),
        "version": await error_of(client.get_task(GetTaskRequest(id=done.id), context=other_version)),
        "stream_to_done": await error_of(
            anext(caller.streaming.send_message(request("x", "echo", task_id=done.id)))
        ),
    }


def without_parts() -> SendMessageRequest:
    broken = request("x", "echo")
    del broken.message.parts[:]
    return broken


@scenario
async def files(caller: Caller) -> Any:
    sent = Part(raw=ALL_BYTES, media_type="application/x-test", filename="größe.bin")
    task = await caller.send("", "file", parts=[sent])
    back = task.artifacts[0].parts[0]
    return {
        "same": back.raw == ALL_BYTES,
        "media_type": back.media_type,
        "filename": back.filename,
    }


@scenario
async def unicode(caller: Caller) -> Any:
    task = await caller.send(UNICODE)
    events = await collect(caller.streaming.send_message(request(UNICODE, "echo")))
    artifact = next(event["artifactUpdate"] for event in events if "artifactUpdate" in event)
    return {
        "sent": UNICODE,
        "blocking": task.artifacts[0].parts[0].text,
        "streamed": artifact["artifact"]["parts"][0]["text"],
    }


@scenario
async def data(caller: Caller) -> Any:
    value: dict[str, Any] = {"text": "ä", "list": [1, 2.5, None, True, {"deep": []}], "größe": {"": 0}}
    task = await caller.send("", "mirror", parts=[ParseDict({"data": {"value": value}}, Part())])
    return {"sent": value, "back": dump(task.artifacts[0].parts[0])["data"]}


async def run(caller: Caller, name: str) -> dict[str, Any]:
    try:
        async with asyncio.timeout(SCENARIO_SECONDS):
            start = time.monotonic()
            seen = await SCENARIOS[name](caller)
            return {"scenario": name, "seen": seen, "seconds": round(time.monotonic() - start, 3)}
    except Exception as error:  # noqa: BLE001 - the other scenarios go on
        return {"scenario": name, "error": repr(error), "trace": traceback.format_exc()}


async def main(url: str, binding: str) -> None:
    async with httpx.AsyncClient(timeout=SCENARIO_SECONDS) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        clients = [
            ClientFactory(
                ClientConfig(
                    streaming=streams,
                    httpx_client=http,
                    grpc_channel_factory=grpc.aio.insecure_channel,
                    supported_protocol_bindings=[binding],
                )
            ).create(card)
            for streams in (False, True)
        ]
        caller = Caller(card, *clients)
        for name in SCENARIOS:
            print(json.dumps(await run(caller, name)), flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
