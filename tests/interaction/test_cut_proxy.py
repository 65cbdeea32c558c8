# ruff: noqa: T201 -- the counts are what is asked for
"""A proxy cuts the connection of a stream, at every event and at any byte: the caller notices nothing of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import chain, repeat
from random import Random

import pytest

from dragoman import Agent, Client, Context, Progress
from dragoman.model import (
    Binding,
    Event,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatusUpdateEvent,
)
from dragoman.resilience import Backoff
from tests.interaction.sockets import serving

pytestmark = pytest.mark.slow

SEED = 20250717
RANDOM_SONGS = 25
PATIENCE = 5
WORDS = tuple(f"{number} " for number in range(12))
TEXT = "".join(WORDS)
QUESTION = "go on?"


async def sing(text: str, ctx: Context) -> AsyncIterator[str | Progress]:
    """Sing word by word, and say how far it is."""
    for number, word in enumerate(WORDS):
        yield word
        await asyncio.sleep(0)
        if number % 4 == 3:
            yield Progress(f"{number} sung")
            await ctx.step(rest)
    yield Progress(f"done for {text}")


async def rest() -> None:
    await asyncio.sleep(0)


async def ask(text: str, ctx: Context) -> str:
    """Ask, and say what was answered."""
    await ctx.progress("about to ask")
    return f"{text} {await ctx.ask(QUESTION)}"


def make_agent() -> Agent:
    agent = Agent("Singer", "Streams", default_skill="sing", tags=["test"])
    agent.skill(sing)
    agent.skill(ask)
    return agent


class CutProxy:
    """Passes bytes on, and cuts connections that carry a stream.

    `cuts` says for one stream after the other where: after so many bytes of its body, or, where the number is negative, at
    the end of so many events. Streams after the last one pass.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.cuts: Iterator[int] = iter(())
        self.made = 0
        self.streamed = 0
        self._serving: set[asyncio.Task[object]] = set()

    def begin(self, cuts: Iterable[int]) -> None:
        self.cuts, self.made, self.streamed = iter(cuts), 0, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            up = asyncio.create_task(_pump(reader, to_writer))
            down = asyncio.create_task(self._pass_down(to_reader, writer))
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            up.cancel()
            down.cancel()
            await asyncio.wait([up, down])
        finally:
            to_writer.transport.abort()
            writer.transport.abort()
            self._serving.discard(task)

    async def close(self) -> None:
        """Until every connection is gone."""
        for task in (serving := tuple(self._serving)):
            task.cancel()
        if serving:
            await asyncio.wait(serving)

    async def _pass_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await self._cut(reader, writer)

    async def _cut(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = b""
        limit: int | None = None
        passed = 0
        while data := await reader.read(65536):
            seen += data
            start = seen.find(b"text/event-stream")
            if start >= 0 and limit is None:
                limit = next(self.cuts, 10**9)
                self.streamed += 1
            end = len(seen) if limit is None else _end_of(seen, seen.index(b"\r\n\r\n", start) + 4, limit)
            writer.write(seen[passed:end])
            await writer.drain()
            passed = end
            if end < len(seen) or (limit is not None and _is_reached(seen, start, limit)):
                self.made += 1
                await asyncio.sleep(0.01)  # what was written leaves before the connection is broken off
                return


def _end_of(seen: bytes, body: int, limit: int) -> int:
    """Up to where the bytes pass."""
    if limit >= 0:
        return min(len(seen), body + limit)
    ends = _event_ends(seen[body:])
    return body + ends[-limit - 1] if len(ends) >= -limit else len(seen)


def _is_reached(seen: bytes, start: int, limit: int) -> bool:
    body = seen.index(b"\r\n\r\n", start) + 4
    if limit >= 0:
        return len(seen) - body >= limit
    return len(_event_ends(seen[body:])) >= -limit


def _event_ends(body: bytes) -> list[int]:
    """Where events end: at an empty line, and the rest of the chunk of HTTP that has it does not matter."""
    ends = []
    position = 0
    while (position := body.find(b"\n\n", position)) >= 0:
        position += 2
        ends.append(position)
    return ends


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cutting() -> AsyncGenerator[tuple[CutProxy, str], None]:
    """The agent behind a proxy; the proxy and its address."""
    async with serving(make_agent()) as url:
        proxy = CutProxy(int(url.rpartition(":")[2]))
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        async with server:
            try:
                yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            finally:
                await proxy.close()


def patient_client(url: str, binding: Binding) -> Client:
    """One that comes back at once, and often."""
    return Client(
        url,
        bindings=[binding],
        resubscribe=Backoff(attempts=200, initial_seconds=0.001, max_seconds=0.01),
    )


async def read(
    client: Client, words: str = "Ada", *, skill: str = "", task: str = ""
) -> tuple[list[Event], Task]:
    stream = client.stream(words, skill=skill, task=task)
    async with asyncio.timeout(PATIENCE):
        events = [event async for event in stream]
    assert stream.view.task is not None
    return events, stream.view.task


def tell(events: list[Event]) -> list[str]:
    """The events as a caller has them who prints every piece as it comes; where text was cut into pieces does not count."""
    told: list[str] = []
    for event in events:
        if isinstance(event, TaskArtifactUpdateEvent):
            piece = "".join(part.text or "" for part in event.artifact.parts)
            if told and told[-1].startswith("text "):
                told[-1] += piece
            else:
                told.append(f"text {piece}")
        elif isinstance(event, TaskStatusUpdateEvent):
            message = event.status.message
            told.append(f"{event.status.state.name} {message.text if message else ''}")
        else:
            told.append(type(event).__name__)
    return told


SONG = [
    "Task",
    "WORKING ",
    "text 0 1 2 3 ",
    "WORKING 3 sung",
    "text 4 5 6 7 ",
    "WORKING 7 sung",
    "text 8 9 10 11 ",
    "WORKING 11 sung",
    "WORKING done for Ada",
    "text ",  # the end of the artifact
    "COMPLETED ",
]
EVENTS = 20
"""The stream of a song has so many: the task, six statuses, twelve words and the end of the artifact."""


@pytest.fixture(params=[Binding.JSONRPC, Binding.REST], ids=lambda binding: binding.name)
def binding(request: pytest.FixtureRequest) -> Binding:
    found: Binding = request.param
    return found


async def check_song(proxy: CutProxy, url: str, binding: Binding, cuts: Iterable[int]) -> None:
    proxy.begin(cuts)
    async with patient_client(url, binding) as client:
        events, task = await read(client)
    assert tell(events) == SONG
    assert task.state is TaskState.COMPLETED
    assert task.text == TEXT


async def test_without_a_cut_the_proxy_is_not_noticed(binding):
    async with cutting() as (proxy, url):
        await check_song(proxy, url, binding, [])
        assert (proxy.made, proxy.streamed) == (0, 1)


async def test_a_cut_at_any_event_is_not_noticed(binding):
    async with cutting() as (proxy, url):
        for number in range(1, EVENTS):
            await check_song(proxy, url, binding, [-number])
            assert (proxy.made, proxy.streamed) == (1, 2)


async def test_cuts_after_every_single_event_are_not_noticed(binding):
    async with cutting() as (proxy, url):
        await check_song(proxy, url, binding, repeat(-1))
        assert proxy.made >= EVENTS - 1


async def test_cuts_at_any_byte_are_not_noticed(binding):
    rng = Random(SEED)
    cuts = 0
    async with cutting() as (proxy, url):
        for _ in range(RANDOM_SONGS):
            await check_song(proxy, url, binding, chain([rng.randrange(600, 3000)], _draw(rng)))
            cuts += proxy.made
    assert cuts > RANDOM_SONGS
    print(
        f"seed {SEED}, {binding.name}: {cuts} cuts at random bytes, each of {EVENTS} events of {RANDOM_SONGS} streams seen once"
    )


def _draw(rng: Random) -> Iterator[int]:
    while True:
        yield rng.randrange(0, 2000)


@pytest.mark.parametrize("events", [1, 2, 3, 4])
async def test_a_question_ends_the_stream_wherever_it_was_cut(binding, events):
    async with cutting() as (proxy, url), patient_client(url, binding) as client:
        proxy.begin([-events])
        asked, task = await read(client, skill="ask")
        assert tell(asked) == ["Task", "WORKING ", "WORKING about to ask", f"INPUT_REQUIRED {QUESTION}"]
        proxy.begin([-events])
        _, task = await read(client, "yes", task=task.id)
    assert (task.state, task.text) == (TaskState.COMPLETED, "Ada yes")


@pytest.mark.parametrize("size", [0, 1, 50])
async def test_a_cut_before_the_first_event_is_not_noticed(binding, size):
    async with cutting() as (proxy, url):
        await check_song(proxy, url, binding, [size])
