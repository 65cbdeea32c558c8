"""The tasks that this process runs or watches, and what everything that touches them needs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from dragoman.bus import Bus
from dragoman.engine.handler import Call
from dragoman.engine.limits import Limits
from dragoman.engine.entries import StreamItem
from dragoman.engine.live import LiveTask
from dragoman.engine.nursery import Nursery
from dragoman.engine.run import Run
from dragoman.engine.streams import EventStream
from dragoman.engine.writer import LogWriter
from dragoman.model import Clock, TaskNotFoundError
from dragoman.store import Scope, TaskStore

_CATCH_UP_PAGE = 256
_LOOK_EVERY_SECONDS = 1.0


@dataclass
class Roster:
    """Every live task of one engine, by id."""

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

    def scope_of(self, call: Call) -> Scope:
        return Scope(self.agent, call.principal.tenant, call.principal.subject)

    def find(self, scope: Scope, task_id: str) -> LiveTask | None:
        """The task, if it is live here and the scope's."""
        live = self.lives.get(task_id)
        return live if live is not None and live.scope == scope else None

    def run_of(self, live: LiveTask) -> Run | None:
        run = self.runs.get(live.task_id)
        return run if run is not None and not run.is_over else None

    async def get(self, scope: Scope, task_id: str) -> LiveTask:
        """The task, brought to life if need be; TaskNotFoundError if the scope has none with that id.

        Let go of it with `release` when done.
        """
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

    def release(self, live: LiveTask) -> None:
        """Forget the task, unless somebody here still runs or watches it."""
        is_idle = self.run_of(live) is None and live.subscribers == 0 and live.durable == live.tip
        if is_idle and self.lives.get(live.task_id) is live:
            del self.lives[live.task_id]

    def open_stream(self, live: LiveTask, *, after: int, first: StreamItem | None = None) -> EventStream:
        """One more subscriber of the task."""
        stream = EventStream(live, self.store, after=after, first=first)
        live.subscribers += 1
        stream.on_close(lambda: self._let_go(live))
        if live.subscribers == 1 and self.run_of(live) is None:
            self.nursery.spawn(self.watch(live), name=f"watch of task {live.task_id}")
        return stream

    def _let_go(self, live: LiveTask) -> None:
        live.subscribers -= 1
        self.release(live)

    async def watch(self, live: LiveTask) -> None:
        """Follow, for as long as it has subscribers, the log of a task that another process may run."""
        rung = asyncio.Event()
        stop = self.bus.listen(live.task_id, rung.set)
        try:
            while live.subscribers and not live.state.is_terminal:
                rung.clear()
                if self.run_of(live) is None:
                    await self.catch_up(live)
                await _wait_a_while(rung)
        finally:
            stop()
            self.release(live)

    async def catch_up(self, live: LiveTask) -> None:
        """Read what other processes appended."""
        while entries := await self.store.read(live.task_id, live.tip, _CATCH_UP_PAGE):
            if self.run_of(live) is not None:
                return
            live.absorb(entries)


async def _wait_a_while(rung: asyncio.Event) -> None:
    """Until the doorbell rings, or a little while, for a ring may be lost."""
    try:
        async with asyncio.timeout(_LOOK_EVERY_SECONDS):
            await rung.wait()
    except TimeoutError:
        return
