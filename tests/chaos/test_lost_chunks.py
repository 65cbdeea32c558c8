"""A chunk that was shown and not yet written dies with its process (I1). Its reader comes to no harm."""

import asyncio

import pytest

from dragoman import Client
from dragoman.client import EventStream
from dragoman.model import Event, TaskArtifactUpdateEvent, TaskStatusUpdateEvent
from dragoman.resilience import Backoff
from tests.chaos.victim import Victim, serving

pytestmark = pytest.mark.slow


async def read_two_letters(stream: EventStream) -> list[Event]:
    events: list[Event] = []
    async for event in stream:
        events.append(event)
        if sum(isinstance(event, TaskArtifactUpdateEvent) for event in events) == 2:
            return events
    raise AssertionError(f"no letters came: {events}")


async def read_across_a_kill(victim: Victim, first_pause: float) -> tuple[list[Event], EventStream]:
    """The events of a stream that was cut by a kill, right after a chunk that nobody had written down."""
    backoff = Backoff(attempts=100, initial_seconds=first_pause, max_seconds=first_pause)
    async with Client(victim.url, resubscribe=backoff) as client, asyncio.timeout(30):
        stream = client.stream("Ada", skill="spell")
        events = await read_two_letters(stream)
        await victim.kill()
        await victim.start()
        return [*events, *[event async for event in stream]], stream


async def test_a_reader_that_comes_back_at_once_has_the_text_once(tmp_path):
    async with serving(tmp_path, lease=4) as victim:  # the reader is back before the run is
        _, stream = await read_across_a_kill(victim, 0.1)
    assert stream.view.task is not None
    assert stream.view.task.text == "a b c "


async def test_a_reader_that_comes_back_late_sees_every_status(tmp_path):
    async with serving(tmp_path) as victim:
        events, _ = await read_across_a_kill(victim, 5.0)
    statuses = [event.status for event in events if isinstance(event, TaskStatusUpdateEvent)]
    told = [f"{status.state.name} {status.message.text if status.message else ''}" for status in statuses]
    assert told == ["WORKING ", "WORKING ", "WORKING halfway", "WORKING done for Ada", "COMPLETED "]
