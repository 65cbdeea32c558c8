"""A turn without an engine, and short ways to say something to an agent."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from dragoman.agent import Agent, SkillHandler
from dragoman.engine import Call, Job, Limits, RunEndedError
from dragoman.engine.errors import StepFailedError
from dragoman.engine.handler import Attempt
from dragoman.engine.handler import Work as StepWork
from dragoman.engine.journal import Journal, StepCall, StepKind, StepRecord, begin_main
from dragoman.model import (
    Artifact,
    Message,
    Metadata,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SkillError,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    Timestamp,
)
from dragoman.model.folding import TaskFold

Event = TaskStatusUpdateEvent | TaskArtifactUpdateEvent


def say(*contents: Any, metadata: Metadata | None = None) -> Message:
    """A message: texts are text parts, bytes are files, parts are parts, anything else is data."""
    return Message(message_id="m", role=Role.USER, parts=tuple(map(make_part, contents)), metadata=metadata)


def make_part(content: Any) -> Part:
    match content:
        case Part():
            return content
        case str():
            return Part.of_text(content)
        case bytes():
            return Part.of_bytes(content)
        case _:
            return Part.of_data(content)


class FakeSteps:
    """Keeps the contract of `Steps` in memory; `records` are those of an earlier run, and grow."""

    def __init__(self, records: list[StepRecord]) -> None:
        self.records = records
        self.notes: list[Any] = []
        self.pauses: list[timedelta] = []
        self._journal = Journal(tuple(records), records.append)

    def begin(self, *, in_thread: bool = False) -> None:
        begin_main(in_thread=in_thread)

    async def perform(self, call: StepCall, work: StepWork) -> Any:
        step = self._journal.enter(call)
        if step.done is None:
            self._journal.write(step.record(is_done=False))

            async def keep(note: Any) -> None:
                self.notes.append(note)
                self._journal.write(step.record(is_done=False, note=note))

            attempt = Attempt(f"task/{step.branch}/{step.position}", step.attempts, step.note, keep)
            try:
                self._journal.write(step.record(is_done=True, result=await work(attempt)))
            except Exception as error:
                if isinstance(error, SkillError):
                    raise
                raise StepFailedError(call.name, type(error).__name__, str(error)) from error
        assert step.done is not None
        return step.done.result

    def now(self) -> Timestamp:
        return Timestamp.parse(self._note_down(StepKind.NOW, "2026-11-22T12:00:00Z"))

    def random(self) -> float:
        return float(self._note_down(StepKind.RANDOM, 0.25))

    def uuid(self) -> UUID:
        return UUID(self._note_down(StepKind.UUID, str(uuid4())))

    async def sleep(self, pause: timedelta) -> None:
        self.pauses.append(pause)

    def _note_down(self, kind: StepKind, value: Any) -> Any:
        step = self._journal.enter(StepCall(kind, kind.value))
        if step.done is None:
            self._journal.write(step.record(is_done=True, result=value))
        assert step.done is not None
        return step.done.result


class FakeTurn:
    """Keeps the contract of `Turn` in memory; `answers` are what the caller says when asked."""

    def __init__(
        self,
        message: Message,
        *,
        answers: Sequence[Message] = (),
        may_reply: bool = False,
        call: Call | None = None,
        accepted_output_modes: Sequence[str] = (),
        records: list[StepRecord] | None = None,
    ) -> None:
        self.steps = FakeSteps([] if records is None else records)
        configuration = SendMessageConfiguration(accepted_output_modes=tuple(accepted_output_modes))
        self.request = SendMessageRequest(message=message, configuration=configuration)
        self.call = call or Call()
        self.task_id = "task"
        self.context_id = "context"
        self.is_canceled = False
        self.is_abandoned = False
        self.is_ended = False
        self.events: list[Event] = []
        self.direct: Message | None = None
        self.rooms = 0
        self.state: bytes | None = None
        self.asked: list[tuple[TaskState, str]] = []
        self.waiting = asyncio.Event()
        self.touched = asyncio.Event()
        self._answers = list(answers)
        self._ids = count(1)
        self._is_touched = not may_reply
        self._fold = TaskFold(Task(id=self.task_id, status=TaskStatus(state=TaskState.WORKING), artifacts=()))

    def task(self) -> Task:
        self._is_touched = True
        return self._fold.task()

    def compose(self, parts: Sequence[Part], *, metadata: Metadata | None = None) -> Message:
        return Message(
            message_id=f"agent-{next(self._ids)}",
            role=Role.AGENT,
            parts=tuple(parts),
            context_id=self.context_id,
            task_id=self.task_id,
            metadata=metadata,
        )

    def status(
        self, state: TaskState, message: Message | None = None, *, metadata: Metadata | None = None
    ) -> None:
        self._record(
            TaskStatusUpdateEvent(
                task_id=self.task_id,
                context_id=self.context_id,
                status=TaskStatus(state=state, message=message),
                metadata=metadata,
            )
        )
        self.is_ended = state.is_terminal

    def artifact(
        self,
        artifact: Artifact,
        *,
        append: bool = False,
        last_chunk: bool = False,
        metadata: Metadata | None = None,
    ) -> None:
        assert artifact.parts
        self._record(
            TaskArtifactUpdateEvent(
                task_id=self.task_id,
                context_id=self.context_id,
                artifact=artifact,
                append=append,
                last_chunk=last_chunk,
                metadata=metadata,
            )
        )

    async def room(self) -> None:
        self._own()
        self.rooms += 1

    def reply(self, message: Message) -> None:
        if self._is_touched:
            raise RuntimeError("touched")
        self.direct = message

    async def ask(self, message: Message, *, state: TaskState = TaskState.INPUT_REQUIRED) -> Message:
        self._own()
        self.asked.append((state, message.text))
        return await self._take_answer()

    async def next_message(self) -> Message:
        self._own()
        return await self._take_answer()

    async def load_state(self) -> bytes | None:
        self._own()
        return self.state

    def save_state(self, state: bytes) -> None:
        self._own()
        self.state = state

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        return self._fold.task().artifacts or ()

    @property
    def last_message(self) -> Message | None:
        return self._fold.status.message

    @property
    def statuses(self) -> list[tuple[TaskState, str, Metadata | None]]:
        return [
            (event.status.state, event.status.message.text if event.status.message else "", event.metadata)
            for event in self.events
            if isinstance(event, TaskStatusUpdateEvent)
        ]

    @property
    def chunks(self) -> list[tuple[str, bool, bool]]:
        """Text, append and last chunk of every artifact event."""
        return [
            (event.artifact.text, event.append, event.last_chunk)
            for event in self.events
            if isinstance(event, TaskArtifactUpdateEvent)
        ]

    async def _take_answer(self) -> Message:
        if not self._answers:
            self.waiting.set()
            await asyncio.Event().wait()
        return self._answers.pop(0)

    def _record(self, event: Event) -> None:
        self._own()
        self.events.append(event)
        self.touched.set()
        self._fold.apply(event)

    def _own(self) -> None:
        if self.is_ended or self.direct is not None:
            raise RunEndedError("over")
        self._is_touched = True


def admit(
    agent: Agent, message: Message, *, limits: Limits | None = None, metadata: Metadata | None = None
) -> Job:
    handler = SkillHandler(agent.skills, extended_card=None, limits=limits or Limits())
    return handler.admit(SendMessageRequest(message=message, metadata=metadata), Call())


async def run(
    agent: Agent,
    message: Message,
    *,
    answers: Sequence[Message] = (),
    limits: Limits | None = None,
    records: list[StepRecord] | None = None,
) -> FakeTurn:
    """The turn after the agent has dealt with the message."""
    job = admit(agent, message, limits=limits)
    turn = FakeTurn(message, answers=answers, may_reply=job.may_reply, records=records)
    turn.steps.begin()
    await job.run(turn)
    return turn
