"""SendMessage and SendStreamingMessage: from an admitted request to a run and back."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from dragoman.engine.checks import check_send
from dragoman.engine.errors import DuplicateSendError, OvertakenError
from dragoman.engine.extensions import Extensions
from dragoman.engine.handler import Call
from dragoman.engine.keys import find_task, key_of
from dragoman.engine.launcher import Launcher
from dragoman.engine.live import LiveTask, task_in
from dragoman.engine.named_tasks import address
from dragoman.engine.posting import AS_IT_STANDS, Place, Posting
from dragoman.engine.projection import project
from dragoman.engine.resuming import Start, find_start, start_again
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.streams import EventStream
from dragoman.engine.timers import Timers
from dragoman.model import (
    Message,
    SendMessageConfiguration,
    SendMessageRequest,
    SendMessageResponse,
    Task,
    UnavailableError,
    wrap_reply,
)
from dragoman.store import IdempotencyKey

_DEFAULTS = SendMessageConfiguration()


class Sending:
    """What a send comes to: a new run, or a message for one that is under way; and the caller's wait for it."""

    def __init__(
        self, roster: Roster, launcher: Launcher, posting: Posting, extensions: Extensions | None = None
    ) -> None:
        self._extensions = extensions or Extensions()
        self._roster = roster
        self._launcher = launcher
        self._posting = posting
        self._block_timers = Timers(roster.limits.block_timeout)

    async def send(self, call: Call, request: SendMessageRequest) -> SendMessageResponse:
        request, key = self._prepare(call, request)
        if call.task_name:
            request = await address(call, request, self._roster)
        if (began := await self._begin(call, request, key)) is not None:
            return wrap_reply(await self._answer(began, request))
        async with self._enter(call, request, key) as place:
            return wrap_reply(await self._answer(place, request))

    async def stream(self, call: Call, request: SendMessageRequest) -> EventStream:
        request, key = self._prepare(call, request)
        if call.task_name:
            request = await address(call, request, self._roster)
        if (began := await self._begin(call, request, key)) is not None:
            return await self._open_stream(call, began)
        async with self._enter(call, request, key) as place:
            return await self._open_stream(call, place)

    def _prepare(
        self, call: Call, request: SendMessageRequest
    ) -> tuple[SendMessageRequest, IdempotencyKey | None]:
        """The request as extensions make it, and the key that it came under."""
        return self._extensions.receive(call, request), key_of(call, request, self._roster)

    async def _open_stream(self, call: Call, place: Place | Message) -> EventStream:
        if isinstance(place, Message):
            return EventStream.of_message(place)
        start = await self._find_start(call, place)
        return self._roster.open_stream(place.live, after=start.after, first=start.view)

    async def _find_start(self, call: Call, place: Place) -> Start:
        """Behind what the caller has read, or where its first stream began; else with the task as it is."""
        start: Start | None = None
        if call.last_event_id:
            start = await find_start(place.live, self._roster.store, call.last_event_id)
        elif place.since is not None:
            start = await start_again(place.live, self._roster.store, place.since)
        return start or Start(place.view.seq if place.view is not None else 0, place.view)

    @asynccontextmanager
    async def _enter(
        self, call: Call, request: SendMessageRequest, key: IdempotencyKey | None
    ) -> AsyncGenerator[Place]:
        """Hand the message to its task, or find the one that was begun under the same key before."""
        if request.message.task_id:
            check_send(request, self._roster.limits)
            async with AsyncExitStack() as visits:
                yield await self._hand_over(visits, call, request, key)
        else:
            assert key is not None
            async with self._visit(call, await find_task(call, key, self._roster) or "") as live:
                yield Place(live, await live.view(), AS_IT_STANDS, 0)

    async def _hand_over(
        self, visits: AsyncExitStack, call: Call, request: SendMessageRequest, key: IdempotencyKey | None
    ) -> Place:
        """Hand the message to the task; once more if another process has taken it meanwhile."""
        live = await visits.enter_async_context(self._visit(call, request.message.task_id))
        try:
            return await self._posting.hand_over(call, live, request, key)
        except OvertakenError as error:
            is_posted = error.is_posted
        live = await visits.enter_async_context(self._visit(call, request.message.task_id))
        if is_posted:
            return await self._posting.rejoin(live)
        return await self._posting.hand_over(call, live, _without_push(request), key)

    @asynccontextmanager
    async def _visit(self, call: Call, task_id: str) -> AsyncGenerator[LiveTask]:
        """A task that the caller knows of, and whatever becomes of it while the caller is there."""
        roster = self._roster
        async with roster.visit(roster.scope_of(call), task_id) as live, roster.observe(live):
            yield live

    async def _begin(
        self, call: Call, request: SendMessageRequest, key: IdempotencyKey | None
    ) -> Place | Message | None:
        """Start a run, and wait until it is known whether the answer is a task or a message.

        None if the message is for a task that there is, or was sent under the same key before.
        """
        if request.message.task_id:
            return None
        run = self._launcher.start(call, request, key)
        while run.live is None and run.direct is None and not run.is_over:
            await run.began.wait()
        if key is not None and run.live is not None:
            await run.live.until_durable()
            if isinstance(run.live.error, DuplicateSendError):
                return None
        return run.direct if run.direct is not None else Place(_task_of(run), None, 1)

    async def _answer(self, place: Place | Message, request: SendMessageRequest) -> Task | Message:
        if isinstance(place, Message):
            return place
        configuration = request.configuration or _DEFAULTS
        task: Task | None = None
        if not configuration.return_immediately:
            task = await self._wait_until_settled(place)
        if task is None:
            task = task_in(await place.live.view(at_least=max(place.after, 0)))
        return project(task, configuration.history_length)

    async def _wait_until_settled(self, place: Place) -> Task | None:
        """The task once it waits or has ended, by a change of status after `place` that is durable (SND-08, SND-09).

        None if that takes longer than a caller may block.
        """
        live, timers = place.live, self._block_timers
        number = timers.start(live.changed.fire)
        try:
            while number in timers:
                if live.state.is_terminal or (live.state.is_settled and live.status_seq > place.after):
                    view = live.peek(live.status_seq)
                    if view is not None and (task := task_in(view)).state.is_settled:
                        return task
                    await live.until_viewable()
                else:
                    live.check()
                    await live.changed.wait()
        finally:
            timers.stop(number)
        return None


def _without_push(request: SendMessageRequest) -> SendMessageRequest:
    """The request once its webhook is registered."""
    configuration = request.configuration and replace(
        request.configuration, task_push_notification_config=None
    )
    return replace(request, configuration=configuration)


def _task_of(run: Run) -> LiveTask:
    """The task that the run began; whatever kept it from one is raised."""
    if run.live is None:
        raise UnavailableError("the agent is shutting down")
    return run.live
