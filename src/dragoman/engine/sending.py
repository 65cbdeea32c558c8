"""SendMessage and SendStreamingMessage: from an admitted request to a run and back."""

from msgspec.structs import replace

from dragoman.engine.checks import check_send
from dragoman.engine.entries import StreamItem
from dragoman.engine.errors import RunEndedError
from dragoman.engine.handler import Call
from dragoman.engine.launcher import Launcher
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask, task_in
from dragoman.engine.projection import project
from dragoman.engine.pushing import push_of, register
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
            check_send(request, self._roster.limits)
            async with self._roster.visit(self._roster.scope_of(call), request.message.task_id) as live:
                received = await self._continue(live, request)
                return wrap_reply(await self._answer(live, received.seq, configuration))
        run = await self._begin(call, request)
        if run.direct is not None:
            return wrap_reply(run.direct)
        return wrap_reply(await self._answer(_task_of(run), 1, configuration))

    async def stream(self, call: Call, request: SendMessageRequest) -> EventStream:
        if request.message.task_id:
            check_send(request, self._roster.limits)
            async with self._roster.visit(self._roster.scope_of(call), request.message.task_id) as live:
                received = await self._continue(live, request)
                return self._roster.open_stream(live, after=received.seq, first=received)
        run = await self._begin(call, request)
        if run.direct is not None:
            return EventStream.of_message(run.direct)
        return self._roster.open_stream(_task_of(run), after=0)

    async def _begin(self, call: Call, request: SendMessageRequest) -> Run:
        """Start a run, and wait until it is known whether the answer is a task or a message."""
        run = self._launcher.start(call, request)
        while run.live is None and run.direct is None and not run.is_over:
            await run.began.wait()
        return run

    async def _answer(self, live: LiveTask, seq: int, configuration: SendMessageConfiguration) -> Task:
        if configuration.return_immediately:
            task = task_in(await live.view(at_least=seq))
        else:
            task = await _settled(live, seq)
        return project(task, configuration.history_length)

    async def _continue(self, live: LiveTask, request: SendMessageRequest) -> StreamItem:
        """Hand the message to the task that it names: to its run, or to a new one where it waits without (I7).

        A task that could not go on has ended instead; that is the answer then.
        """
        roster, message = self._roster, request.message
        _check_continuation(live, message, roster.limits)
        run = roster.run_of(live)
        if run is None and (run := await self._recovery.take_over(live)) is None:
            return await live.view(at_least=live.tip)
        run.inbox.check_room()
        for push in push_of(request, roster, cursor=live.tip):
            await register(roster, live.scope, live.task_id, push)
        try:
            return run.post(replace(message, context_id=live.context_id))
        except RunEndedError:  # while this was waiting for the store
            _check_continuation(live, message, roster.limits)
            raise UnavailableError from None


def _check_continuation(live: LiveTask, message: Message, limits: Limits) -> None:
    if message.context_id not in ("", live.context_id):
        violation = FieldViolation(field="message.contextId", description="is not the context of this task")
        raise InvalidParamsError(violations=[violation])
    if live.state.is_terminal:
        raise UnsupportedOperationError(
            f"the task has ended ({live.state.name}); send a message without its taskId"
        )
    if live.history_length >= limits.max_history:
        raise UnsupportedOperationError("the task's history is full; send a message without its taskId")


def _task_of(run: Run) -> LiveTask:
    """The task that the run began; whatever kept it from one is raised."""
    if run.live is None:
        raise UnavailableError("the agent is shutting down")
    return run.live


async def _settled(live: LiveTask, seq: int) -> Task:
    """The task once it waits or has ended, by a change of status after `seq` that is durable (SND-08, SND-09)."""
    while True:
        if live.state.is_terminal or (live.state.is_settled and live.status_seq > seq):
            task = task_in(await live.view(at_least=live.status_seq))
            if task.state.is_settled:
                return task
        else:
            live.check()
            await live.changed.wait()
