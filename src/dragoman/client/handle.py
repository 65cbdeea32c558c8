"""A task of an agent, held by its caller."""

from collections.abc import Generator
from typing import Any

from dragoman.client.asking import Question, read_until_settled
from dragoman.client.content import Content, read_text
from dragoman.client.deadlines import Deadline, Duration
from dragoman.client.folding import TaskView
from dragoman.client.sending import Outgoing, Sender
from dragoman.client.streams import EventStream
from dragoman.model import (
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Metadata,
    Operation,
    Record,
    Task,
    TaskState,
    TaskStatus,
)
from dragoman.model.operations import CANCEL_TASK, GET_TASK


class TaskHandle:
    """A task that runs elsewhere: await it for the outcome, or iterate over it for what is new.

    `task` is what is known of it here; of a handle made from a bare id that is its id and an UNSPECIFIED state, until it
    is awaited, iterated or refreshed.
    """

    def __init__(self, sender: Sender, task: Task | str) -> None:
        self._sender = sender
        self._id = task if isinstance(task, str) else task.id
        self._view = TaskView.of(task) if isinstance(task, Task) else TaskView()

    def __repr__(self) -> str:
        return f"<TaskHandle {self.id} {self.state.name}>"

    @property
    def id(self) -> str:
        return self._id

    @property
    def context_id(self) -> str:
        return self._view.context_id

    @property
    def state(self) -> TaskState:
        return self._view.state

    @property
    def task(self) -> Task:
        return self._view.task or Task(id=self._id, status=TaskStatus(state=TaskState.UNSPECIFIED))

    @property
    def text(self) -> str:
        """What the task has to say: the text of its artifacts, or of its status while there are none."""
        return read_text(self.task)

    @property
    def question(self) -> Question | None:
        """What the agent asks, while the task waits for an answer; `question.schema` is what that should look like."""
        return Question(self.task) if self.state.is_interrupted else None

    def __await__(self) -> Generator[Any, None, Task]:
        return self.result().__await__()

    def __aiter__(self) -> EventStream:
        """What is new since the last that is known here, until the task ends."""
        return self._follow(Deadline(None, self._sender.session.url))

    async def result(self, *, deadline: Duration | None = None) -> Task:
        """The task once it has ended or waits for the caller, as its `state` tells; TimedOut after `deadline`."""
        if not self._view.is_settled:
            await read_until_settled(self._follow(Deadline(deadline, self._sender.session.url)))
        return self.task

    async def refresh(self, *, history_length: int | None = None) -> Task:
        """Ask the agent for the task as it is now."""
        request = GetTaskRequest(id=self._id, history_length=history_length)
        return self._take(await self._call(GET_TASK, request))

    async def cancel(self, *, metadata: Metadata | None = None) -> Task:
        """Ask the agent to stop; TaskNotCancelableError if the task has ended. The state tells whether it did."""
        return self._take(await self._call(CANCEL_TASK, CancelTaskRequest(id=self._id, metadata=metadata)))

    async def reply(
        self,
        content: Content,
        *,
        return_immediately: bool = False,
        metadata: Metadata | None = None,
        idempotency_key: str = "",
    ) -> "TaskHandle | Message":
        """Send a message to the task, for instance the answer to what it asks.

        Comes back like `Client.send`: with this handle, or with the message that an agent may answer instead. A second
        reply under one `idempotency_key` is not said again, to agents that know such keys.
        """
        outgoing = Outgoing(
            context_id=self.context_id, task_id=self._id, metadata=metadata, key=idempotency_key
        )
        request = self._sender.build(content, outgoing, return_immediately=return_immediately)
        self._view = self._view.copy()
        self._view.mark_answered()
        answer = await self._sender.send(request, key=idempotency_key)
        if isinstance(answer, Message):
            return answer
        if answer.id != self._id:
            return TaskHandle(self._sender, answer)
        self._take(answer)
        return self

    def _follow(self, deadline: Deadline) -> EventStream:
        return self._sender.follow(self._id, view=self._view.copy(), deadline=deadline, watch=self._look_at)

    def _look_at(self, view: TaskView) -> None:
        """Show what a reader of the task has come to, unless more is known: that it has ended."""
        if view.is_terminal or not self._view.is_terminal:
            self._view = view

    async def _call(self, operation: Operation, request: Record) -> Task:
        task = await self._sender.session.call(operation, request)
        assert isinstance(task, Task)
        return task

    def _take(self, task: Task) -> Task:
        self._view = self._view.copy()
        self._view.apply(task)
        return self.task
