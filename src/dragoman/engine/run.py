"""One run of a job, as the engine controls it: begun, told, bounded, canceled and ended."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from dragoman.engine.entries import StreamItem
from dragoman.engine.errors import RunEndedError, log_and_refer
from dragoman.engine.extensions import Annotate
from dragoman.engine.handler import Call, Job, Turn
from dragoman.engine.inbox import Inbox
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask
from dragoman.engine.past import NO_PAST, Heard, Past
from dragoman.engine.signals import Signal
from dragoman.engine.slots import Slots
from dragoman.engine.timers import Timers
from dragoman.engine.working_time import WorkingTime
from dragoman.model import (
    JSON,
    A2AError,
    Clock,
    InvalidParamsError,
    Message,
    Metadata,
    Part,
    Role,
    SendMessageRequest,
    SkillError,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from dragoman.store import IdempotencyKey, Scope, TaskStore

logger = logging.getLogger("dragoman.engine.run")


class Assignment(Struct, frozen=True):
    """What a run is to do, what earlier runs of the task have left for it, and the caller's name for the send, if any.

    `annotate` gives the metadata of an event, with what the extensions of the call have to add.
    A job that `is_announced` begins when it is on the log that it does: then no other run is at it (under a key, or after the
    death of a process), and where the log does not say so it has not begun.
    """

    job: Job
    request: SendMessageRequest
    call: Call
    scope: Scope
    task_id: str
    context_id: str
    past: Past = NO_PAST
    key: IdempotencyKey | None = None
    annotate: Annotate | None = None
    is_announced: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What all runs of an engine have in common.

    `begin` creates the task of an assignment, as SUBMITTED; `on_parked` is told of a task that nobody holds any more.
    """

    begin: Callable[[Assignment], LiveTask]
    on_parked: Callable[[LiveTask], None]
    store: TaskStore
    slots: Slots
    limits: Limits
    clock: Clock
    new_id: Callable[[], str]
    run_timers: Timers


class Run:
    """A job at work on a task. A job that may answer with a message has no task until it touches one: then `live` is None."""

    direct: Message | None = None
    is_canceled = False
    is_over = False
    is_abandoned = False
    _holds_slot = False
    _holder = ""
    _working: asyncio.Task[None] | None = None
    _patience: asyncio.TimerHandle | None = None

    def __init__(self, assignment: Assignment, means: Means, live: LiveTask | None) -> None:
        self.assignment = assignment
        self.task_id = assignment.task_id
        self.means = means
        self.began = Signal()
        self.over = Signal()
        self.inbox = Inbox(assignment.past.unread, max_queued=means.limits.max_queued_messages)
        self.live = live
        self._signals: set[int] = set()
        self._time = WorkingTime(means.run_timers, means.limits.cancel_grace)

    @property
    def is_at_work(self) -> bool:
        """Whether the job holds a slot, rather than waiting for one or for its caller."""
        return self._holds_slot and not self.is_over

    @property
    def is_parked(self) -> bool:
        """Whether the job waits for its caller, and any process may take the task from it."""
        return self.live is not None and not self.live.holder

    @property
    def is_stopping(self) -> bool:
        """Whether the run is to end, whatever its job makes of it."""
        return self.is_canceled or self.is_abandoned or self._time.is_up

    @property
    def has_say(self) -> bool:
        """Whether what the run does still counts: it has not answered yet, and nobody has ended or taken its task."""
        if self.is_over or self.is_abandoned or self.direct is not None:
            return False
        live = self.live
        return live is None or (live.error is None and not live.state.is_terminal)

    def open(self) -> LiveTask:
        """The task, created now if there is none yet."""
        if self.live is None:
            if not self.has_say:
                raise RunEndedError("the run has answered or ended; it cannot begin a task any more")
            self.live = self.means.begin(self.assignment)
            self.began.fire()
        return self.live

    def own(self) -> LiveTask:
        """The task, to be changed; RunEndedError if it is not this run's any more."""
        live = self.live or self.open()
        if not self.has_say:
            raise RunEndedError(f"task {self.task_id} is no longer this run's")
        return live

    def set_status(
        self, state: TaskState, message: Message | None = None, metadata: Metadata | None = None
    ) -> None:
        self._tell(self.own(), state, message, metadata)

    def _tell(
        self, live: LiveTask, state: TaskState, message: Message | None, metadata: Metadata | None
    ) -> None:
        status = TaskStatus(state=state, message=message, timestamp=self.means.clock())
        if self.assignment.annotate is not None:
            metadata = self.assignment.annotate(
                TaskStatusUpdateEvent(
                    task_id=live.task_id, context_id=live.context_id, status=status, metadata=metadata
                )
            )
        live.set_status(status, metadata)

    def compose(self, parts: Sequence[Part], metadata: Metadata | None = None) -> Message:
        return Message(
            message_id=self.means.new_id(),
            role=Role.AGENT,
            parts=tuple(parts),
            context_id=self.assignment.context_id,
            task_id=self.task_id if self.live is not None else "",
            metadata=metadata,
        )

    def reply(self, message: Message) -> None:
        """Answer with a message and no task."""
        if self.live is not None:
            raise RuntimeError(
                "a message is the answer only while there is no task; complete the task instead"
            )
        if not self.has_say:
            raise RunEndedError("the run has answered or ended; it cannot answer any more")
        annotate = self.assignment.annotate
        self.direct = message if annotate is None else replace(message, metadata=annotate(message))
        self.began.fire()

    def post(self, message: Message) -> StreamItem:
        """Queue a message of the caller (I7); the task as of then."""
        live = self.own()
        self.inbox.check_room()
        self._take_hold(live)
        try:
            item = live.receive(message)
        except ValueError as error:
            raise InvalidParamsError(str(error)) from error
        self.inbox.put(Heard(item.seq, message))
        return item

    def is_news(self, signal: int) -> bool:
        """Whether the signal was not handed to this run before."""
        is_news = signal not in self._signals
        self._signals.add(signal)
        return is_news

    def hear(self, message: Message, signal: int) -> None:
        """Queue a message that came as a signal, once."""
        live = self.own()
        if self.is_news(signal):
            self._take_hold(live)
            item = live.receive(message, signal)
            self.inbox.put(Heard(item.seq, message))

    async def execute(self, turn: Turn) -> None:
        """Run the job to its end; whatever happens, the task has ended or is somebody else's afterwards (I4)."""
        self._working = asyncio.current_task()
        try:
            await self.means.slots.take_expected()
            self._holds_slot = True
            if not self.is_stopping:
                await self._work(turn)
        except asyncio.CancelledError:
            if not self.is_canceled and not self.is_abandoned:
                raise
            self._finish(TaskState.CANCELED)
        finally:
            self.is_over = True
            self._stop_clocks()
            self._give_slot()
            self.began.fire()
            self.over.fire()

    def cancel(self) -> None:
        """Cancel the job. Its task is CANCELED when it has cleaned up, or `cancel_grace` later without it (I8)."""
        if self.is_canceled or self.is_over:
            return
        self.is_canceled = True
        self._interrupt()
        if self._working is None:
            self._finish(TaskState.CANCELED)
        else:
            grace = self.means.limits.cancel_grace.total_seconds()
            self._patience = asyncio.get_running_loop().call_later(grace, self._cancel_without_job)

    def abandon(self) -> None:
        """Stop the job without a word on its log, so that whoever takes the task over can go on."""
        if self.is_canceled:
            self._finish(TaskState.CANCELED)
        self.is_abandoned = True
        self.began.fire()
        self._interrupt()

    def _take_hold(self, live: LiveTask) -> None:
        """Hold the task again after `park`: what is said to it now is this run's to answer."""
        live.holder = live.holder or self._holder

    def park(self, state: TaskState, question: Message) -> None:
        """The job waits for its caller from now on: that takes neither a slot nor working time.

        Nobody holds the task meanwhile, so that whichever process gets the answer can run it.
        """
        live = self.own()
        holder, live.holder = live.holder, ""
        self._holder = self._holder or holder
        self.set_status(state, question)
        self._time.stop()
        self._give_slot()
        self.over.fire()
        self.means.on_parked(live)

    async def resume(self) -> None:
        self._take_hold(self.own())
        await self.means.slots.take()
        self._holds_slot = True
        self._time.start(self._interrupt, self._fail_without_job)

    async def _work(self, turn: Turn) -> None:
        self._time.start(self._interrupt, self._fail_without_job)
        try:
            await self._announce()
            await self.assignment.job.run(turn)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # a skill that calls exit() must not take the agent with it
            if isinstance(error, asyncio.CancelledError) and self._is_canceled_by_engine():
                raise
            self._fail_for(_sole(error))
        else:
            self._finish(TaskState.CANCELED if self.is_canceled else TaskState.COMPLETED)

    async def _announce(self) -> None:
        if self.live is None:
            return
        self.set_status(TaskState.WORKING)
        if self.assignment.is_announced:
            await self.live.until_durable()
            self.own()

    def _is_canceled_by_engine(self) -> bool:
        """Whether a CancelledError is the engine's, and not the working time's or of something that the job awaited."""
        assert self._working is not None
        is_asked_for = self._working.cancelling() > 0 and not self._time.is_up
        return self.is_canceled or self.is_abandoned or is_asked_for

    def _fail_for(self, error: BaseException) -> None:
        match error:
            case _ if self.is_canceled:
                logger.info("the skill of task %s failed while it was canceled", self.task_id, exc_info=error)
                self._finish(TaskState.CANCELED)
            case _ if self._time.is_up:
                self._fail_on_timeout()
            case SkillError():
                self._fail(error.message, error.data)
            case A2AError():
                self._fail(str(error))
            case RunEndedError() if not self.has_say:
                logger.debug("task %s ended while its skill was still at work", self.task_id)
            case _:
                self._fail(log_and_refer(f"the skill of task {self.task_id} failed"))

    def _fail_on_timeout(self) -> None:
        self._fail(f"timeout: the task took longer than {self.means.limits.run_timeout}")

    def _fail(self, text: str, data: JSON = None) -> None:
        if not self.has_say:
            return
        self.open()
        parts = [Part.of_text(text)] if data is None else [Part.of_text(text), Part.of_data(data)]
        try:
            self._finish(TaskState.FAILED, self.compose(parts))
        except ValueError:  # what the skill gave for an explanation is not JSON
            text = log_and_refer(f"the skill of task {self.task_id} failed with what cannot be sent")
            self._finish(TaskState.FAILED, self.compose([Part.of_text(text)]))

    def _finish(self, state: TaskState, message: Message | None = None) -> None:
        """Bring the task to its end, unless it has ended, was lost or never was."""
        if self.has_say:
            self._tell(self.live or self.open(), state, message, None)

    def _interrupt(self) -> None:
        if self._working is not None and not self.is_over:
            self._working.cancel()

    def _cancel_without_job(self) -> None:
        logger.warning("task %s was canceled, but its skill does not stop", self.task_id)
        self._finish(TaskState.CANCELED)

    def _fail_without_job(self) -> None:
        logger.warning("the time of task %s is up, but its skill does not stop", self.task_id)
        self._fail_on_timeout()

    def _stop_clocks(self) -> None:
        self._time.stop()
        if self._patience is not None:
            self._patience.cancel()

    def _give_slot(self) -> None:
        if self._holds_slot:
            self._holds_slot = False
            self.means.slots.give()


def _sole(error: BaseException) -> BaseException:
    """The one error in a group of one, such as a task group makes of the error of one of its tasks."""
    sole = error
    while isinstance(sole, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", sole).exceptions
        if len(inner) != 1:
            return error
        sole = inner[0]
    return sole
