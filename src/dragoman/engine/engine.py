"""The engine: the eleven operations, once, for every binding."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from dragoman.bus import Bus
from dragoman.engine.delivery import Delivery, DeliveryPolicy, PushSender
from dragoman.engine.errors import log_and_refer
from dragoman.engine.extensions import Extensions
from dragoman.engine.handler import Call, Handler
from dragoman.engine.launcher import Launcher
from dragoman.engine.limits import Limits
from dragoman.engine.live import LiveTask
from dragoman.engine.mailroom import Mailroom
from dragoman.engine.named_tasks import id_of
from dragoman.engine.nursery import Nursery
from dragoman.engine.posting import Posting
from dragoman.engine.pushing import Pushing
from dragoman.engine.reading import Canceling, Reading
from dragoman.engine.recovery import Recovery
from dragoman.engine.roster import Roster
from dragoman.engine.sending import Sending
from dragoman.engine.slots import Quota, Slots
from dragoman.engine.streams import EventStream
from dragoman.engine.upkeep import Upkeep
from dragoman.engine.writer import LogWriter
from dragoman.model import (
    A2AError,
    AgentCapabilities,
    AgentCard,
    CancelTaskRequest,
    Clock,
    DeleteTaskPushNotificationConfigRequest,
    Empty,
    ExtendedAgentCardNotConfiguredError,
    ExtensionSupportRequiredError,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    InternalError,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    ListTasksRequest,
    ListTasksResponse,
    PushNotificationNotSupportedError,
    SendMessageRequest,
    SendMessageResponse,
    SubscribeToTaskRequest,
    Task,
    TaskPushNotificationConfig,
    UnavailableError,
    UnsupportedOperationError,
    utc_now,
)
from dragoman.store import TaskStore


def new_uuid() -> str:
    """Ids of tasks, contexts and messages: not to be guessed, and growing with the time (RFC 9562, version 7).

    What is made at the same time lies together in the indexes of a store; ids without order each dirty a page of their own.
    """
    digits = f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


logger = logging.getLogger("dragoman.engine")


class Engine:
    """One agent's tasks, in one process.

    Every operation takes the call first, and raises nothing but A2AErrors. Start it before the first and stop it after the last;
    it opens and closes its store and bus.
    """

    def __init__(
        self,
        *,
        name: str,
        handler: Handler,
        store: TaskStore,
        bus: Bus,
        capabilities: AgentCapabilities,
        limits: Limits | None = None,
        sender: PushSender | None = None,
        delivery: DeliveryPolicy | None = None,
        extensions: Extensions | None = None,
        clock: Clock = utc_now,
        new_id: Callable[[], str] = new_uuid,
    ) -> None:
        self._handler = handler
        self._capabilities = capabilities
        self._extensions = extensions = extensions or Extensions()
        self._required_extensions = frozenset(one.uri for one in capabilities.extensions if one.required)
        self._limits = limits = limits or Limits()
        self._nursery = Nursery()
        self._writer = LogWriter(
            store,
            bus,
            chunk_delay=limits.chunk_delay,
            max_gathered_bytes=limits.max_gathered_bytes,
            on_written=self._forget_idle,
            on_lost=self._lose,
        )
        self._roster = Roster(
            agent=name,
            holder=new_id(),
            store=store,
            bus=bus,
            writer=self._writer,
            nursery=self._nursery,
            limits=limits,
            clock=clock,
            new_id=new_id,
        )
        launcher = Launcher(
            self._roster,
            handler,
            Slots(max_held=limits.max_runs, max_waiting=limits.max_waiting_runs),
            extensions,
        )
        self._mailroom = Mailroom(self._roster)
        self._recovery = Recovery(self._roster, launcher, self._mailroom)
        self._upkeep = Upkeep(self._roster)
        posting = Posting(self._roster, self._recovery, self._mailroom)
        self._sending = Sending(self._roster, launcher, posting, extensions)
        self._reading = Reading(self._roster)
        self._canceling = Canceling(self._roster, self._recovery, self._mailroom)
        self._pushing = Pushing(self._roster)
        self._delivery = Delivery(self._roster, sender, delivery or DeliveryPolicy()) if sender else None
        self._streams = Quota(total=limits.max_streams, each=limits.max_streams_per_caller)
        self._starting = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._is_running = False

    @property
    def is_running(self) -> bool:
        return self._is_running

    async def start(self) -> None:
        """Open the store and the bus, and take over what a dead process left; a second call does nothing."""
        async with self._starting, AsyncExitStack() as opened:
            if self._is_running:
                return
            await opened.enter_async_context(self._roster.store)
            await opened.enter_async_context(self._roster.bus)
            await self._recovery.beat()
            await self._nursery.open()
            self._nursery.spawn(self._writer.run(), name="log writer")
            self._nursery.spawn(self._recovery.keep_lease(), name="lease")
            self._nursery.spawn(self._recovery.look_after(), name="recovery")
            self._nursery.spawn(self._mailroom.run(), name="mailroom")
            self._nursery.spawn(self._upkeep.run(), name="upkeep")
            if self._delivery is not None:
                self._nursery.spawn(self._delivery.run(), name="webhook delivery")
            self._opened = opened.pop_all()
            self._is_running = True

    async def drain(self) -> None:
        """Let the runs that are at work finish, for at most `drain_timeout`; then `stop`."""
        limits, roster = self._limits, self._roster
        try:
            async with asyncio.timeout(limits.drain_timeout.total_seconds()):
                while working := [run for run in roster.runs.values() if run.is_at_work]:
                    await working[0].over.wait()
        except TimeoutError:
            logger.warning("%d runs are given up, to be resumed by whoever starts next", len(roster.runs))

    async def stop(self) -> None:
        """Let go of every run, so that whoever starts next takes it over; write what was said, and close.

        Takes a little longer than `cancel_grace` if a skill ignores cancellation.
        """
        async with self._starting:
            if not self._is_running:
                return
            self._is_running = False
            async with self._opened:
                await self._let_go()

    async def _let_go(self) -> None:
        roster = self._roster
        for run in tuple(roster.runs.values()):
            run.abandon()
        try:
            await self._write_out()
        finally:
            for live in tuple(roster.lives.values()):
                live.break_off(UnavailableError("the agent is shutting down"))
            await self._nursery.close(self._limits.cancel_grace)
            roster.lives.clear()
            roster.runs.clear()
        try:
            await roster.store.retire(roster.holder)
        except UnavailableError:
            logger.warning("the store does not answer; others wait for the lease to run out")

    async def _write_out(self) -> None:
        try:
            async with asyncio.timeout(self._limits.lease.total_seconds()):
                await self._writer.flush()
        except TimeoutError:
            logger.warning("the store does not take what was said last; it is lost")

    def find_name(self, call: Call, name: str) -> str:
        """The id of the task that a caller of 0.1 calls `name`, whether there is one or not."""
        return id_of(self._roster.scope_of(call), name)

    async def send(self, call: Call, request: SendMessageRequest) -> SendMessageResponse:
        self._admit(call)
        self._require_push_if_asked_for(call, request)
        return await self._sending.send(call, request)

    async def stream(self, call: Call, request: SendMessageRequest) -> EventStream:
        self._require_streaming(call)
        self._require_push_if_asked_for(call, request)
        return await self._counted(call, lambda: self._sending.stream(call, request))

    async def get_task(self, call: Call, request: GetTaskRequest) -> Task:
        self._admit(call)
        return await self._reading.get(call, request)

    async def list_tasks(self, call: Call, request: ListTasksRequest) -> ListTasksResponse:
        self._admit(call)
        return await self._reading.list(call, request)

    async def cancel_task(self, call: Call, request: CancelTaskRequest) -> Task:
        self._admit(call)
        return await self._canceling.cancel(call, request)

    async def subscribe(self, call: Call, request: SubscribeToTaskRequest) -> EventStream:
        self._require_streaming(call)
        return await self._counted(call, lambda: self._reading.subscribe(call, request))

    async def create_push_config(
        self, call: Call, request: TaskPushNotificationConfig
    ) -> TaskPushNotificationConfig:
        self._require_push(call)
        return await self._pushing.create(call, request)

    async def get_push_config(
        self, call: Call, request: GetTaskPushNotificationConfigRequest
    ) -> TaskPushNotificationConfig:
        self._require_push(call)
        return await self._pushing.get(call, request)

    async def list_push_configs(
        self, call: Call, request: ListTaskPushNotificationConfigsRequest
    ) -> ListTaskPushNotificationConfigsResponse:
        self._require_push(call)
        return await self._pushing.list(call, request)

    async def delete_push_config(self, call: Call, request: DeleteTaskPushNotificationConfigRequest) -> Empty:
        self._require_push(call)
        return await self._pushing.delete(call, request)

    async def get_extended_card(
        self,
        call: Call,
        request: GetExtendedAgentCardRequest,  # noqa: ARG002 -- all operations have the same shape
    ) -> AgentCard:
        if not self._capabilities.extended_agent_card:
            raise UnsupportedOperationError("this agent has no extended card")
        try:
            card = self._handler.extended_card(call)
        except A2AError:
            raise
        except Exception:  # noqa: BLE001 -- logged by log_and_refer
            raise InternalError(log_and_refer("the agent failed to make its extended card")) from None
        if card is None:
            raise ExtendedAgentCardNotConfiguredError
        return self._extensions.show(card)

    async def _counted(self, call: Call, opening: Callable[[], Awaitable[EventStream]]) -> EventStream:
        """Open a stream that counts against the limits until it is closed."""
        owner = (call.principal.tenant, call.principal.subject)
        if not self._streams.take(owner):
            raise UnavailableError("too many streams are open; close one first")
        try:
            stream = await opening()
        except BaseException:
            self._streams.give(owner)
            raise
        stream.on_close(lambda: self._streams.give(owner))
        return stream

    def _forget_idle(self, live: LiveTask) -> None:
        self._roster.forget_idle(live)

    def _lose(self, live: LiveTask) -> None:
        self._roster.lose(live)

    def _admit(self, call: Call) -> None:
        if not self._is_running:
            raise UnavailableError("the agent is not running")
        if missing := self._required_extensions.difference(call.extensions):
            named = ", ".join(sorted(missing))
            raise ExtensionSupportRequiredError(
                f"the agent requires extensions; send the header 'A2A-Extensions: {named}'"
            )

    def _require_streaming(self, call: Call) -> None:
        self._admit(call)
        if not self._capabilities.streaming:
            raise UnsupportedOperationError("this agent does not stream; use SendMessage and GetTask")

    def _require_push_if_asked_for(self, call: Call, request: SendMessageRequest) -> None:
        if request.configuration and request.configuration.task_push_notification_config:
            self._require_push(call)

    def _require_push(self, call: Call) -> None:
        self._admit(call)
        if not self._capabilities.push_notifications or self._delivery is None:
            raise PushNotificationNotSupportedError
