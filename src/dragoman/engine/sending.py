"""SendMessage and SendStreamingMessage: from an admitted request to a run and back."""

from msgspec.structs import replace

from dragoman.engine.checks import check_send
from dragoman.engine.entries import StreamItem
from dragoman.engine.handler import Call
from dragoman.engine.launcher import Launcher, push_of
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask
from dragoman.engine.projection import project
from dragoman.engine.recovery import Recovery
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.streams import EventStream
from dragoman.model import (
    FieldViolation,
    InvalidParamsError,
    Message,
    SendMessageConfiguration,
    SendMessageRequest,
    SendMessageResponse,
    Task,
    UnavailableError,
    UnsupportedOperationError,
    wrap_reply,
)

_DEFAULTS = SendMessageConfiguration()


class Sending:
    """What a send comes to: a new run, or a message for one that is under way; and the caller's wait for it."""

    def __init__(self, roster: Roster, launcher: Launcher, recovery: Recovery) -> None:
        self._roster = roster
        self._launcher = launcher
        self._recovery = recovery

    async def send(self, call: Call, request: SendMessageRequest) -> SendMessageResponse:
        configuration = request.configuration or _DEFAULTS
        if request.message.task_id:
            live, received = await self._continue(call, request)
            seq = received.seq
        else:
            run = self._launcher.start(call, request)
            await _until_begun(run)
            if run.direct is not None:
                return wrap_reply(run.direct)
            live, seq = _task_of(run), 0
        return wrap_reply(await self._answer(live, seq, configuration))

    async def stream(self, call: Call, request: SendMessageRequest) -> EventStream:
        if request.message.task_id:
            live, received = await self._continue(call, request)
            return self._roster.open_stream(live, after=received.seq, first=received)
        run = self._launcher.start(call, request)
        await _until_begun(run)
        if run.direct is not None:
            return EventStream.of_message(run.direct)
        return self._roster.open_stream(_task_of(run), after=0)

    async def _answer(self, live: LiveTask, seq: int, configuration: SendMessageConfiguration) -> Task:
        if configuration.return_immediately:
            task = (await live.view()).event.task
        else:
            task = await _settled(live, seq)
        assert task is not None
        return project(task, configuration.history_length)

    async def _continue(self, call: Call, request: SendMessageRequest) -> tuple[LiveTask, StreamItem]:
        """Hand the message to the task that it names: to its run, or to a new one where it waits without (I7)."""
        roster, message = self._roster, request.message
        check_send(request, roster.limits)
        live = await roster.get(roster.scope_of(call), message.task_id)
        _check_continuation(live, message, roster.limits)
        run = roster.run_of(live) or await self._revive(live)
        if push := push_of(request, roster):
            await roster.store.put_push(live.scope, live.task_id, push[0])
            live.has_push = True
        received = run.post(replace(message, context_id=live.context_id))
        return live, received

    async def _revive(self, live: LiveTask) -> Run:
        """A run for a task that nobody runs at the moment, such as one that was waiting when its process ended."""
        run = await self._recovery.take_over(live)
        if run is None:
            raise UnavailableError("another process runs this task; try again")
        return run


def _check_continuation(live: LiveTask, message: Message, limits: Limits) -> None:
    if message.context_id not in ("", live.context_id):
        violation = FieldViolation(field="message.contextId", description="is not the context of this task")
        raise InvalidParamsError(violations=[violation])
    if live.state.is_terminal:
        raise UnsupportedOperationError(f"the task has ended ({live.state.name}); send a message without its taskId")
    if live.history_length >= limits.max_history:
        raise UnsupportedOperationError("the task's history is full; send a message without its taskId")


def _task_of(run: Run) -> LiveTask:
    """The task that the run began; whatever kept it from one is raised."""
    if run.live is None:
        raise UnavailableError("the agent is shutting down")
    return run.live


async def _until_begun(run: Run) -> None:
    """Until it is known whether the answer is a task or a message."""
    while run.live is None and run.direct is None and not run.is_over:
        await run.began.wait()


async def _settled(live: LiveTask, seq: int) -> Task:
    """The task once it waits or has ended, by a change of status after `seq` that is durable (SND-08, SND-09)."""
    while True:
        if live.error is not None:
            raise live.error
        if live.state.is_settled and live.status_seq > seq:
            task = (await live.view()).event.task
            assert task is not None
            if task.state.is_settled:
                return task
        else:
            await live.changed.wait()
