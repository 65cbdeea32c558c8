"""From an admitted request to a run at work."""

from functools import partial

from msgspec.structs import replace

from dragoman.engine.checks import check_send
from dragoman.engine.entries import LogEntry, Origin
from dragoman.engine.errors import log_and_refer
from dragoman.engine.extensions import Extensions
from dragoman.engine.handler import Call, Handler, Job
from dragoman.engine.live import LiveTask
from dragoman.engine.named_tasks import id_of
from dragoman.engine.past import Past
from dragoman.engine.pushing import push_of
from dragoman.engine.roster import Roster
from dragoman.engine.run import Assignment, Means, Run
from dragoman.engine.slots import Slots
from dragoman.engine.timers import Timers
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

    def __init__(
        self, roster: Roster, handler: Handler, slots: Slots, extensions: Extensions | None = None
    ) -> None:
        self._extensions = extensions or Extensions()
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
            run_timers=Timers(roster.limits.run_timeout),
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
            scope := roster.scope_of(call),
            id_of(scope, call.task_name) if call.task_name else roster.new_id(),
            request.message.context_id or roster.new_id(),
            key=key,
            annotate=self._extensions.annotator(call),
            is_announced=not job.may_reply and (key is not None or self._slots.is_full),
        )
        return self._launch(assignment, None)

    def resume(self, live: LiveTask, call: Call, request: SendMessageRequest, past: Past) -> Run | None:
        """Run the skill again from the top on a task that this process has claimed.

        None unless earlier runs have left a journal to answer from, or the skill has not begun or may simply be run again.
        """
        try:
            job = self._admit(request, call)
        except A2AError:
            return None
        if past.has_begun and not past.records and not job.is_idempotent:
            return None
        assignment = Assignment(
            job,
            request,
            call,
            live.scope,
            live.task_id,
            live.context_id,
            past,
            is_announced=True,
            annotate=self._extensions.annotator(call),
        )
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
        # A task that its caller names is there at once, so that the caller can name it again.
        if not assignment.job.may_reply or assignment.call.task_name:
            run.open()
        self._slots.expect()
        self._roster.runs[run.task_id] = run
        self._roster.nursery.spawn(partial(self._execute, run), name=f"run of task {run.task_id}")
        return run

    async def _execute(self, run: Run) -> None:
        try:
            turn = RunTurn(run)
            turn.steps.begin()
            await run.execute(turn)
        finally:
            self._roster.end(run)

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
        if assignment.annotate is not None:
            task = replace(task, metadata=assignment.annotate(task))
        try:
            live = LiveTask.begin(
                LogEntry(task=task, origin=_origin_of(assignment)),
                scope=assignment.scope,
                holder=roster.holder,
                now=now.millis,
                push=push_of(assignment.call, assignment.request, roster),
                key=assignment.key,
                max_window_bytes=roster.limits.max_window_bytes,
            )
        except ValueError as error:
            raise InvalidParamsError(str(error)) from error
        roster.adopt(live)
        roster.writer.attach(live)
        return live


def _origin_of(assignment: Assignment) -> Origin:
    request, call = assignment.request, assignment.call
    modes = (request.configuration or _DEFAULTS).accepted_output_modes
    return Origin(
        metadata=request.metadata,
        accepted_output_modes=modes,
        extensions=call.extensions,
        scopes=tuple(sorted(call.principal.scopes)),
        claims=call.principal.claims or None,
        is_announced=assignment.is_announced,
    )
