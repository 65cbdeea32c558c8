"""One run of a job: the turn that the job sees, and what becomes of it."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence

from dragoman.engine.entries import StreamItem
from dragoman.engine.errors import RunEndedError
from dragoman.engine.handler import Call, Job
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask
from dragoman.engine.signals import Signal
from dragoman.engine.slots import Slots
from dragoman.model import (
    A2AError,
    Artifact,
    Clock,
    InvalidParamsError,
    Message,
    Metadata,
    Part,
    Role,
    SendMessageRequest,
    SkillError,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from dragoman.store import TaskStore

logger = logging.getLogger("dragoman.engine.run")


class Run:
    """A job at work on a task: the `Turn` that the job sees, and its inbox.

    `begin` creates the task; a job that may answer with a message has none until it touches it.
    """

    def __init__(
        self,
        *,
        job: Job,
        request: SendMessageRequest,
        call: Call,
        task_id: str,
        context_id: str,
        live: LiveTask | None,
        begin: Callable[["Run"], LiveTask],
        store: TaskStore,
        slots: Slots,
        limits: Limits,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self.request = request
        self.call = call
        self.task_id = task_id
        self.context_id = context_id
        self.direct: Message | None = None
        self.began = Signal()
        self.is_canceled = False
        self.is_over = False
        self._is_abandoned = False
        self._holds_slot = False
        self._job = job
        self._begin = begin
        self._store = store
        self._slots = slots
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._live = live
        self._inbox: deque[Message] = deque()
        self._mail = Signal()
        self._artifact_bytes = 0
        self._timeout: asyncio.Timeout | None = None
        self._working: asyncio.Task[None] | None = None
        self._done = Signal()

    @property
    def live(self) -> LiveTask | None:
        """The task, once there is one."""
        return self._live

    def open(self) -> LiveTask:
        """The task, created now if there is none yet."""
        if self._live is None:
            if self.direct is not None:
                raise RunEndedError("the run has answered with a message; it cannot have a task as well")
            self._live = self._begin(self)
            self.began.fire()
        return self._live

    # What the job sees: see Turn for the contract.

    def task(self) -> Task:
        return self.open().task()

    def compose(self, parts: Sequence[Part], *, metadata: Metadata | None = None) -> Message:
        return Message(
            message_id=self._new_id(),
            role=Role.AGENT,
            parts=tuple(parts),
            context_id=self.context_id,
            task_id=self.task_id if self._live is not None else "",
            metadata=metadata,
        )

    def status(self, state: TaskState, message: Message | None = None, *, metadata: Metadata | None = None) -> None:
        self._own().set_status(self._status_event(state, message, metadata))

    def artifact(
        self, artifact: Artifact, *, append: bool = False, last_chunk: bool = False, metadata: Metadata | None = None
    ) -> None:
        if not artifact.parts or len(artifact.parts) > self._limits.max_parts:
            raise ValueError(f"an artifact has 1 to {self._limits.max_parts} parts, not {len(artifact.parts)}")
        live = self._own()
        before = live.undurable_bytes
        live.add_artifact(
            TaskArtifactUpdateEvent(
                task_id=self.task_id,
                context_id=self.context_id,
                artifact=artifact,
                append=append,
                last_chunk=last_chunk,
                metadata=metadata,
            )
        )
        self._artifact_bytes += max(0, live.undurable_bytes - before)
        if self._artifact_bytes > self._limits.max_artifact_bytes:
            raise SkillError("the task's artifacts are larger than this agent allows")

    async def room(self) -> None:
        live = self._own()
        while live.undurable_bytes > _ROOM_FACTOR * self._limits.max_gathered_bytes and live.error is None:
            await live.changed.wait()

    def reply(self, message: Message) -> None:
        if self._live is not None or self.direct is not None:
            raise RunEndedError("a message can be the answer only before the task is touched, and only once")
        self.direct = message
        self.began.fire()

    async def ask(self, message: Message, *, state: TaskState = TaskState.INPUT_REQUIRED) -> Message:
        self._own()
        if self._inbox:  # said before it was asked: INPUT_REQUIRED always means that nothing is queued
            self.status(TaskState.WORKING, message)
            return self._inbox.popleft()
        self.status(state, message)
        answer = await self._park()
        self.status(TaskState.WORKING)
        return answer

    async def next_message(self) -> Message:
        self._own()
        while not self._inbox:
            await self._mail.wait()
        return self._inbox.popleft()

    async def load_state(self) -> bytes | None:
        return await self._store.load_context(self._own().scope, self.context_id)

    def save_state(self, state: bytes) -> None:
        self._own().remember(state)

    # What the engine does with it.

    def post(self, message: Message) -> StreamItem:
        """Queue a message of the caller (I7); the task as of then."""
        live = self._own()
        if len(self._inbox) >= self._limits.max_queued_messages:
            raise InvalidParamsError(f"{len(self._inbox)} messages wait for this task already; wait for it to read them")
        item = live.receive(message)
        self._inbox.append(message)
        self._mail.fire()
        return item

    async def execute(self) -> None:
        """Run the job to its end; whatever happens, the task has ended or parked afterwards (I4)."""
        self._working = asyncio.current_task()
        try:
            if not self._job.may_reply:
                self.open()
            await self._take_slot()
            await self._work()
        except asyncio.CancelledError:
            if not self.is_canceled and not self._is_abandoned:
                raise
            self._finish(TaskState.CANCELED)
        finally:
            self.is_over = True
            self._give_slot()
            self.began.fire()
            self._done.fire()

    async def cancel(self) -> None:
        """Cancel the job and wait until it has cleaned up, though not for ever (I8)."""
        self.is_canceled = True
        if self._working is not None and not self.is_over:
            self._working.cancel()
            await self._await_cleanup()
        self._finish(TaskState.CANCELED)

    def abandon(self) -> None:
        """Stop the job without a word on its log, so that whoever takes the task over can go on."""
        self._is_abandoned = True
        if self._working is not None:
            self._working.cancel()

    async def _await_cleanup(self) -> None:
        try:
            async with asyncio.timeout(self._limits.cancel_grace.total_seconds()):
                while not self.is_over:
                    await self._done.wait()
        except TimeoutError:
            logger.warning("task %s was canceled, but its skill does not stop", self.task_id)

    async def _work(self) -> None:
        try:
            async with asyncio.timeout(self._limits.run_timeout.total_seconds()) as self._timeout:
                if self._live is not None:
                    self.status(TaskState.WORKING)
                await self._job.run(self)
        except TimeoutError:
            await self._fail_on_timeout()
        except SkillError as error:
            self._fail(error.message, error.data)
        except A2AError as error:
            self._fail(str(error))
        except RunEndedError:
            self._fail_unless_ended()
        except Exception:
            self._fail_without_words()
        else:
            self._finish(TaskState.COMPLETED)

    async def _fail_on_timeout(self) -> None:
        assert self._timeout is not None
        if self._timeout.expired():
            self._fail(f"timeout: the task took longer than {self._limits.run_timeout}")
        else:  # the skill's own
            self._fail_without_words()

    def _fail_unless_ended(self) -> None:
        """The job was told that the task is no longer its own, or made that up."""
        live = self._live
        if live is None or live.state.is_terminal or live.error is not None:
            logger.debug("task %s ended while its skill was still at work", self.task_id)
        else:
            self._fail_without_words()

    def _fail_without_words(self) -> None:
        reference = secrets.token_hex(4)
        logger.exception("the skill of task %s failed (ref %s)", self.task_id, reference)
        self._fail(f"internal error (ref {reference})")

    def _fail(self, text: str, data: object = None) -> None:
        if self.direct is not None:
            return
        self.open()
        parts = [Part.of_text(text)] if data is None else [Part.of_text(text), Part.of_data(data)]
        self._finish(TaskState.FAILED, self.compose(parts))

    def _finish(self, state: TaskState, message: Message | None = None) -> None:
        """Bring the task to its end, unless it has ended, was lost or never was."""
        if self._is_abandoned or self.direct is not None:
            return
        live = self.open()
        if live.state.is_terminal or live.error is not None:
            return
        live.set_status(self._status_event(state, message, None))

    async def _park(self) -> Message:
        """Wait for an answer, with neither a slot nor working time spent on it."""
        assert self._timeout is not None
        self._give_slot()
        self._timeout.reschedule(None)
        await self._await_mail()
        await self._take_slot()
        loop = asyncio.get_running_loop()
        self._timeout.reschedule(loop.time() + self._limits.run_timeout.total_seconds())
        return self._inbox.popleft()

    async def _await_mail(self) -> None:
        try:
            async with asyncio.timeout(self._limits.park_timeout.total_seconds()):
                while not self._inbox:
                    await self._mail.wait()
        except TimeoutError:
            raise SkillError("nobody answered the question in time") from None

    async def _take_slot(self) -> None:
        await self._slots.acquire()
        self._holds_slot = True

    def _give_slot(self) -> None:
        if self._holds_slot:
            self._holds_slot = False
            self._slots.release()

    def _own(self) -> LiveTask:
        live = self.open()
        if self.is_over or live.error is not None or live.state.is_terminal:
            raise RunEndedError(f"task {self.task_id} is no longer this run's")
        return live

    def _status_event(
        self, state: TaskState, message: Message | None, metadata: Metadata | None
    ) -> TaskStatusUpdateEvent:
        return TaskStatusUpdateEvent(
            task_id=self.task_id,
            context_id=self.context_id,
            status=TaskStatus(state=state, message=message, timestamp=self._clock()),
            metadata=metadata,
        )


_ROOM_FACTOR = 4
