"""A message for a task that exists: to its run, wherever that is."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from dragoman.engine.entries import StreamItem
from dragoman.engine.errors import HeldElsewhereError, OvertakenError, RunEndedError
from dragoman.engine.handler import Call
from dragoman.engine.keys import find_task
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask
from dragoman.engine.mailroom import Letter, Mailroom
from dragoman.engine.pushing import push_of, register
from dragoman.engine.recovery import Recovery
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.signals import wait_at_most
from dragoman.model import (
    FieldViolation,
    InvalidParamsError,
    Message,
    SendMessageRequest,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.store import IdempotencyKey, Outcome

AS_IT_STANDS = -1
_LOOK_AGAIN_SECONDS = 1.0


class Place(Struct, frozen=True):
    """Where a caller takes part in a task: with which view it begins, and after which entry an answer is one to it.

    `since` is set if the caller has said the same before: the entry with which its first stream began, 0 for all of the log.
    """

    live: LiveTask
    view: StreamItem | None
    after: int
    since: int | None = None


class Posting:
    """Hands messages to tasks that exist, wherever they are run."""

    def __init__(self, roster: Roster, recovery: Recovery, mailroom: Mailroom) -> None:
        self._roster = roster
        self._recovery = recovery
        self._mailroom = mailroom

    async def hand_over(
        self, call: Call, live: LiveTask, request: SendMessageRequest, key: IdempotencyKey | None
    ) -> Place:
        """Give the message to the task's run, or to a new one where it waits without (I7).

        A task that could not go on has ended instead; that is the answer then. OvertakenError if another process took the
        task meanwhile: then nobody has heard the message, or it `is_posted` and whoever runs the task will.
        """
        if key is not None and await find_task(call, key, self._roster):
            return await self.rejoin(live)
        await self._roster.catch_up(live)
        _check_continuation(live, request.message, self._roster.limits)
        run = await self._find_run(live)
        if run is None and live.state.is_terminal:
            return Place(live, await live.view(at_least=live.tip), AS_IT_STANDS)
        if run is not None:
            run.inbox.check_room()
        for push in push_of(call, request, self._roster, cursor=live.tip):
            await register(self._roster, live.scope, live.task_id, push)
        message = replace(request.message, context_id=live.context_id)
        if run is None or key is not None:
            return await self._post(call, live, message, key)
        return await self._tell(live, run, message)

    async def _find_run(self, live: LiveTask) -> Run | None:
        """The run of the task, begun now if nobody runs it; None if another process does, or if it could not go on."""
        try:
            return self._roster.run_of(live) or await self._recovery.take_over(live)
        except HeldElsewhereError:
            return None

    async def _tell(self, live: LiveTask, run: Run, message: Message) -> Place:
        try:
            received = run.post(message)
        except RunEndedError:  # while this was waiting for the store
            _check_continuation(live, message, self._roster.limits)
            raise OvertakenError from None
        while live.durable < received.seq:
            live.check()
            await live.changed.wait()
        return Place(live, received, received.seq)

    async def _post(self, call: Call, live: LiveTask, message: Message, key: IdempotencyKey | None) -> Place:
        """Leave the message in the store for the task's run, here or elsewhere, and wait until it has got there."""
        before = live.received_seq
        match await self._mailroom.post(live, Letter(message=message), key):
            case Outcome.DUPLICATE:
                assert key is not None
                await find_task(call, key, self._roster)
                return await self.rejoin(live)
            case Outcome.STALE:
                await self._roster.catch_up(live)
                _check_continuation(live, message, self._roster.limits)
                raise UnavailableError(
                    "too many messages wait for this task; try again when it has read some"
                )
            case Outcome.ACCEPTED:
                try:
                    await self._until_received(live, before)
                except OvertakenError as error:
                    error.is_posted = True
                    raise
        return Place(live, await live.view(at_least=live.received_seq), max(live.received_seq, before))

    async def rejoin(self, live: LiveTask) -> Place:
        """What was said before is not said again; but if it still waits to be heard, it is seen to that somebody hears it."""
        waiting = await self._roster.store.signals_of(live.task_id)
        if waiting and (run := await self._find_run(live)):
            await self._mailroom.collect_for(run)
        heard = live.received_seq
        return Place(live, await live.view(), heard or AS_IT_STANDS, heard or None)

    async def _until_received(self, live: LiveTask, before: int) -> None:
        """Until a run has the message; where its process lets the task go meanwhile, this one takes it over.

        Not for ever: the message is safe, and a process that does not read it within its lease has other troubles.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._roster.limits.lease.total_seconds()
        while loop.time() < deadline and live.received_seq <= before and not live.state.is_terminal:
            live.check()
            try:
                run = await self._find_run(live)
            except UnsupportedOperationError:  # it has ended, and its log tells whether it heard the message
                return
            if run is not None:
                await self._mailroom.collect_for(run)
            if live.received_seq <= before:
                await _wait_a_while(live)


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


async def _wait_a_while(live: LiveTask) -> None:
    await wait_at_most(_LOOK_AGAIN_SECONDS, live.changed.wait())
