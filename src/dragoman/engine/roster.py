"""The tasks that this process runs or watches, and what everything that touches them needs."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from dragoman.bus import Bus
from dragoman.engine.entries import StreamItem
from dragoman.engine.errors import DuplicateSendError
from dragoman.engine.handler import Call
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask
from dragoman.engine.locks import KeyedLocks
from dragoman.engine.nursery import Nursery
from dragoman.engine.run import Run
from dragoman.engine.signals import wait_at_most
from dragoman.engine.streams import EventStream
from dragoman.engine.writer import LogWriter
from dragoman.model import A2AError, Clock, TaskNotFoundError
from dragoman.store import Scope, TaskStore

logger = logging.getLogger("dragoman.engine.roster")

_CATCH_UP_PAGE = 256
_LOOK_EVERY_SECONDS = 1.0
_MOST_UNATTENDED = 100_000


@dataclass
class Roster:
    """Every live task of one engine, by id.

    `unattended` are tasks that this process holds in the store and that nobody here runs any more, because their log
    could not be written; `left` tells when there is one more.
    """

    agent: str
    holder: str
    store: TaskStore
    bus: Bus
    writer: LogWriter
    nursery: Nursery
    limits: Limits
    clock: Clock
    new_id: Callable[[], str]
    lives: dict[str, LiveTask] = field(default_factory=dict[str, LiveTask])
    runs: dict[str, Run] = field(default_factory=dict[str, Run])
    unattended: dict[str, None] = field(default_factory=dict[str, None])
    left: asyncio.Event = field(default_factory=asyncio.Event)
    registering: KeyedLocks = field(default_factory=KeyedLocks)
    _watches: dict[LiveTask, asyncio.Task[None]] = field(default_factory=dict[LiveTask, asyncio.Task[None]])

    def scope_of(self, call: Call) -> Scope:
        return Scope(self.agent, call.principal.tenant, call.principal.subject)

    def find(self, scope: Scope, task_id: str) -> LiveTask | None:
        """The task, if it is live here and the scope's."""
        live = self.lives.get(task_id)
        return live if live is not None and live.scope == scope else None

    def run_of(self, live: LiveTask) -> Run | None:
        run = self.runs.get(live.task_id)
        if run is None or run.live is not live or run.is_over or run.is_abandoned:
            return None
        return run

    def is_open(self, live: LiveTask) -> bool:
        """Whether another process may append to the task: none runs it here, or one that waits for its caller."""
        run = self.run_of(live)
        return run is None or run.is_parked

    @asynccontextmanager
    async def visit(self, scope: Scope, task_id: str) -> AsyncGenerator[LiveTask]:
        """The task, brought to life if need be; TaskNotFoundError if the scope has none with that id."""
        live = await self._get(scope, task_id)
        live.users += 1
        try:
            yield live
        finally:
            self._leave(live)

    async def _get(self, scope: Scope, task_id: str) -> LiveTask:
        if live := self.find(scope, task_id):
            return live
        stored = await self.store.load(scope, task_id) if task_id not in self.lives else None
        if live := self.find(scope, task_id):  # somebody was faster
            return live
        if stored is None:
            raise TaskNotFoundError
        live = LiveTask.revive(stored, max_window_bytes=self.limits.max_window_bytes)
        if not stored.header.state.is_terminal:
            self.adopt(live)
        return live

    def adopt(self, live: LiveTask) -> None:
        self.lives[live.task_id] = live

    def end(self, run: Run) -> None:
        """The run is over."""
        if self.runs.get(run.task_id) is run:
            del self.runs[run.task_id]
        if run.live is not None:
            if run.live.error is None:
                self.see_to_watch(run.live)
            self.forget_idle(run.live)

    def lose(self, live: LiveTask) -> None:
        """The task's log could not be written: whoever runs it stops, and recovery sees what can be saved."""
        if self.lives.get(live.task_id) is live:
            del self.lives[live.task_id]
        run = self.runs.get(live.task_id)
        if run is not None and run.live is live:
            run.abandon()
            self.end(run)
        if isinstance(live.error, DuplicateSendError):
            return  # there never was such a task
        if len(self.unattended) < _MOST_UNATTENDED:
            self.unattended[live.task_id] = None
        self.left.set()

    def _leave(self, live: LiveTask) -> None:
        live.users -= 1
        self.forget_idle(live)

    def forget_idle(self, live: LiveTask) -> None:
        """Forget the task, if nobody needs it and all that was said about it is durable."""
        is_idle = not live.users and live.is_level and self.run_of(live) is None
        if is_idle and self.lives.get(live.task_id) is live:
            del self.lives[live.task_id]

    @asynccontextmanager
    async def observe(self, live: LiveTask) -> AsyncGenerator[None]:
        """Follow what becomes of the task, whoever runs it."""
        self._subscribe(live)
        try:
            yield
        finally:
            self._unsubscribe(live)

    def open_stream(self, live: LiveTask, *, after: int, first: StreamItem | None = None) -> EventStream:
        """One more subscriber of the task."""
        self._subscribe(live)
        stream = EventStream(live, self.store, after=after, first=first)
        stream.on_close(lambda: self._unsubscribe(live))
        return stream

    def _subscribe(self, live: LiveTask) -> None:
        live.users += 1
        live.subscribers += 1
        self.see_to_watch(live)

    def see_to_watch(self, live: LiveTask) -> None:
        """A task that has subscribers and no run at work here is watched."""
        if not live.subscribers or live.state.is_terminal or live in self._watches:
            return
        if self.is_open(live):
            watch = self.nursery.spawn(partial(self._watch, live), name=f"watch of task {live.task_id}")
            self._watches[live] = watch

    def _unsubscribe(self, live: LiveTask) -> None:
        live.subscribers -= 1
        if not live.subscribers:
            live.shed()
            if watch := self._watches.pop(live, None):
                watch.cancel()
        self._leave(live)

    async def _watch(self, live: LiveTask) -> None:
        """Follow, for as long as it has subscribers, the log of a task that another process may run."""
        rung = asyncio.Event()
        stop = self.bus.listen(live.task_id, rung.set)
        try:
            while not live.state.is_terminal and live.error is None:
                rung.clear()
                await self._look(live)
                await _wait_a_while(rung)
        finally:
            stop()
            # Else the task has had new subscribers since, and they have a watch of their own.
            if self._watches.get(live) is asyncio.current_task():
                del self._watches[live]

    async def _look(self, live: LiveTask) -> None:
        try:
            await self.catch_up(live)
        except A2AError:
            logger.warning(
                "the store does not answer; subscribers of task %s wait until it does", live.task_id
            )

    async def catch_up(self, live: LiveTask) -> None:
        """Read what other processes appended, unless a run here does the appending.

        A run that waited here for its caller while another process took the task over is given up.
        """
        while self.is_open(live) and live.is_level:
            after = live.tip
            entries = await self.store.read(live.task_id, after, _CATCH_UP_PAGE)
            if not entries:
                return
            if self.is_open(live) and live.tip == after:  # else somebody else has read them meanwhile
                if run := self.run_of(live):
                    run.abandon()
                    self.end(run)
                live.absorb(entries)


async def _wait_a_while(rung: asyncio.Event) -> None:
    """Until the doorbell rings, or a little while, for a ring may be lost."""
    await wait_at_most(_LOOK_EVERY_SECONDS, rung.wait())
