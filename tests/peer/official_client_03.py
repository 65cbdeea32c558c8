# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""The official SDK 0.3.26 drives an agent through what 0.3 can do and prints what it saw, one JSON line per scenario.

Runs in its own environment: `python -m tests.peer.official_client_03 URL JSONRPC|HTTP+JSON|GRPC`.
"""

import asyncio
import base64
import json
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, ClientFactory
from a2a.client.client import ClientConfig
from a2a.types import (
    AgentCard,
    DataPart,
    FilePart,
    FileWithBytes,
    GetTaskPushNotificationConfigParams,
    Message,
    MessageSendConfiguration,
    MessageSendParams,
    Part,
    PushNotificationAuthenticationInfo,
    PushNotificationConfig,
    Role,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
    TextPart,
)

from tests.peer.receiver import Receiver

SCENARIO_SECONDS = 20
UNICODE = "Grüße 👩‍🚀 שלום e\u0301 line\nbreak"
ALL_BYTES = bytes(range(256))

Scenario = Callable[["Caller"], Awaitable[Any]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


class Caller:
    """The card as the SDK read it, and the transport that it chose."""

    def __init__(self, card: AgentCard, transport: Any) -> None:
        self.card = card
        self.transport = transport

    async def send(self, text: str = "", skill: str = "echo", **members: Any) -> Any:
        return await self.transport.send_message(params(text, skill, **members))


def params(text: str, skill: str, **members: Any) -> MessageSendParams:
    parts = members.pop("parts", None) or [Part(root=TextPart(text=text))]
    message = Message(
        message_id=uuid4().hex,
        role=Role.user,
        parts=parts,
        task_id=members.pop("task_id", None),
        context_id=members.pop("context_id", None),
    )
    configuration = MessageSendConfiguration(
        blocking=members.pop("blocking", True), push_notification_config=members.pop("push", None)
    )
    metadata = {"skill": skill} if skill else None
    return MessageSendParams(message=message, configuration=configuration, metadata=metadata)


def dump(record: Any) -> Any:
    return record.model_dump(mode="json", exclude_none=True)


async def collect(events: AsyncIterator[Any]) -> list[Any]:
    return [dump(event) async for event in events]


async def error_of(waiting: Awaitable[Any]) -> str:
    try:
        await waiting
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
        return f"{type(error).__name__}: {error}"
    return "no error"


@scenario
async def card(caller: Caller) -> Any:
    return dump(caller.card)


@scenario
async def send(caller: Caller) -> Any:
    return dump(await caller.send("hello"))


@scenario
async def reply(caller: Caller) -> Any:
    return dump(await caller.send("hello", "reply"))


@scenario
async def multi_turn(caller: Caller) -> Any:
    asked = await caller.send("", "ask")
    answered = await caller.send("the red one", "", task_id=asked.id)
    return {"asked": dump(asked), "answered": dump(answered)}


@scenario
async def stream(caller: Caller) -> Any:
    return await collect(caller.transport.send_message_streaming(params("", "chunks")))


@scenario
async def get(caller: Caller) -> Any:
    task = await caller.send("hello")
    return dump(await caller.transport.get_task(TaskQueryParams(id=task.id)))


@scenario
async def cancel(caller: Caller) -> Any:
    task = await caller.send(uuid4().hex, "hold", blocking=False)
    canceled = await caller.transport.cancel_task(TaskIdParams(id=task.id))
    again = await error_of(caller.transport.cancel_task(TaskIdParams(id=task.id)))
    return {"at_once": dump(task), "canceled": dump(canceled), "again": again}


@scenario
async def resubscribe(caller: Caller) -> Any:
    name = uuid4().hex
    task = await caller.send(name, "hold", blocking=False)
    events = caller.transport.resubscribe(TaskIdParams(id=task.id))
    first = dump(await anext(events))
    await caller.send(name, "release")
    return {"first": first, "rest": await collect(events)}


@scenario
async def webhooks(caller: Caller) -> Any:
    name = uuid4().hex
    task = await caller.send(name, "hold", blocking=False)
    async with Receiver() as receiver:
        config = TaskPushNotificationConfig(task_id=task.id, push_notification_config=push_to(receiver))
        made = await caller.transport.set_task_callback(config)
        query = GetTaskPushNotificationConfigParams(
            id=task.id, push_notification_config_id=made.push_notification_config.id
        )
        got = await caller.transport.get_task_callback(query)
        await caller.send(name, "release")
        taken = await receiver.until_state_03("completed")
    return {
        "task": task.id,
        "made": dump(made),
        "got": dump(got),
        "taken": [{"headers": one.headers, "payload": one.payload} for one in taken],
    }


@scenario
async def inline_webhook(caller: Caller) -> Any:
    async with Receiver() as receiver:
        task = await caller.send("hello", push=push_to(receiver))
        taken = await receiver.until_state_03("completed")
    return {"task": task.id, "taken": [{"headers": one.headers, "payload": one.payload} for one in taken]}


def push_to(receiver: Receiver) -> PushNotificationConfig:
    authentication = PushNotificationAuthenticationInfo(schemes=["Bearer"], credentials="s3cret")
    return PushNotificationConfig(id="p-1", url=receiver.url, token="tok-1", authentication=authentication)


@scenario
async def files(caller: Caller) -> Any:
    encoded = base64.b64encode(ALL_BYTES).decode()
    sent = FilePart(file=FileWithBytes(bytes=encoded, mime_type="application/x-test", name="größe.bin"))
    task = await caller.send("", "file", parts=[Part(root=sent)])
    back = task.artifacts[0].parts[0].root.file
    return {
        "same": base64.b64decode(back.bytes) == ALL_BYTES,
        "media_type": back.mime_type,
        "filename": back.name,
    }


@scenario
async def data(caller: Caller) -> Any:
    value = {"text": "ä", "list": [1, 2.5, True]}
    task = await caller.send("", "mirror", parts=[Part(root=DataPart(data=value))])
    return {"sent": value, "back": task.artifacts[0].parts[0].root.data}


@scenario
async def unicode(caller: Caller) -> Any:
    task = await caller.send(UNICODE)
    return {"sent": UNICODE, "back": task.artifacts[0].parts[0].root.text}


@scenario
async def errors(caller: Caller) -> Any:
    done = await caller.send("done")
    return {
        "unknown_task": await error_of(caller.transport.get_task(TaskQueryParams(id="nobody"))),
        "send_to_done": await error_of(caller.send("x", task_id=done.id)),
        "no_such_skill": await error_of(caller.send("x", "juggle")),
    }


async def run(caller: Caller, name: str) -> dict[str, Any]:
    try:
        async with asyncio.timeout(SCENARIO_SECONDS):
            return {"scenario": name, "seen": await SCENARIOS[name](caller)}
    except Exception as error:  # noqa: BLE001 - the other scenarios go on
        return {"scenario": name, "error": repr(error), "trace": traceback.format_exc()}


async def main(url: str, binding: str) -> None:
    async with httpx.AsyncClient(timeout=SCENARIO_SECONDS) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        config = ClientConfig(
            httpx_client=http,
            supported_transports=[binding],
            grpc_channel_factory=grpc.aio.insecure_channel,
        )
        caller = Caller(card, ClientFactory(config).create(card)._transport)
        for name in SCENARIOS:
            print(json.dumps(await run(caller, name)), flush=True)  # noqa: T201 - read by the test
        await caller.transport.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
