"""Messages and cancels that reach a task by way of the store.

They come that way when another process runs the task, or when they carry a key: then what was said, and under which key, is
durable before anybody acts on it.
"""

import asyncio
import logging
from datetime import timedelta

from dragoman.engine.errors import RunEndedError
from dragoman.engine.live import LiveTask
from dragoman.engine.roster import Roster
from dragoman.engine.run import Run
from dragoman.engine.signals import wait_at_most
from dragoman.model import A2AError, Message, Record
from dragoman.store import IdempotencyKey, Outcome
from dragoman.store import Signal as StoredSignal
from dragoman.wire import codec

logger = logging.getLogger("dragoman.engine.mailroom")

SIGNAL_TOPIC = "signals"
_PAGE = 256
_ROOM_FOR_CANCELS = 2  # a full queue of messages must not keep a cancel out


class Letter(Record, frozen=True, kw_only=True):
    """What a signal says: a message, or that the task is to be canceled."""

    message: Message | None = None
    cancel: bool = False


class Mailroom:
    """Posts letters, and hands those for runs of this process to them."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._rung = asyncio.Event()

    async def run(self) -> None:
        """Hand over what comes, for ever."""
        stop = self._roster.bus.listen(SIGNAL_TOPIC, self._rung.set)
        try:
            while True:
                self._rung.clear()
                await self._collect()
                await self._wait_a_while()
        finally:
            stop()

    async def post(self, live: LiveTask, letter: Letter, key: IdempotencyKey | None = None) -> Outcome:
        """Leave a letter for whoever runs the task; see `TaskStore.post` for the outcome."""
        roster = self._roster
        outcome = await roster.store.post(
            live.scope,
            live.task_id,
            codec.encode(letter),
            limit=roster.limits.max_queued_messages
            * (1 if letter.message is not None else _ROOM_FOR_CANCELS),
            now=roster.clock().millis,
            key=key,
        )
        roster.bus.ring(SIGNAL_TOPIC)
        return outcome

    async def collect_for(self, run: Run) -> None:
        """Hand the run what lies there for its task."""
        for signal in await self._roster.store.signals_of(run.task_id):
            self._hand_over(run, signal)

    async def _collect(self) -> None:
        try:
            signals = await self._roster.store.signals(self._roster.holder, _PAGE)
        except A2AError:
            logger.warning("the store does not answer; what other processes were told waits until it does")
            return
        for signal in signals:
            if run := self._roster.runs.get(signal.task_id):
                self._hand_over(run, signal)

    def _hand_over(self, run: Run, signal: StoredSignal) -> None:
        letter = codec.decode(Letter, signal.body)
        try:
            if letter.message is not None:
                run.hear(letter.message, signal.number)
            elif letter.cancel and run.is_news(signal.number):
                run.cancel()
        except (RunEndedError, A2AError) as error:
            logger.info("task %s does not take what it was told: %s", run.task_id, error)

    async def _wait_a_while(self) -> None:
        await wait_at_most(_LOOK_EVERY.total_seconds(), self._rung.wait())


_LOOK_EVERY = timedelta(seconds=1)
