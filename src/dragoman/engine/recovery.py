"""What becomes of tasks whose process died (invariants I3, I4)."""

import asyncio
import logging

from dragoman.engine.entries import Origin, load_entry
from dragoman.engine.handler import Call
from dragoman.engine.launcher import Launcher
from dragoman.engine.live import LiveTask
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.model import (
    A2AError,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from dragoman.security import Principal
from dragoman.store import StoredTask

logger = logging.getLogger("dragoman.engine.recovery")

_SWEEP_SIZE = 100


class Recovery:
    """Keeps this process's lease alive, and takes over what dead ones held."""

    def __init__(self, roster: Roster, launcher: Launcher) -> None:
        self._roster = roster
        self._launcher = launcher

    async def beat(self) -> None:
        """Renew the lease once."""
        roster = self._roster
        until = roster.clock().millis + round(roster.limits.lease.total_seconds() * 1000)
        await roster.store.beat(roster.holder, until)

    async def run(self) -> None:
        """Renew the lease and sweep up orphans, for ever."""
        while True:
            try:
                await self.beat()
                await self.sweep()
            except A2AError:
                logger.warning("the store does not answer; its tasks are looked after when it does")
            await asyncio.sleep(self._roster.limits.lease.total_seconds() / _BEATS_PER_LEASE)

    async def sweep(self) -> None:
        """Take over the tasks that dead processes left behind."""
        roster = self._roster
        for task_id in await roster.store.orphans(roster.agent, roster.clock().millis, _SWEEP_SIZE):
            stored = await roster.store.claim(task_id, roster.holder, roster.clock().millis)
            if stored is not None:
                await self._settle(stored)

    async def take_over(self, live: LiveTask) -> Run | None:
        """A run for a task that nobody runs; None if a live process holds it. One that cannot go on is failed."""
        roster = self._roster
        stored = await roster.store.claim(live.task_id, roster.holder, roster.clock().millis)
        if run := roster.run_of(live):  # somebody was faster
            return run
        if stored is None:
            return None
        return await self._restart(live, stored)

    async def cancel_idle(self, live: LiveTask) -> bool:
        """Cancel a task that nobody runs; False if a live process holds it."""
        roster = self._roster
        stored = await roster.store.claim(live.task_id, roster.holder, roster.clock().millis)
        if stored is None:
            return False
        await self._own(live, stored)
        self._end(live, TaskState.CANCELED, "")
        return True

    async def _settle(self, stored: StoredTask) -> None:
        """Run an orphan again, or fail it; one that waits for its caller goes on waiting, held by nobody."""
        live = self._roster.lives.get(stored.task_id)
        if live is None:
            live = LiveTask.revive(stored, max_window_bytes=self._roster.limits.max_window_bytes)
            self._roster.adopt(live)
        logger.warning("task %s was left behind by a process that died", stored.task_id)
        await self._restart(live, stored)

    async def _restart(self, live: LiveTask, stored: StoredTask) -> Run | None:
        await self._own(live, stored)
        call, request = await self._original(live)
        try:
            run = self._launcher.resume(live, call, request)
        except A2AError:
            run = None
        if run is None:
            self._end(live, TaskState.FAILED, _LOST)
            await live.until_durable()
            self._roster.release(live)
        return run

    async def _own(self, live: LiveTask, stored: StoredTask) -> None:
        await self._roster.catch_up(live)
        live.own(stored)
        self._roster.writer.attach(live)

    async def _original(self, live: LiveTask) -> tuple[Call, SendMessageRequest]:
        """The call that began the task, as far as the log remembers it."""
        [data] = await self._roster.store.read(live.task_id, 0, 1)
        first = load_entry(data)
        assert first.task is not None
        origin = first.origin or Origin()
        principal = Principal(subject=live.scope.owner, tenant=live.scope.tenant)
        request = SendMessageRequest(
            tenant=live.scope.tenant,
            message=first.task.history[0],
            configuration=SendMessageConfiguration(accepted_output_modes=origin.accepted_output_modes),
            metadata=origin.metadata,
        )
        return Call(principal, origin.extensions), request

    def _end(self, live: LiveTask, state: TaskState, text: str) -> None:
        message = Message(
            message_id=self._roster.new_id(),
            role=Role.AGENT,
            parts=(Part.of_text(text),),
            task_id=live.task_id,
            context_id=live.context_id,
        )
        status = TaskStatus(state=state, message=message if text else None, timestamp=self._roster.clock())
        live.set_status(TaskStatusUpdateEvent(task_id=live.task_id, context_id=live.context_id, status=status))


_BEATS_PER_LEASE = 3
_LOST = "the agent stopped while it worked on this task, and cannot go on with it; please send it again"
