"""One run of a job, as the job sees it: see `dragoman.engine.handler.Turn` for the contract."""

import asyncio
from collections.abc import Sequence

from dragoman.engine.errors import RunEndedError
from dragoman.engine.handler import Call
from dragoman.engine.run import Run
from dragoman.model import Artifact, Message, Metadata, Part, SendMessageRequest, SkillError, Task, TaskState


class RunTurn:
    """The side of a run that its job works with."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._limits = run.means.limits
        self._asking = asyncio.Lock()
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

    def task(self) -> Task:
        return self._run.open().task()

    def compose(self, parts: Sequence[Part], *, metadata: Metadata | None = None) -> Message:
        return self._run.compose(parts, metadata)

    def status(
        self, state: TaskState, message: Message | None = None, *, metadata: Metadata | None = None
    ) -> None:
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
        try:
            async with self._asking:  # a second question waits until the first is answered
                return await self._ask(message, state)
        finally:
            self._run.inbox.changed.fire()  # next_message() stood aside

    async def next_message(self) -> Message:
        self._run.own()
        inbox = self._run.inbox
        while not inbox or self._asking.locked():  # the answer belongs to who asked
            await inbox.changed.wait()
        return inbox.take()

    async def load_state(self) -> bytes | None:
        if self._saved is not None:
            return self._saved
        return await self._run.means.store.load_context(self._run.assignment.scope, self.context_id)

    def save_state(self, state: bytes) -> None:
        self._run.own().remember(state)
        self._saved = state

    async def _ask(self, message: Message, state: TaskState) -> Message:
        run = self._run
        run.own()
        if run.is_stopping:
            raise RunEndedError(f"task {self.task_id} is about to end; nobody will answer")
        if run.inbox:  # said before it was asked: INPUT_REQUIRED always means that nothing is queued
            run.set_status(TaskState.WORKING, message)
        else:
            run.set_status(state, message)
            await self._park()
        return run.inbox.take()

    async def _park(self) -> None:
        """Wait for an answer; WORKING again afterwards, also if the job gives up the wait and goes on."""
        run = self._run
        run.pause()
        try:
            async with asyncio.timeout(self._limits.park_timeout.total_seconds()):
                await run.inbox.until_mail()
        except TimeoutError:
            raise SkillError("nobody answered the question in time") from None
        finally:
            if run.has_say and not run.is_stopping:
                await run.resume()
                run.set_status(TaskState.WORKING)


_ROOM_FACTOR = 4
