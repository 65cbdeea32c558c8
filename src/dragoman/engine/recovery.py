"""What becomes of tasks that nobody runs any more (invariants I3, I4)."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from dragoman.engine.entries import LogEntry, Origin, load_entry
from dragoman.engine.errors import HeldElsewhereError
from dragoman.engine.handler import Call
from dragoman.engine.launcher import Launcher
from dragoman.engine.live import LiveTask
from dragoman.engine.locks import KeyedLocks
from dragoman.engine.mailroom import Mailroom
from dragoman.engine.past import load_past
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.signals import wait_at_most
from dragoman.model import (
    A2AError,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    TaskState,
    TaskStatus,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.security import Principal
from dragoman.store import Commit, StoredTask

logger = logging.getLogger("dragoman.engine.recovery")

_SWEEP_SIZE = 100
_LOG_PAGE = 256


class Recovery:
    """Keeps this process's lease alive, and takes over what dead ones held.

    To take a task over is to claim it in the store, which ends what any earlier claim allowed. So it is done by one
    caller at a time, and `Roster.unattended` names the task until it is known what has become of it.
    """

    def __init__(self, roster: Roster, launcher: Launcher, mailroom: Mailroom) -> None:
        self._roster = roster
        self._launcher = launcher
        self._mailroom = mailroom
        self._locks = KeyedLocks()

    async def beat(self) -> None:
        """Renew the lease once."""
        roster = self._roster
        until = roster.clock().millis + round(roster.limits.lease.total_seconds() * 1000)
        await roster.store.beat(roster.holder, until)

    async def keep_lease(self) -> None:
        """Renew the lease in time, for ever."""
        while True:
            await asyncio.sleep(self._pause)
            try:
                await self.beat()
            except A2AError:
                logger.warning("the store does not answer; the lease on this process's tasks may run out")
            except Exception:
                logger.exception("the lease on this process's tasks could not be renewed")

    async def look_after(self) -> None:
        """Sweep up what is left behind, now and again, for ever."""
        while True:
            self._roster.left.clear()
            try:
                await self.sweep()
            except A2AError:
                logger.warning("the store does not answer; what was left behind is taken up when it does")
            except Exception:
                logger.exception("what was left behind could not be taken up")
            await self._wait_a_while()

    async def sweep(self) -> None:
        """Take over the tasks that dead processes left behind, and those that this one had to leave."""
        roster = self._roster
        for task_id in tuple(roster.unattended):
            await self._rescue(task_id)
        while orphans := await roster.store.orphans(roster.agent, roster.clock().millis, _SWEEP_SIZE):
            outcomes = [await self._rescue(task_id) for task_id in orphans]
            if not any(outcomes):  # somebody else is at it
                return

    async def take_over(self, live: LiveTask) -> Run | None:
        """A run for a task that nobody runs; None if it cannot go on, and has ended for that reason just now.

        HeldElsewhereError if another process runs it, UnsupportedOperationError if it had ended before.
        """
        async with self._attend(live.task_id):
            if run := self._roster.run_of(live):  # somebody was faster
                return run
            if not await self._claim(live):
                raise UnsupportedOperationError("the task has ended; send a message without its taskId")
            return await self._restart(live, is_left_behind=False)

    async def cancel(self, live: LiveTask) -> bool:
        """Cancel the task, whether anybody here runs it or not; False if it has ended.

        HeldElsewhereError if another process runs it.
        """
        async with self._attend(live.task_id):
            if run := self._roster.run_of(live):
                run.cancel()
                return True
            if not await self._claim(live):
                return False
            self._end(live, TaskState.CANCELED)
            return True

    @asynccontextmanager
    async def _attend(self, task_id: str) -> AsyncGenerator[None]:
        async with self._locks.of(task_id):
            yield
            self._roster.unattended.pop(task_id, None)

    async def _claim(self, live: LiveTask) -> bool:
        """Make the task this process's, as far as its log goes; False if it has ended."""
        live.check()
        if live.state.is_terminal:  # which may not be durable yet, and must not be fenced off
            return False
        stored = await self._claim_stored(live.task_id)
        await self._roster.catch_up(live)
        if stored is not None:
            self._own(live, stored)
            return True
        if live.task().state.is_terminal:
            return False
        raise HeldElsewhereError

    async def _claim_stored(self, task_id: str) -> StoredTask | None:
        roster = self._roster
        roster.unattended[task_id] = None
        stored = await roster.store.claim(task_id, roster.holder, roster.clock().millis)
        if stored is None:
            roster.unattended.pop(task_id, None)
        return stored

    def _own(self, live: LiveTask, stored: StoredTask) -> None:
        live.own(stored)
        self._roster.adopt(live)
        self._roster.writer.attach(live)

    async def _rescue(self, task_id: str) -> bool:
        """Settle a task that was left behind; False if it is not to be had."""
        try:
            async with self._attend(task_id):
                return await self._settle(task_id)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("task %s was left behind, and cannot be taken up", task_id)
            self._roster.unattended.pop(task_id, None)
            return False

    async def _settle(self, task_id: str) -> bool:
        """Run the task again, or fail it; one that waits for its caller goes on waiting, held by nobody."""
        roster = self._roster
        if self._is_attended(task_id):
            await self._hand_over_mail(task_id)
            return False
        stored = await self._claim_stored(task_id)
        if stored is None:
            return False
        is_left_behind = await self._is_left_behind(stored)
        if is_left_behind:
            logger.warning("task %s was left behind", task_id)
        elif not await roster.store.signals_of(task_id):
            await self._release(stored)
            return True
        live = roster.lives.get(task_id)
        if live is None:
            live = LiveTask.revive(stored, max_window_bytes=roster.limits.max_window_bytes)
        await roster.catch_up(live)
        self._own(live, stored)
        await self._restart(live, is_left_behind=is_left_behind)
        await self._hand_over_mail(task_id)
        return True

    async def _hand_over_mail(self, task_id: str) -> None:
        """A run that waits for its caller is held by nobody, and gets no mail by itself."""
        if run := self._roster.runs.get(task_id):
            await self._mailroom.collect_for(run)

    def _is_attended(self, task_id: str) -> bool:
        """Whether this process runs the task, or is writing its end."""
        live = self._roster.lives.get(task_id)
        return live is not None and (self._roster.run_of(live) is not None or not live.is_level)

    async def _is_left_behind(self, stored: StoredTask) -> bool:
        """Whether a process died that was at work on the task, be it that it had begun to read its caller's answer."""
        if not stored.header.state.is_interrupted:
            return True
        return bool(load_past(await self._read_log(stored.task_id, stored.last_seq)).unread)

    async def _release(self, stored: StoredTask) -> None:
        release = Commit(
            scope=stored.scope,
            task_id=stored.task_id,
            fence=stored.fence,
            first=stored.last_seq + 1,
            entries=(),
            header=stored.header,
        )
        await self._roster.store.commit([release])

    async def _restart(self, live: LiveTask, *, is_left_behind: bool) -> Run | None:
        """Run the task again from the top; one that cannot go on, or takes its process along each time, is failed."""
        entries = await self._read_log(live.task_id, live.tip)
        call, request = _original(live, entries[0])
        past = load_past(entries)
        if is_left_behind:
            if past.restarts >= self._roster.limits.max_restarts:
                self._end(live, TaskState.FAILED, _FATAL)
                return None
            live.record(LogEntry(restarted=True), is_urgent=True)
        run = self._launcher.resume(live, call, request, past)
        if run is None:
            self._end(live, TaskState.FAILED, _LOST)
        return run

    async def _read_log(self, task_id: str, last_seq: int) -> list[LogEntry]:
        entries: list[LogEntry] = []
        while len(entries) < last_seq:
            page = await self._roster.store.read(task_id, len(entries), _LOG_PAGE)
            if not page:
                break
            entries += [load_entry(data) for data in page]
        return entries

    def _end(self, live: LiveTask, state: TaskState, text: str = "") -> None:
        roster = self._roster
        message = Message(
            message_id=roster.new_id(),
            role=Role.AGENT,
            parts=(Part.of_text(text),),
            task_id=live.task_id,
            context_id=live.context_id,
        )
        live.set_status(TaskStatus(state=state, message=message if text else None, timestamp=roster.clock()))

    @property
    def _pause(self) -> float:
        return self._roster.limits.lease.total_seconds() / _BEATS_PER_LEASE

    async def _wait_a_while(self) -> None:
        await wait_at_most(self._pause, self._roster.left.wait())


_BEATS_PER_LEASE = 3
_LOST = "the agent stopped while it worked on this task, and cannot go on with it; please send it again"
_FATAL = "the agent's process has died several times while it worked on this task; it is not tried again"


def _original(live: LiveTask, first: LogEntry) -> tuple[Call, SendMessageRequest]:
    """The call that began the task, as far as the log remembers it."""
    assert first.task is not None
    origin = first.origin or Origin()
    principal = Principal(
        subject=live.scope.owner,
        tenant=live.scope.tenant,
        scopes=frozenset(origin.scopes),
        claims=origin.claims or {},
    )
    request = SendMessageRequest(
        tenant=live.scope.tenant,
        message=first.task.history[0],
        configuration=SendMessageConfiguration(accepted_output_modes=origin.accepted_output_modes),
        metadata=origin.metadata,
    )
    return Call(principal, origin.extensions), request
