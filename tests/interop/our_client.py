"""Our client as a caller of the interop matrix."""

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from dragoman import Client, Message, Part, Role, Task
from dragoman.client import TaskHandle
from dragoman.model import TaskArtifactUpdateEvent, TaskState, TaskStatusUpdateEvent
from tests.peer.rows import NotOfferedError, Reply


class OurCaller:
    """Every row through the public client; nothing below it is touched."""

    def __init__(self, client: Client, generation: str) -> None:
        self._client = client
        self.generation = generation

    async def send(self, text: str, *, task_id: str = "", context_id: str = "", wait: bool = True) -> Reply:
        message = build_message(text, task_id, context_id)
        return read_answer(await self._client.send(message, return_immediately=not wait))

    async def send_file(self, content: bytes, media_type: str, name: str) -> Reply:
        return read_answer(
            await self._client.send([Part.of_bytes(content, media_type=media_type, filename=name)])
        )

    async def stream(self, text: str) -> AsyncIterator[Reply]:
        async with self._client.stream(text) as events:
            async for event in events:
                yield read_event(event)

    async def get(self, task_id: str) -> Reply:
        return read_task(await self._client.get_task(task_id))

    async def cancel(self, task_id: str) -> Reply:
        return read_task(await self._client.task(task_id).cancel())

    async def subscribe(self, task_id: str) -> AsyncIterator[Reply]:
        async with self._client.subscribe(task_id) as events:
            async for event in events:
                yield read_event(event)

    async def list_tasks(self, context_id: str) -> list[str]:
        if self.generation == "0.3":
            raise NotOfferedError("0.3 has no such operation")
        return [task.id async for task in self._client.list_tasks(context=context_id)]

    async def push(self, task_id: str, url: str, token: str) -> None:
        await self._client.create_push_config(task_id, url, token=token)

    async def extended_card(self) -> list[str]:
        return [skill.id for skill in (await self._client.extended_card()).skills]

    def name_error(self, error: Exception) -> str:
        return type(error).__name__


def build_message(text: str, task_id: str, context_id: str) -> Message:
    return Message(
        message_id=uuid4().hex,
        role=Role.USER,
        parts=(Part.of_text(text),),
        task_id=task_id,
        context_id=context_id,
    )


def read_answer(answer: TaskHandle | Message) -> Reply:
    return read_event(answer) if isinstance(answer, Message) else read_task(answer.task)


def read_event(event: Task | Message | TaskStatusUpdateEvent | TaskArtifactUpdateEvent) -> Reply:
    match event:
        case Task():
            return read_task(event)
        case Message():
            return Reply("message", text=event.text)
        case TaskStatusUpdateEvent():
            return Reply("status", event.task_id, state=read_state(event.status.state))
        case TaskArtifactUpdateEvent():
            return Reply("artifact", event.task_id, text=read_text(event.artifact.parts))


def read_task(task: Task) -> Reply:
    parts = [part for artifact in task.artifacts or () for part in artifact.parts]
    files = [(part.raw, part.media_type, part.filename) for part in parts if isinstance(part.raw, bytes)]
    state = read_state(task.status.state)
    return Reply("task", task.id, task.context_id, state, read_text(parts), tuple(files))


def read_text(parts: Sequence[Part]) -> str:
    return "".join(part.text or "" for part in parts)


def read_state(state: TaskState) -> str:
    return state.name.lower().replace("_", "-")
