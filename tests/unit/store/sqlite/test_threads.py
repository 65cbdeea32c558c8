import asyncio
import sqlite3
import threading
from functools import partial

import pytest

from dragoman.store.sqlite.threads import Crew, Job


def make_crew(groups, group):
    def serve(connection, jobs):
        groups.append(len(jobs))
        for job in jobs:
            job.run(connection)

    return Crew(lambda: sqlite3.connect(":memory:", check_same_thread=False), serve, group=group)


def give(number, connection):
    return number


async def test_jobs_that_wait_together_are_served_together_and_before_the_end():
    groups: list[int] = []
    crew = make_crew(groups, group=3)
    await crew.start("crew")
    started, gate = threading.Event(), threading.Event()

    def hold(connection):
        started.set()
        gate.wait(10)

    first = crew.submit(Job(hold))
    await asyncio.to_thread(started.wait, 10)
    others = [crew.submit(Job(partial(give, number))) for number in range(5)]
    stopping = asyncio.create_task(crew.stop())
    await asyncio.sleep(0)
    gate.set()
    async with asyncio.timeout(10):
        await first
        assert [await other for other in others] == [0, 1, 2, 3, 4]
        await stopping
    assert groups == [1, 3, 2]


async def test_an_error_reaches_who_asked_and_nobody_else():
    crew = make_crew([], group=10)
    await crew.start("crew")
    bad = crew.submit(Job(lambda connection: connection.execute("nonsense")))
    good = crew.submit(Job(lambda connection: connection.execute("SELECT 1").fetchone()))
    with pytest.raises(sqlite3.OperationalError):
        await bad
    assert await good == (1,)
    await crew.stop()


async def test_who_was_cancelled_is_told_nothing():
    crew = make_crew([], group=10)
    await crew.start("crew")
    gate = threading.Event()
    crew.submit(Job(lambda _: gate.wait(10)))
    cancelled = crew.submit(Job(lambda _: 1))
    cancelled.cancel()
    gate.set()
    await crew.stop()
    assert cancelled.cancelled()
