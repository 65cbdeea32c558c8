"""From an admitted request to a run at work."""

from msgspec.structs import replace

from dragoman.engine.checks import check_send
from dragoman.engine.entries import LogEntry, Origin
from dragoman.engine.errors import log_and_refer
from dragoman.engine.handler import Call, Handler, Job
from dragoman.engine.live import LiveTask
from dragoman.engine.past import Past
from dragoman.engine.pushing import push_of
from dragoman.engine.roster import Roster
from dragoman.engine.run import Assignment, Means, Run
from dragoman.engine.slots import Slots
from dragoman.engine.turn import RunTurn
from dragoman.model import (
    A2AError,
    InternalError,
    InvalidParamsError,
    SendMessageConfiguration,
    SendMessageRequest,
    Task,
    TaskState,
    TaskStatus,
)
from dragoman.store import IdempotencyKey

_DEFAULTS = SendMessageConfiguration()


class Launcher:
    """Starts runs, each a task of the nursery, and clears up behind them."""

    def __init__(self, roster: Roster, handler: Handler, slots: Slots) -> None:
        self._roster = roster
        self._handler = handler
        self._slots = slots
        self._means = Means(
            begin=self._begin,
            on_parked=roster.see_to_watch,
            store=roster.store,
            slots=slots,
            limits=roster.limits,
            clock=roster.clock,
            new_id=roster.new_id,
        )

    def start(self, call: Call, request: SendMessageRequest, key: IdempotencyKey | None = None) -> Run:
        """Begin a new piece of work; whatever is wrong with the request is raised before there is a task."""
        roster = self._roster
        check_send(request, roster.limits)
        job = self._admit(request, call)
        self._slots.check_room()
        assignment = Assignment(
            job,
            request,
            call,
            roster.scope_of(call),
            roster.new_id(),
            request.message.context_id or roster.new_id(),
            key=key,
        )
        return self._launch(assignment, None)

    def resume(self, live: LiveTask, call: Call, request: SendMessageRequest, past: Past) -> Run | None:
        """Run the skill again from the top on a task that this process has claimed.

        None unless earlier runs have left a journal to answer from, or the skill may simply be run again.
        """
        try:
            job = self._admit(request, call)
        except A2AError:
            return None
        if not job.is_idempotent and not past.records:
            return None
        assignment = Assignment(job, request, call, live.scope, live.task_id, live.context_id, past)
        return self._launch(assignment, live)

    def _admit(self, request: SendMessageRequest, call: Call) -> Job:
        try:
            return self._handler.admit(request, call)
        except A2AError:
            raise
        except Exception:  # noqa: BLE001 -- logged by log_and_refer
            raise InternalError(log_and_refer("the agent failed to admit a request")) from None

    def _launch(self, assignment: Assignment, live: LiveTask | None) -> Run:
        run = Run(assignment, self._means, live)
        if not assignment.job.may_reply:
            run.open()
        self._slots.expect()
        self._roster.runs[run.task_id] = run
        self._roster.nursery.spawn(self._execute(run), name=f"run of task {run.task_id}")
        return run

    async def _execute(self, run: Run) -> None:
        try:
            turn = RunTurn(run)
            turn.steps.begin()
            await run.execute(turn)
        finally:
            self._roster.end(run)
        if run.live is not None:
            await self._roster.see_off(run.live)

    def _begin(self, assignment: Assignment) -> LiveTask:
        roster, now = self._roster, self._roster.clock()
        message = replace(
            assignment.request.message, task_id=assignment.task_id, context_id=assignment.context_id
        )
        task = Task(
            id=assignment.task_id,
            context_id=assignment.context_id,
            status=TaskStatus(state=TaskState.SUBMITTED, timestamp=now),
            history=(message,),
        )
        try:
            live = LiveTask.begin(
                LogEntry(task=task, origin=_origin_of(assignment.request, assignment.call)),
                scope=assignment.scope,
                holder=roster.holder,
                now=now.millis,
                push=push_of(assignment.request, roster),
                key=assignment.key,
                max_window_bytes=roster.limits.max_window_bytes,
            )
        except ValueError as error:
            raise InvalidParamsError(str(error)) from error
        roster.adopt(live)
        roster.writer.attach(live)
        return live


def _origin_of(request: SendMessageRequest, call: Call) -> Origin:
    modes = (request.configuration or _DEFAULTS).accepted_output_modes
    return Origin(
        metadata=request.metadata,
        accepted_output_modes=modes,
        extensions=call.extensions,
        scopes=tuple(sorted(call.principal.scopes)),
        claims=call.principal.claims or None,
    )
