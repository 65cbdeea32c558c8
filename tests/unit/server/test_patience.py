"""Waiting with a limit."""

import asyncio

import pytest

from dragoman.server.patience import Patience


async def give(value):
    return value


async def wait_in(patience, work):
    return await patience.wait(work)


async def test_what_ends_in_time_is_returned():
    assert await Patience(10).wait(give(5)) == 5


async def test_what_need_not_wait_is_not_timed():
    patience = Patience(10)
    assert await patience.wait(give(5)) == 5
    assert patience._timer is None


async def test_what_waits_more_than_once_goes_on_with_what_came():
    async def gather():
        return [await asyncio.sleep(0, number) for number in range(3)]

    assert await Patience(10).wait(gather()) == [0, 1, 2]


async def test_what_takes_too_long_is_given_up():
    with pytest.raises(TimeoutError):
        await Patience(0.01).wait(asyncio.Event().wait())
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_every_wait_has_its_own_limit():
    patience, ended = Patience(0.02), []

    async def wait(number):
        try:
            await patience.wait(asyncio.Event().wait())
        except TimeoutError:
            ended.append(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(wait(1))
        group.create_task(wait_in(patience, give(None)))
        await asyncio.sleep(0.01)
        group.create_task(wait(2))
        assert ended == []
    assert ended == [1, 2]


async def test_errors_pass():
    async def fail():
        raise KeyError

    with pytest.raises(KeyError):
        await Patience(10).wait(fail())


async def test_a_cancellation_from_outside_stays_one():
    waiting = asyncio.create_task(wait_in(Patience(10), asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_it_can_be_used_again_after_its_timer_ran_out():
    patience = Patience(0.01)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await patience.wait(asyncio.Event().wait())
