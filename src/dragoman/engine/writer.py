"""The group-committing writer: appends of all runs, one transaction per tick."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from dragoman.bus import Bus
from dragoman.engine.errors import DuplicateSendError, OvertakenError
from dragoman.engine.live import LiveTask
from dragoman.model import A2AError, UnavailableError
from dragoman.store import Commit, Outcome, TaskStore

logger = logging.getLogger("dragoman.engine.writer")

PUSH_TOPIC = "push"


class LogWriter:
    """Carries what live tasks appended into the store.

    What must be durable soon is written as soon as the previous transaction is done, together with all that came meanwhile;
    chunks gather for `chunk_delay`, or until there are `max_gathered_bytes` of them. `on_written` is told of each
    task that was written. One whose log could not be is broken off, and handed to `on_lost`.
    """

    def __init__(
        self,
        store: TaskStore,
        bus: Bus,
        *,
        chunk_delay: timedelta,
        max_gathered_bytes: int,
        on_written: Callable[[LiveTask], None],
        on_lost: Callable[[LiveTask], None],
    ) -> None:
        self._store = store
        self._bus = bus
        self._chunk_delay = chunk_delay.total_seconds()
        self._max_gathered_bytes = max_gathered_bytes
        self._on_written = on_written
        self._on_lost = on_lost
        self._due: list[LiveTask] = []
        self._delayed: dict[LiveTask, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def attach(self, live: LiveTask) -> None:
        """Write what `live` appends from now on, and what it has appended already."""
        live.on_append = self._note
        self._note(live, True)

    async def run(self) -> None:
        """Write for ever; cancel it after `flush`."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(0)  # so that what else happens at the same time shares the transaction
            self._wake.clear()
            await self._write_due()

    async def flush(self) -> None:
        """Write everything that was appended, at once, when what is being written is."""
        for live in tuple(self._delayed):
            self._make_due(live)
        await self._write_due()

    def _note(self, live: LiveTask, is_urgent: bool) -> None:
        if is_urgent or live.undurable_bytes >= self._max_gathered_bytes:
            self._make_due(live)
        elif live not in self._delayed:
            loop = asyncio.get_running_loop()
            self._delayed[live] = loop.call_later(self._chunk_delay, self._make_due, live)

    def _make_due(self, live: LiveTask) -> None:
        if timer := self._delayed.pop(live, None):
            timer.cancel()
        self._due.append(live)
        live.is_due = True
        self._wake.set()

    async def _write_due(self) -> None:
        async with self._writing:
            due, self._due = self._due, []
            work = [(live, commit) for live in due if (commit := live.take_commit()) is not None]
            if work:
                await self._write([live for live, _ in work], [commit for _, commit in work])

    async def _write(self, lives: Sequence[LiveTask], commits: Sequence[Commit]) -> None:
        try:
            outcomes = await self._store.commit(commits)
        except A2AError as error:
            self._lose(lives, error)
        except Exception:
            logger.exception("the store failed in a way that it should not")
            self._lose(lives, UnavailableError())
        else:
            self._settle(lives, commits, outcomes)

    def _settle(
        self, lives: Sequence[LiveTask], commits: Sequence[Commit], outcomes: Sequence[Outcome]
    ) -> None:
        is_push_due = False
        for live, commit, outcome in zip(lives, commits, outcomes, strict=True):
            match outcome:
                case Outcome.ACCEPTED:
                    live.confirm(commit.last)
                    self._on_written(live)
                    self._bus.ring(live.task_id)
                    is_push_due = is_push_due or live.has_push
                case Outcome.STALE:
                    self._lose([live], OvertakenError("another process has taken the task over; try again"))
                case Outcome.DUPLICATE:
                    self._lose([live], DuplicateSendError())
        if is_push_due:
            self._bus.ring(PUSH_TOPIC)

    def _lose(self, lives: Sequence[LiveTask], error: A2AError) -> None:
        for live in lives:
            live.break_off(error)
            self._on_lost(live)
