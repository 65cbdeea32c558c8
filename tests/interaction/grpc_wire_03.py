"""Our transport for 0.3 over gRPC, without a client around it."""

from contextlib import asynccontextmanager
from typing import Any

from dragoman.client.dialing import open_grpc
from dragoman.client.options import Options
from dragoman.model import (
    CancelTaskRequest,
    Generation,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SubscribeToTaskRequest,
    operations,
)


class Third:
    """Calls of 0.3 to one address."""

    def __init__(self, transport: Any, noted: list[str]) -> None:
        self.transport = transport
        self.noted = noted

    async def call(self, operation: Any, request: Any, **headers: str) -> Any:
        return await self.transport.call(operation, request, headers=dashed(headers), idle=10)

    async def send(self, *parts: Part | str, skill: str = "", at_once: bool = False, **message: Any) -> Any:
        answer = await self.call(operations.SEND_MESSAGE, say(parts, skill, at_once, message))
        return answer.task or answer.message

    async def get(self, task_id: str) -> Any:
        return await self.call(operations.GET_TASK, GetTaskRequest(id=task_id))

    async def cancel(self, task_id: str) -> Any:
        return await self.call(operations.CANCEL_TASK, CancelTaskRequest(id=task_id))

    async def stream(self, *parts: Part | str, skill: str = "") -> Any:
        request = say(parts, skill, False, {})
        return await self.transport.open(operations.SEND_STREAMING_MESSAGE, request, headers={}, idle=10)

    async def subscribe(self, task_id: str) -> Any:
        request = SubscribeToTaskRequest(id=task_id)
        return await self.transport.open(operations.SUBSCRIBE_TO_TASK, request, headers={}, idle=10)


def say(parts: Any, skill: str, at_once: bool, message: dict[str, Any]) -> SendMessageRequest:
    said = tuple(Part.of_text(part) if isinstance(part, str) else part for part in parts)
    return SendMessageRequest(
        message=Message(message_id="m-1", role=Role.USER, parts=said, **message),
        configuration=SendMessageConfiguration(return_immediately=at_once),
        metadata={"skill": skill} if skill else None,
    )


def dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


async def collect(source: Any) -> list[Any]:
    events = []
    while (event := await source.read()) is not None:
        events.append(event.payload)
    return events


@asynccontextmanager
async def dialing(address: str):
    """A transport to an address, as `host:port`."""
    noted: list[str] = []
    transport = open_grpc(address, Options(), is_secure=False, note=noted.append, generation=Generation.V0_3)
    try:
        yield Third(transport, noted)
    finally:
        await transport.close()
