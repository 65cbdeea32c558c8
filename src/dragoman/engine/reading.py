"""GetTask, ListTasks, SubscribeToTask and CancelTask."""

import asyncio

from dragoman.engine.checks import check_get, check_list
from dragoman.engine.cursor import dump_cursor, load_cursor
from dragoman.engine.errors import HeldElsewhereError
from dragoman.engine.handler import Call
from dragoman.engine.live import LiveTask, load_task, task_in
from dragoman.engine.mailroom import Letter, Mailroom
from dragoman.engine.projection import project
from dragoman.engine.recovery import Recovery
from dragoman.engine.resuming import find_start
from dragoman.engine.roster import Roster
from dragoman.engine.streams import EventStream
from dragoman.model import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    SubscribeToTaskRequest,
    Task,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.store import Outcome, StoredTask, TaskQuery


class Reading:
    """What callers may see of their tasks."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    async def get(self, call: Call, request: GetTaskRequest) -> Task:
        check_get(request)
        return project(await self._look_up(call, request.id), request.history_length)

    async def list(self, call: Call, request: ListTasksRequest) -> ListTasksResponse:
        roster = self._roster
        check_list(request, roster.limits)
        size = request.page_size or roster.limits.default_page_size
        after = request.status_timestamp_after
        query = TaskQuery(
            limit=size,
            context_id=request.context_id,
            state=request.status,
            status_at_least=after.millis if after else None,
            after=load_cursor(request.page_token) if request.page_token else None,
        )
        page = await roster.store.list_tasks(roster.scope_of(call), query)
        return ListTasksResponse(
            tasks=tuple(_project_stored(stored, request) for stored in page.tasks),
            next_page_token=_token_after(page.tasks[-1]) if page.has_more else "",
            page_size=size,
            total_size=page.total,
        )

    async def subscribe(self, call: Call, request: SubscribeToTaskRequest) -> EventStream:
        """The task as it is, then everything after (SUB-02, I2); or what comes after the last event that was read."""
        roster = self._roster
        async with roster.visit(roster.scope_of(call), request.id) as live:
            await roster.catch_up(live)
            start = await find_start(live, roster.store, call.last_event_id) if call.last_event_id else None
            if start is not None:
                return roster.open_stream(live, after=start.after, first=start.view)
            view = await live.view()
            if task_in(view).state.is_terminal:
                raise UnsupportedOperationError("the task has ended; read it with GetTask")
            return roster.open_stream(live, after=view.seq, first=view)

    async def _look_up(self, call: Call, task_id: str) -> Task:
        roster = self._roster
        scope = roster.scope_of(call)
        live = roster.find(scope, task_id)
        if live is not None and not (roster.is_open(live) and live.is_level):
            return task_in(await live.view())
        stored = await roster.store.load(scope, task_id)
        if stored is None:
            raise TaskNotFoundError
        return load_task(stored)


class Canceling:
    """CancelTask."""

    def __init__(self, roster: Roster, recovery: Recovery, mailroom: Mailroom) -> None:
        self._roster = roster
        self._recovery = recovery
        self._mailroom = mailroom

    async def cancel(self, call: Call, request: CancelTaskRequest) -> Task:
        """Cancel the task, whether it waits or works, and answer with what has become of it (CAN-01, D-18)."""
        roster = self._roster
        async with roster.visit(roster.scope_of(call), request.id) as live, roster.observe(live):
            await roster.catch_up(live)
            try:
                if live.state.is_terminal or not await self._recovery.cancel(live):
                    raise TaskNotCancelableError
            except HeldElsewhereError:
                await self._cancel_elsewhere(live)
            return await self._become(live)

    async def _cancel_elsewhere(self, live: LiveTask) -> None:
        if await self._mailroom.post(live, Letter(cancel=True)) is Outcome.STALE:
            await self._roster.catch_up(live)
            raise TaskNotCancelableError if live.state.is_terminal else UnavailableError

    async def _become(self, live: LiveTask) -> Task:
        """The task once it has ended; as it stands if whoever runs it does not answer (I8)."""
        patience = self._roster.limits.cancel_grace + self._roster.limits.lease
        try:
            async with asyncio.timeout(patience.total_seconds()):
                return await _ended(live)
        except TimeoutError:
            return task_in(await live.view())


async def _ended(live: LiveTask) -> Task:
    while not live.state.is_terminal:
        live.check()
        await live.changed.wait()
    return task_in(await live.view(at_least=live.status_seq))


def _project_stored(stored: StoredTask, request: ListTasksRequest) -> Task:
    return project(
        load_task(stored), request.history_length, include_artifacts=bool(request.include_artifacts)
    )


def _token_after(stored: StoredTask) -> str:
    return dump_cursor(stored.header.status_at, stored.task_id)
