"""A skill at work on one request."""

import asyncio
import concurrent.futures
import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Mapping
from datetime import timedelta
from typing import Any

from dragoman.agent.context import Context
from dragoman.agent.delivery import Delivery
from dragoman.agent.fetching import FileFetcher
from dragoman.agent.performer import Performer
from dragoman.agent.portal import Portal
from dragoman.agent.skill import Skill
from dragoman.agent.sync_context import SyncContext
from dragoman.agent.threads import Threads
from dragoman.engine.handler import Turn
from dragoman.engine.limits import Limits
from dragoman.model import Message, Task
from dragoman.security import Principal


class SkillJob:
    """A skill chosen and its arguments valid: the `Job` that the engine runs."""

    def __init__(
        self,
        skill: Skill,
        arguments: Mapping[str, Any],
        *,
        threads: Threads,
        step_threads: Threads,
        limits: Limits,
        files: FileFetcher,
    ) -> None:
        self._skill = skill
        self._arguments = arguments
        self._threads = threads
        self._step_threads = step_threads
        self._limits = limits
        self._files = files

    @property
    def may_reply(self) -> bool:
        return self._skill.signature.may_reply

    @property
    def is_idempotent(self) -> bool:
        return self._skill.is_idempotent

    async def run(self, turn: Turn) -> None:
        delivery = Delivery(
            turn,
            self._skill.facts,
            files=self._files,
            may_reply=self.may_reply,
            max_file_bytes=self._limits.max_artifact_bytes,
        )
        performer = Performer(turn.steps, self._step_threads)
        try:
            if self._skill.signature.kind.is_sync:
                await self._perform_in_thread(delivery, performer)
            else:
                await self._settle(self._call(lambda: Context(delivery, performer)), delivery)
        except SystemExit as error:  # it would take the whole process along
            raise RuntimeError("the skill tried to end the process") from error
        except asyncio.CancelledError as error:
            if _is_being_cancelled():
                raise
            raise RuntimeError("something that the skill awaited was canceled") from error

    async def _perform_in_thread(self, delivery: Delivery, performer: Performer) -> None:
        performer.steps.begin(in_thread=True)  # every call through the portal is a task of its own
        async with Portal() as portal:
            context = SyncContext(delivery, performer, portal)

            def work() -> Any:
                value = self._call(lambda: context)
                return _drain(value, delivery, portal) if inspect.isgenerator(value) else value

            # A skill without a context cannot learn that it was canceled, so that there is no use in waiting for it.
            has_context = SyncContext in self._skill.signature.provided.values()
            patience = self._limits.cancel_grace if has_context else timedelta()
            value = await _await_thread(self._threads.submit(work), portal, patience)
        await self._settle(value, delivery)

    def _call(self, make_context: Callable[[], Context | SyncContext]) -> Any:
        signature, arguments = self._skill.signature, self._arguments
        if signature.provided:  # most functions have no use for a context
            context = make_context()
            provided = {name: _provide(kind, context) for name, kind in signature.provided.items()}
            arguments = {**arguments, **provided}
        return signature.call(self._skill.function, arguments)

    async def _settle(self, value: Any, delivery: Delivery) -> None:
        if inspect.isawaitable(value):
            value = await value
        if hasattr(value, "__aiter__"):
            await _stream(value, delivery)
        else:
            await delivery.finish(value)


async def _stream(values: AsyncIterable[Any], delivery: Delivery) -> None:
    async with contextlib.AsyncExitStack() as stack:
        if isinstance(values, AsyncGenerator):
            stack.push_async_callback(values.aclose)
        async for value in values:
            await delivery.add(value)
    await delivery.close()


def _drain(values: Generator[Any, Any, Any], delivery: Delivery, portal: Portal) -> Any:
    """Send on what a synchronous generator yields; gives what it returns."""
    with contextlib.closing(values):
        while True:
            try:
                value = next(values)
            except StopIteration as stop:
                portal.call(delivery.close)
                return stop.value
            portal.call(functools.partial(delivery.add, value))


async def _await_thread(working: concurrent.futures.Future[Any], portal: Portal, patience: timedelta) -> Any:
    """The result of a thread; when the run is cancelled, the thread has `patience` to notice."""
    waiter = asyncio.wrap_future(working)
    waiter.add_done_callback(_retrieve)
    try:
        await asyncio.wait({waiter})
    except asyncio.CancelledError:
        portal.close()
        if not working.cancel() and patience:
            await asyncio.wait({waiter}, timeout=patience.total_seconds())
        raise
    return waiter.result()


def _retrieve(waiter: "asyncio.Future[Any]") -> None:
    """Look at the error of a thread that nobody waits for any more, so that asyncio does not complain about it."""
    if not waiter.cancelled():
        waiter.exception()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _provide(kind: type, context: Context | SyncContext) -> Any:
    if kind is Message:
        return context.message
    if kind is Principal:
        return context.caller
    return context.task if kind is Task else context
