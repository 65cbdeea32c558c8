"""A question and its answer, with what the agent asks back in between."""

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dragoman.client.content import Content, has_files, read_text
from dragoman.client.deadlines import Deadline
from dragoman.client.folding import TaskView
from dragoman.client.sending import Outgoing, Sender
from dragoman.client.streams import EventStream
from dragoman.model import JSON, InputRequiredError, NoTextError, Task, TaskFailedError, TaskState
from dragoman.model.extensions import load_question_schema


class Question(Struct, frozen=True):
    """What the agent asks back. `task` is INPUT_REQUIRED, or AUTH_REQUIRED when it waits for credentials."""

    task: Task

    @property
    def text(self) -> str:
        message = self.task.status.message
        return read_text(message) if message is not None else ""

    @property
    def schema(self) -> dict[str, JSON] | None:
        """The JSON Schema of the answer, if the agent says it (docs/extensions)."""
        return load_question_schema(self.task.status.message)

    @property
    def is_about_credentials(self) -> bool:
        return self.task.state is TaskState.AUTH_REQUIRED

    def __str__(self) -> str:
        return self.text


OnQuestion: TypeAlias = Callable[[Question], Content | Awaitable[Content]]
"""Gives the answer, or None: there is none, or the agent gets what it needs by another way and is waited for."""


class Conversation:
    """One `ask`: it ends when the agent has nothing more to ask."""

    def __init__(self, sender: Sender, on_question: OnQuestion | None, deadline: Deadline) -> None:
        self._sender = sender
        self._on_question = on_question
        self._deadline = deadline

    async def run(self, content: Content, outgoing: Outgoing) -> str:
        """The answer in text. Raises TaskFailedError, InputRequiredError, TimedOut, and what `Session` raises."""
        view = TaskView()
        stream = self._sender.stream(
            self._sender.build(content, outgoing), view=view, deadline=self._deadline
        )
        await read_until_settled(stream)
        while view.message is None and view.is_interrupted:
            await read_until_settled(await self._answer(view, outgoing))
        return read_outcome(view)

    async def _answer(self, view: TaskView, outgoing: Outgoing) -> EventStream:
        question = Question(_get_task(view))
        answer = await self._get_answer(question)
        view.mark_answered()
        if answer is None:
            if not question.is_about_credentials:
                raise InputRequiredError(question.task)
            return self._sender.follow(view.task_id, view=view, deadline=self._deadline)
        reply = replace(outgoing, context_id=view.context_id, task_id=view.task_id)
        return self._sender.stream(self._sender.build(answer, reply), view=view, deadline=self._deadline)

    async def _get_answer(self, question: Question) -> Content:
        if self._on_question is None:
            raise InputRequiredError(question.task)
        async with self._deadline.hold():
            given = self._on_question(question)
            return await given if inspect.isawaitable(given) else given


async def read_until_settled(stream: EventStream) -> None:
    """Read to the end, or to a state that waits for the caller, where some agents do not hang up (D-03)."""
    async with stream:
        async for _ in stream:
            if stream.view.is_interrupted:
                return


def read_outcome(view: TaskView) -> str:
    """The text of what was answered; TaskFailedError if the task ended without a result, NoTextError for files alone."""
    answer = view.message or _get_task(view)
    if isinstance(answer, Task) and answer.state is not TaskState.COMPLETED:
        raise TaskFailedError(answer)
    text = read_text(answer)
    if not text and has_files(answer):
        raise NoTextError(answer)
    return text


def _get_task(view: TaskView) -> Task:
    task = view.task
    assert task is not None  # a stream ends with a task or a message, or it raises
    return task
