# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""The client of a2a-sdk 0.3 runs the rows: `python -m tests.peer.py03.client URL JSONRPC|HTTP+JSON|GRPC`."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientHTTPError, A2AClientJSONRPCError
from a2a.types import (
    AgentCard,
    FilePart,
    FileWithBytes,
    Message,
    MessageSendConfiguration,
    Part,
    PushNotificationConfig,
    Role,
    Task,
    TaskArtifactUpdateEvent,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
    TaskStatusUpdateEvent,
    TextPart,
)

from tests.peer.rows import ROW_SECONDS, NotOfferedError, Reply, report

JSONRPC_CODES = {-32001: "TaskNotFoundError", -32002: "TaskNotCancelableError"}
# REST of 0.3 tells errors by the status alone, as this SDK reads it, and gRPC by its own codes.
STATUSES = {404: "TaskNotFoundError", 409: "TaskNotCancelableError", 400: "TaskNotCancelableError"}
GRPC_CODES = {
    "NOT_FOUND": "TaskNotFoundError",
    "UNIMPLEMENTED": "TaskNotCancelableError",
    "FAILED_PRECONDITION": "TaskNotCancelableError",
}


class OfficialCaller:
    """Speaks through two clients of the SDK: how it sends is fixed when a client is made."""

    generation = "0.3"

    def __init__(self, blocking: Client, streaming: Client) -> None:
        self._blocking = blocking
        self._streaming = streaming

    async def send(self, text: str, *, task_id: str = "", context_id: str = "", wait: bool = True) -> Reply:
        message = build_message([text_part(text)], task_id, context_id)
        return await self._send(message, wait=wait)

    async def send_file(self, content: bytes, media_type: str, name: str) -> Reply:
        file = FileWithBytes(bytes=base64.b64encode(content).decode(), mime_type=media_type, name=name)
        return await self._send(build_message([Part(root=FilePart(file=file))]))

    async def _send(self, message: Message, *, wait: bool = True) -> Reply:
        configuration = MessageSendConfiguration(blocking=wait)
        answers = self._blocking.send_message(message, configuration=configuration)
        (answer,) = [event async for event in answers]
        return read_event(answer)

    async def stream(self, text: str) -> AsyncIterator[Reply]:
        async for event in self._streaming.send_message(build_message([text_part(text)])):
            yield read_event(event)

    async def get(self, task_id: str) -> Reply:
        return read_task(await self._blocking.get_task(TaskQueryParams(id=task_id)))

    async def cancel(self, task_id: str) -> Reply:
        return read_task(await self._blocking.cancel_task(TaskIdParams(id=task_id)))

    async def subscribe(self, task_id: str) -> AsyncIterator[Reply]:
        async for event in self._streaming.resubscribe(TaskIdParams(id=task_id)):
            yield read_event(event)

    async def list_tasks(self, context_id: str) -> list[str]:
        raise NotOfferedError("0.3 has no such operation")

    async def push(self, task_id: str, url: str, token: str) -> None:
        config = PushNotificationConfig(id="hook", url=url, token=token)
        await self._blocking.set_task_callback(
            TaskPushNotificationConfig(task_id=task_id, push_notification_config=config)
        )

    async def extended_card(self) -> list[str]:
        return [skill.id for skill in (await self._blocking.get_card()).skills]

    def name_error(self, error: Any) -> str:
        name = None
        if isinstance(error, A2AClientJSONRPCError):
            name = JSONRPC_CODES.get(error.error.code)
        elif isinstance(error, A2AClientHTTPError) and "Invalid SSE response" not in error.message:
            name = STATUSES.get(error.status_code)
        elif isinstance(error, grpc.aio.AioRpcError):
            name = GRPC_CODES.get(error.code().name)
        return name or repr(error)


def text_part(text: str) -> Part:
    return Part(root=TextPart(text=text))


def build_message(parts: list[Part], task_id: str = "", context_id: str = "") -> Message:
    return Message(
        message_id=uuid4().hex,
        role=Role.user,
        parts=parts,
        task_id=task_id or None,
        context_id=context_id or None,
    )


def read_event(event: Any) -> Reply:
    """What the client gives: a message, or the task as it stands with the update that made it so."""
    if isinstance(event, Message):
        return Reply("message", text=read_text(event.parts))
    task, update = event
    if isinstance(update, TaskStatusUpdateEvent):
        return Reply("status", update.task_id, state=str(update.status.state.value))
    if isinstance(update, TaskArtifactUpdateEvent):
        return Reply("artifact", update.task_id, text=read_text(update.artifact.parts))
    return read_task(task)


def read_task(task: Task) -> Reply:
    parts = [part for artifact in task.artifacts or () for part in artifact.parts]
    files = [
        (base64.b64decode(part.root.file.bytes), part.root.file.mime_type, part.root.file.name)
        for part in parts
        if isinstance(part.root, FilePart)
    ]
    state = str(task.status.state.value)
    return Reply("task", task.id, task.context_id, state, read_text(parts), tuple(files))


def read_text(parts: Sequence[Part]) -> str:
    return "".join(part.root.text for part in parts if isinstance(part.root, TextPart))


def make_client(card: AgentCard, http: httpx.AsyncClient, binding: str, *, streaming: bool) -> Client:
    config = ClientConfig(
        streaming=streaming,
        httpx_client=http,
        grpc_channel_factory=grpc.aio.insecure_channel,
        supported_transports=[binding],
    )
    return ClientFactory(config).create(card)


async def main(url: str, binding: str) -> None:
    async with httpx.AsyncClient(timeout=ROW_SECONDS) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        clients = [make_client(card, http, binding, streaming=streaming) for streaming in (False, True)]
        await report(OfficialCaller(*clients))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
