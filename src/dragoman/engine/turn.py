"""One run of a job, as the job sees it: see `dragoman.engine.handler.Turn` for the contract."""

import asyncio
from collections.abc import Sequence

from dragoman.engine.errors import RunEndedError
from dragoman.engine.handler import Call
from dragoman.engine.journal import Step, StepCall, StepKind
from dragoman.engine.past import Heard, Past
from dragoman.engine.repeats import NOTHING_SAID, Repeats
from dragoman.engine.run import Run
from dragoman.engine.steps import RunSteps
from dragoman.model import (
    Artifact,
    Message,
    Metadata,
    Part,
    SendMessageRequest,
    SkillError,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
)
from dragoman.model.task import join_text


class RunTurn:
    """The side of a run that its job works with."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._limits = run.means.limits
        self._asking = asyncio.Lock()
        self._steps = RunSteps(run)
        said = run.assignment.past.said
        self._repeats = Repeats(said, run.assignment.call.extensions) if said else NOTHING_SAID
        self._is_waiting = False
        self._held_back: list[tuple[Message | None, Metadata | None]] = []
        self._artifact_bytes = 0
        self._saved: bytes | None = None

    @property
    def request(self) -> SendMessageRequest:
        return self._run.assignment.request

    @property
    def call(self) -> Call:
        return self._run.assignment.call

    @property
    def task_id(self) -> str:
        return self._run.assignment.task_id

    @property
    def context_id(self) -> str:
        return self._run.assignment.context_id

    @property
    def is_canceled(self) -> bool:
        return self._run.is_canceled

    @property
    def is_abandoned(self) -> bool:
        return self._run.is_abandoned

    @property
    def steps(self) -> RunSteps:
        return self._steps

    def task(self) -> Task:
        return self._run.open().task()

    def compose(self, parts: Sequence[Part], *, metadata: Metadata | None = None) -> Message:
        return self._run.compose(parts, metadata)

    def status(
        self, state: TaskState, message: Message | None = None, *, metadata: Metadata | None = None
    ) -> None:
        if self._repeats.is_told(state, message, metadata):
            return
        if state is TaskState.WORKING and self._is_waiting:
            self._held_back.append((message, metadata))  # it would hide the question from the caller
        else:
            self._run.set_status(state, message, metadata)

    def artifact(
        self,
        artifact: Artifact,
        *,
        append: bool = False,
        last_chunk: bool = False,
        metadata: Metadata | None = None,
    ) -> None:
        if not artifact.parts or len(artifact.parts) > self._limits.max_parts:
            raise ValueError(
                f"an artifact has 1 to {self._limits.max_parts} parts, not {len(artifact.parts)}"
            )
        live = self._run.own()
        rest = self._repeats.remainder(artifact, append=append, last_chunk=last_chunk)
        if rest is None:
            return
        artifact, append = rest
        if (annotate := self._run.assignment.annotate) is not None:
            metadata = annotate(
                TaskArtifactUpdateEvent(
                    task_id=self.task_id,
                    context_id=self.context_id,
                    artifact=artifact,
                    append=append,
                    last_chunk=last_chunk,
                    metadata=metadata,
                )
            )
        if self._artifact_bytes <= self._limits.max_artifact_bytes:
            self._artifact_bytes += live.add_artifact(
                artifact, append=append, last_chunk=last_chunk, metadata=metadata
            )
        if self._artifact_bytes > self._limits.max_artifact_bytes:
            raise SkillError("the task's artifacts are larger than this agent allows")

    async def room(self) -> None:
        live = self._run.own()
        while live.undurable_bytes > _ROOM_FACTOR * self._limits.max_gathered_bytes and live.error is None:
            await live.changed.wait()

    def reply(self, message: Message) -> None:
        self._run.reply(message)

    async def ask(self, message: Message, *, state: TaskState = TaskState.INPUT_REQUIRED) -> Message:
        if not state.is_interrupted:
            raise ValueError(
                f"a task that waits for its caller is not {state.name}; use INPUT_REQUIRED or AUTH_REQUIRED"
            )
        step = self._steps.journal.enter(StepCall(StepKind.ASK, join_text(message.parts)[:_NAME_LENGTH]))
        if step.done is not None:
            return self._past.message(step.done.result["received"])
        while not step.attempts and self._steps.journal.has_open_question:
            await self._run.inbox.changed.wait()  # what there is to read answers what was asked before
        try:
            async with self._asking:  # a second question waits until the first is answered
                heard = await self._ask(step, message, state)
        finally:
            self._run.inbox.changed.fire()  # next_message() stood aside
        return self._read(step, heard)

    async def next_message(self) -> Message:
        step = self._steps.journal.enter(StepCall(StepKind.MESSAGE, "next message"))
        if step.done is not None:
            return self._past.message(step.done.result["received"])
        self._run.own()
        inbox = self._run.inbox
        while not inbox or self._asking.locked():  # the answer belongs to who asked
            await inbox.changed.wait()
        return self._read(step, inbox.take())

    def _read(self, step: Step, heard: Heard) -> Message:
        self._steps.journal.write(step.record(is_done=True, result={"received": heard.seq}))
        return heard.message

    async def load_state(self) -> bytes | None:
        if self._saved is not None:
            return self._saved
        return await self._run.means.store.load_context(self._run.assignment.scope, self.context_id)

    def save_state(self, state: bytes) -> None:
        self._run.own().remember(state)
        self._saved = state

    @property
    def _past(self) -> Past:
        return self._run.assignment.past

    async def _ask(self, step: Step, message: Message, state: TaskState) -> Heard:
        run = self._run
        run.own()
        if run.is_stopping:
            raise RunEndedError(f"task {self.task_id} is about to end; nobody will answer")
        is_asked = step.attempts > 0
        self._steps.journal.write(step.record(is_done=False))
        if not run.inbox:
            run.park(state, message)
            await self._await_answer()
        elif not is_asked:  # said before it was asked: INPUT_REQUIRED always means that nothing is queued
            run.set_status(TaskState.WORKING, message)
        return run.inbox.take()

    async def _await_answer(self) -> None:
        """Wait for an answer; WORKING again afterwards, also if the job gives up the wait and goes on.

        When that takes long, the run makes room: whoever gets the answer runs the job again, up to here.
        """
        run = self._run
        self._is_waiting = True
        try:
            async with asyncio.timeout(self._limits.park_timeout.total_seconds()):
                await run.inbox.until_mail()
        except TimeoutError:
            run.abandon()
            await asyncio.sleep(0)  # where the cancellation arrives
        finally:
            self._is_waiting = False
            if run.has_say and not run.is_stopping:
                await run.resume()
                self._go_on()

    def _go_on(self) -> None:
        self._run.set_status(TaskState.WORKING)
        held_back, self._held_back = self._held_back, []
        for message, metadata in held_back:
            self._run.set_status(TaskState.WORKING, message, metadata)


_ROOM_FACTOR = 4
_NAME_LENGTH = 120
