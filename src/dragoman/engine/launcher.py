"""From an admitted request to a run at work."""

from msgspec.structs import replace

from dragoman.engine.checks import check_send
from dragoman.engine.entries import LogEntry, Origin
from dragoman.engine.handler import Call, Handler, Job
from dragoman.engine.live import LiveTask
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.slots import Slots
from dragoman.model import (
    SendMessageConfiguration,
    SendMessageRequest,
    Task,
    TaskState,
    TaskStatus,
    UnavailableError,
)
from dragoman.store import PushRegistration
from dragoman.wire import codec

_DEFAULTS = SendMessageConfiguration()


class Launcher:
    """Starts runs, each a task of the nursery, and clears up behind them."""

    def __init__(self, roster: Roster, handler: Handler, slots: Slots) -> None:
        self._roster = roster
        self._handler = handler
        self._slots = slots

    def start(self, call: Call, request: SendMessageRequest) -> Run:
        """Begin a new piece of work; whatever is wrong with the request is raised before there is a task."""
        check_send(request, self._roster.limits)
        job = self._handler.admit(request, call)
        if self._slots.is_full:
            raise UnavailableError
        context_id = request.message.context_id or self._roster.new_id()
        return self._launch(job, request, call, self._roster.new_id(), context_id, None)

    def resume(self, live: LiveTask, call: Call, request: SendMessageRequest) -> Run | None:
        """Run the skill again from the top on a task that this process has claimed, if the skill may be run again."""
        job = self._handler.admit(request, call)
        if not job.is_idempotent:
            return None
        return self._launch(job, request, call, live.task_id, live.context_id, live)

    def _launch(
        self, job: Job, request: SendMessageRequest, call: Call, task_id: str, context_id: str, live: LiveTask | None
    ) -> Run:
        roster = self._roster
        run = Run(
            job=job,
            request=request,
            call=call,
            task_id=task_id,
            context_id=context_id,
            live=live,
            begin=self._begin,
            store=roster.store,
            slots=self._slots,
            limits=roster.limits,
            clock=roster.clock,
            new_id=roster.new_id,
        )
        roster.runs[task_id] = run
        roster.nursery.spawn(self._execute(run), name=f"run of task {task_id}")
        return run

    async def _execute(self, run: Run) -> None:
        try:
            await run.execute()
        finally:
            self._roster.runs.pop(run.task_id, None)
            if run.live is not None:
                await run.live.until_durable()
                self._roster.release(run.live)

    def _begin(self, run: Run) -> LiveTask:
        """Create the run's task, as SUBMITTED."""
        roster, now = self._roster, self._roster.clock()
        message = replace(run.request.message, task_id=run.task_id, context_id=run.context_id)
        task = Task(
            id=run.task_id,
            context_id=run.context_id,
            status=TaskStatus(state=TaskState.SUBMITTED, timestamp=now),
            history=(message,),
        )
        live = LiveTask.begin(
            LogEntry(task=task, origin=_origin_of(run.request, run.call)),
            scope=roster.scope_of(run.call),
            holder=roster.holder,
            now=now.millis,
            push=push_of(run.request, roster),
            max_window_bytes=roster.limits.max_window_bytes,
        )
        roster.adopt(live)
        roster.writer.attach(live)
        return live

def push_of(request: SendMessageRequest, roster: Roster) -> tuple[PushRegistration, ...]:
    config = (request.configuration or _DEFAULTS).task_push_notification_config
    if config is None:
        return ()
    config = replace(config, id=config.id or roster.new_id())
    return (PushRegistration(config.id, codec.encode(config), 0),)


def _origin_of(request: SendMessageRequest, call: Call) -> Origin:
    modes = (request.configuration or _DEFAULTS).accepted_output_modes
    return Origin(metadata=request.metadata, accepted_output_modes=modes, extensions=call.extensions)
