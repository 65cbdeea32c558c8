"""Callers who do not give up: whatever happens to a send, it is sent again under its key until it is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

import aiohttp

from dragoman import Client
from dragoman.client import EventStream, TaskHandle
from dragoman.client.options import World
from dragoman.model import (
    AgentCard,
    Event,
    PeerError,
    Task,
    TaskNotCancelableError,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.resilience import Backoff

T = TypeVar("T")

SKILLS = ("steps", "chunks", "ask", "slow")
PATIENT = Backoff(attempts=1000, initial_seconds=0.05, max_seconds=0.3)
ATTEMPTS = 2000


@dataclass
class Record:
    """What became of one piece of work, as its caller saw it."""

    key: str
    skill: str
    task_ids: set[str] = field(default_factory=set)
    """More than one would be a mistake."""
    streams: list[list[Event]] = field(default_factory=list)
    """What the caller read, connection by connection of its own, each to its end."""
    views: list[Task | None] = field(default_factory=list)
    answer: str = ""
    is_canceled: bool = False
    resent: int = 0
    refusal: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether the agent waits for an answer, as far as the caller knows."""
        return bool(self.views) and self.views[-1] is not None and self.views[-1].state.is_interrupted

    @property
    def task_id(self) -> str:
        [task_id] = self.task_ids
        return task_id


class Caller:
    """One of many, each with its own chance, drawn from the seed."""

    def __init__(self, card: AgentCard, http: aiohttp.ClientSession, rng: Random, name: str) -> None:
        self._card = card
        self._http = http
        self._rng = rng
        self._name = name
        self.records: list[Record] = []

    async def work(self, closing: asyncio.Event) -> None:
        """Send, stream, reply and cancel without pause until it is closing time; what was begun is finished."""
        while not closing.is_set():
            number = len(self.records)
            record = Record(f"{self._name}-{number}-{self._rng.randrange(10**9)}", self._rng.choice(SKILLS))
            self.records.append(record)
            await self._do(record)

    async def repeat(self, record: Record) -> None:
        """Send it once more, long after."""
        await self._send(record, record.key, record.key, skill=record.skill)

    async def _do(self, record: Record) -> None:
        if record.skill == "slow":
            await self._send(record, record.key, record.key, skill="slow")
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(record))
                await asyncio.sleep(self._rng.random())
                await self._cancel(record)
            return
        await self._begin(record)
        if record.is_asked and self._rng.random() < 0.8:
            record.answer = f"answer-{record.key}"
            await self._reply(record)

    async def _begin(self, record: Record) -> None:
        match self._rng.randrange(4):
            case 0:
                await self._stream(record, record.key, record.key, skill=record.skill)
            case 1:  # somebody is impatient
                async with asyncio.TaskGroup() as group:
                    for _ in range(3):
                        group.create_task(self._send(record, record.key, record.key, skill=record.skill))
                await self._follow(record)
            case 2:
                await self._send(record, record.key, record.key, skill=record.skill, is_hasty=True)
                await self._follow(record)
            case _:
                await self._stream(record, record.key, record.key, skill=record.skill)

    async def _reply(self, record: Record) -> None:
        try:
            await self._answer(record)
        except UnsupportedOperationError as error:
            record.refusal = str(error)

    async def _answer(self, record: Record) -> None:
        key = f"{record.key}-reply"
        if self._rng.random() < 0.5:
            await self._stream(record, key, record.answer, task=record.task_id)
            return
        await self._send(record, key, record.answer, task=record.task_id, is_hasty=True)
        await self._follow(record)

    def _client(self, key: str = "") -> Client:
        """A client whose next send goes under the key, each time that it is made."""
        world = World(new_id=lambda: key) if key else World()
        return Client(self._card, http=self._http, retry=PATIENT, resubscribe=PATIENT, world=world)

    async def _send(
        self, record: Record, key: str, text: str, *, skill: str = "", task: str = "", is_hasty: bool = True
    ) -> None:
        async with self._client(key) as client:
            answer = await self._insist(
                record, lambda: client.send(text, skill=skill, task=task, return_immediately=is_hasty)
            )
        assert isinstance(answer, TaskHandle)
        record.task_ids.add(answer.id)

    async def _stream(self, record: Record, key: str, text: str, *, skill: str = "", task: str = "") -> None:
        async def read() -> None:
            async with self._client(key) as client:
                await _read(record, client.stream(text, skill=skill, task=task))

        await self._insist(record, read)

    async def _follow(self, record: Record) -> None:
        async with self._client() as client:
            await _read(record, client.subscribe(record.task_id))

    async def _cancel(self, record: Record) -> None:
        async def cancel() -> None:
            async with self._client() as client:
                try:
                    await client.task(record.task_id).cancel()
                except TaskNotCancelableError:  # an earlier attempt has done it, or the task has failed
                    return

        await self._insist(record, cancel)
        record.is_canceled = True

    async def _insist(self, record: Record, act: Callable[[], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS):
            try:
                return await act()
            except (PeerError, UnavailableError):
                record.resent += 1
                await asyncio.sleep(0.05)
        raise AssertionError(f"{record.skill} {record.key} was not answered")


async def _read(record: Record, stream: EventStream) -> None:
    """Read to the end; a stream that breaks before it began is none."""
    events: list[Event] = []
    async with stream:
        async for event in stream:
            if not events:
                record.streams.append(events)
            events.append(event)
            record.task_ids.add(event.id if isinstance(event, Task) else event.task_id)
            if stream.view.is_settled:
                break
    record.views.append(stream.view.task)
