"""What a job does once: its steps, kept in the journal and answered from there when the job runs again."""

import asyncio
import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from dragoman.engine.entries import LogEntry
from dragoman.engine.errors import StepFailedError
from dragoman.engine.handler import Attempt, Work
from dragoman.engine.journal import Journal, Step, StepCall, StepFailure, StepKind, StepRecord, begin_main
from dragoman.engine.run import Run
from dragoman.model import JSON, SkillError, Timestamp


class RunSteps:
    """The `Steps` of one run: see `dragoman.engine.handler.Steps` for the contract."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """Opened when it is first needed: most tasks make no step."""
        if self._journal is None:
            self._journal = Journal(self._run.assignment.past.records, partial(_append, self._run))
        return self._journal

    def begin(self, *, in_thread: bool = False) -> None:
        begin_main(in_thread=in_thread)

    async def perform(self, call: StepCall, work: Work) -> JSON:
        step = self.journal.enter(call)
        if step.done is None:
            await self._attempt(step, work)
        assert step.done is not None
        return _outcome(step.done)

    def now(self) -> Timestamp:
        text = self._note_down(StepKind.NOW, lambda: self._run.means.clock().text)
        return Timestamp.parse(str(text))

    def random(self) -> float:
        return float(self._note_down(StepKind.RANDOM, random.random))  # not for secrets, and says so

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(str(self._note_down(StepKind.UUID, lambda: str(uuid.uuid4()))))

    async def sleep(self, pause: timedelta) -> None:
        """Sleep until `pause` after the first time that this was called for."""
        step = self.journal.enter(StepCall(StepKind.SLEEP, str(pause)))
        if step.done is not None:
            return
        if step.note is None:
            self.journal.write(
                step.record(is_done=False, note=self._now_millis() + round(pause / _MILLISECOND))
            )
        wake_at = int(str(step.note))
        await asyncio.sleep(max(0, wake_at - self._now_millis()) / 1000)
        self.journal.write(step.record(is_done=True))

    async def until_durable(self) -> None:
        """Until the journal as it stands would survive the process; RunEndedError if it never will."""
        await self._run.own().until_durable()
        self._run.own()

    async def _attempt(self, step: Step, work: Work) -> None:
        self.journal.write(step.record(is_done=False))
        await self.until_durable()
        attempt = Attempt(
            key=f"{self._run.task_id}/{step.branch}/{step.position}",
            number=step.attempts,
            note=step.note,
            keep=lambda note: self._keep(step, note),
        )
        try:
            done = step.record(is_done=True, result=await work(attempt))
        except SkillError as error:
            done = step.record(
                is_done=True, failure=StepFailure(kind="", message=error.message, data=error.data)
            )
        except Exception as error:  # noqa: BLE001 -- it is kept, and raised again by _outcome
            failure = StepFailure(kind=type(error).__name__, message=str(error))
            done = step.record(is_done=True, failure=failure)
            self._run.own()  # an error that comes of having lost the task is no outcome of the step
        self.journal.write(done)
        await self.until_durable()

    async def _keep(self, step: Step, note: JSON) -> None:
        self.journal.write(step.record(is_done=False, is_note=True, note=note))
        await self.until_durable()

    def _note_down(self, kind: StepKind, make: Callable[[], JSON]) -> JSON:
        step = self.journal.enter(StepCall(kind, kind.value))
        if step.done is None:
            self.journal.write(step.record(is_done=True, result=make()))
        assert step.done is not None
        return step.done.result

    def _now_millis(self) -> int:
        return self._run.means.clock().millis


def _append(run: Run, record: StepRecord) -> None:
    is_urgent = record.kind not in _UNHURRIED
    run.own().record(LogEntry(recorded=record), is_urgent=is_urgent)


def _outcome(done: StepRecord) -> JSON:
    if done.failure is None:
        return done.result
    if not done.failure.kind:
        raise SkillError(done.failure.message, data=done.failure.data)
    raise StepFailedError(done.call.name, done.failure.kind, done.failure.message)


_MILLISECOND = timedelta(milliseconds=1)
_UNHURRIED = (StepKind.NOW, StepKind.RANDOM, StepKind.UUID)
