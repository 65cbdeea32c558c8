"""SendMessage and SendStreamingMessage: from an admitted request to a run and back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from dragoman.engine.checks import check_send
from dragoman.engine.errors import DuplicateSendError
from dragoman.engine.handler import Call
from dragoman.engine.keys import find_task, key_of
from dragoman.engine.launcher import Launcher
from dragoman.engine.live import LiveTask, task_in
from dragoman.engine.posting import AS_IT_STANDS, Place, Posting
from dragoman.engine.projection import project
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.streams import EventStream, find_mark
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

    def __init__(self, roster: Roster, launcher: Launcher, posting: Posting) -> None:
        self._roster = roster
        self._launcher = launcher
        self._posting = posting

    async def send(self, call: Call, request: SendMessageRequest) -> SendMessageResponse:
        configuration = request.configuration or _DEFAULTS
        async with self._enter(call, request) as place:
            if isinstance(place, Message):
                return wrap_reply(place)
            return wrap_reply(await self._answer(place, configuration))

    async def stream(self, call: Call, request: SendMessageRequest) -> EventStream:
        async with self._enter(call, request) as place:
            if isinstance(place, Message):
                return EventStream.of_message(place)
            if call.last_event_id:
                seq = await find_mark(place.live, self._roster.store, call.last_event_id)
                if seq is not None:
                    return self._roster.open_stream(place.live, after=seq)
            after = place.view.seq if place.view is not None else 0
            return self._roster.open_stream(place.live, after=after, first=place.view)

    @asynccontextmanager
    async def _enter(self, call: Call, request: SendMessageRequest) -> AsyncGenerator[Place | Message]:
        """Have the request done, unless it was before; where the caller then stands, or the message that is all."""
        key = key_of(call, request, self._roster)
        if request.message.task_id:
            check_send(request, self._roster.limits)
            async with self._visit(call, request.message.task_id) as live:
                yield await self._posting.hand_over(call, live, request, key)
            return
        run = await self._begin(call, request, key)
        if run is None:
            assert key is not None
            async with self._visit(call, await find_task(call, key, self._roster) or "") as live:
                yield Place(live, await live.view(), AS_IT_STANDS)
        else:
            yield run.direct if run.direct is not None else Place(_task_of(run), None, 1)

    @asynccontextmanager
    async def _visit(self, call: Call, task_id: str) -> AsyncGenerator[LiveTask]:
        """A task that the caller knows of, and whatever becomes of it while the caller is there."""
        roster = self._roster
        async with roster.visit(roster.scope_of(call), task_id) as live, roster.observe(live):
            yield live

    async def _begin(self, call: Call, request: SendMessageRequest, key: IdempotencyKey | None) -> Run | None:
        """Start a run, and wait until it is known whether the answer is a task or a message.

        None if this was asked for under the same key before.
        """
        run = self._launcher.start(call, request, key)
        while run.live is None and run.direct is None and not run.is_over:
            await run.began.wait()
        if key is not None and run.live is not None:
            await run.live.until_durable()
            if isinstance(run.live.error, DuplicateSendError):
                return None
        return run

    async def _answer(self, place: Place, configuration: SendMessageConfiguration) -> Task:
        task: Task | None = None
        if not configuration.return_immediately:
            task = await self._wait_until_settled(place)
        if task is None:
            task = task_in(await place.live.view(at_least=max(place.after, 0)))
        return project(task, configuration.history_length)

    async def _wait_until_settled(self, place: Place) -> Task | None:
        """The task once it waits or has ended; None if that takes longer than a caller may block."""
        try:
            async with asyncio.timeout(self._roster.limits.block_timeout.total_seconds()):
                return await _settled(place.live, place.after)
        except TimeoutError:
            return None


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
