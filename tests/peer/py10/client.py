# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""The client of a2a-sdk 1.x runs the rows: `python -m tests.peer.py10.client URL JSONRPC|HTTP+JSON|GRPC`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    GetExtendedAgentCardRequest,
    GetTaskRequest,
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
    TaskStatus,
)

from tests.peer.rows import ROW_SECONDS, Reply, report


class OfficialCaller:
    """Speaks through two clients of the SDK: how it sends is fixed when a client is made."""

    generation = "1.0"

    def __init__(self, blocking: Client, streaming: Client) -> None:
        self._blocking = blocking
        self._streaming = streaming

    async def send(self, text: str, *, task_id: str = "", context_id: str = "", wait: bool = True) -> Reply:
        message = build_message([Part(text=text)], task_id, context_id)
        return await self._send(message, wait=wait)

    async def send_file(self, content: bytes, media_type: str, name: str) -> Reply:
        return await self._send(build_message([Part(raw=content, media_type=media_type, filename=name)]))

    async def _send(self, message: Message, *, wait: bool = True) -> Reply:
        configuration = SendMessageConfiguration(return_immediately=not wait)
        request = SendMessageRequest(message=message, configuration=configuration)
        (answer,) = [event async for event in self._blocking.send_message(request)]
        return read_event(answer)

    async def stream(self, text: str) -> AsyncIterator[Reply]:
        request = SendMessageRequest(message=build_message([Part(text=text)]))
        async for event in self._streaming.send_message(request):
            yield read_event(event)

    async def get(self, task_id: str) -> Reply:
        return read_task(await self._blocking.get_task(GetTaskRequest(id=task_id)))

    async def cancel(self, task_id: str) -> Reply:
        return read_task(await self._blocking.cancel_task(CancelTaskRequest(id=task_id)))

    async def subscribe(self, task_id: str) -> AsyncIterator[Reply]:
        async for event in self._streaming.subscribe(SubscribeToTaskRequest(id=task_id)):
            yield read_event(event)

    async def list_tasks(self, context_id: str) -> list[str]:
        page = await self._blocking.list_tasks(ListTasksRequest(context_id=context_id))
        return [task.id for task in page.tasks]

    async def push(self, task_id: str, url: str, token: str) -> None:
        config = TaskPushNotificationConfig(task_id=task_id, url=url, token=token)
        await self._blocking.create_task_push_notification_config(config)

    async def extended_card(self) -> list[str]:
        card = await self._blocking.get_extended_agent_card(GetExtendedAgentCardRequest())
        return [skill.id for skill in card.skills]

    def name_error(self, error: Exception) -> str:
        return type(error).__name__


def build_message(parts: list[Part], task_id: str = "", context_id: str = "") -> Message:
    return Message(
        message_id=uuid4().hex, role=Role.ROLE_USER, parts=parts, task_id=task_id, context_id=context_id
    )


def read_event(event: Any) -> Reply:
    """A response of a send or of a stream: both have the same members."""
    match event.WhichOneof("payload"):
        case "task":
            return read_task(event.task)
        case "status_update":
            return Reply("status", event.status_update.task_id, state=read_state(event.status_update.status))
        case "artifact_update":
            update = event.artifact_update
            return Reply(
                "artifact", update.task_id, text="".join(part.text for part in update.artifact.parts)
            )
        case _:
            return Reply("message", text="".join(part.text for part in event.message.parts))


def read_task(task: Task) -> Reply:
    parts = [part for artifact in task.artifacts for part in artifact.parts]
    files = [(part.raw, part.media_type, part.filename) for part in parts if part.HasField("raw")]
    text = "".join(part.text for part in parts)
    return Reply("task", task.id, task.context_id, read_state(task.status), text, tuple(files))


def read_state(status: TaskStatus) -> str:
    return str(TaskState.Name(status.state)).removeprefix("TASK_STATE_").lower().replace("_", "-")


def make_client(card: AgentCard, http: httpx.AsyncClient, binding: str, *, streaming: bool) -> Client:
    config = ClientConfig(
        streaming=streaming,
        httpx_client=http,
        grpc_channel_factory=grpc.aio.insecure_channel,
        supported_protocol_bindings=[binding],
    )
    return ClientFactory(config).create(card)


async def main(url: str, binding: str) -> None:
    async with httpx.AsyncClient(timeout=ROW_SECONDS) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        clients = [make_client(card, http, binding, streaming=streaming) for streaming in (False, True)]
        await report(OfficialCaller(*clients))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
