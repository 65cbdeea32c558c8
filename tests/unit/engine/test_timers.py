"""Many timers of one length, on one of the event loop."""

import asyncio
from datetime import timedelta

import pytest

from dragoman.engine.timers import Deadline, Timers

SOON = timedelta(milliseconds=5)
LATE = timedelta(hours=1)


async def test_those_that_are_not_stopped_call_back_in_their_order():
    timers, done = Timers(SOON), asyncio.Event()
    called: list[str] = []
    timers.start(lambda: called.append("one"))
    stopped = timers.start(lambda: called.append("two"))
    timers.start(lambda: called.append("three"))
    timers.start(done.set)
    timers.stop(stopped)
    await done.wait()
    assert called == ["one", "three"]


async def test_one_that_was_started_later_is_due_later():
    loop, timers, done = asyncio.get_running_loop(), Timers(SOON), asyncio.Event()
    first = asyncio.Event()
    timers.start(first.set)
    loop.call_later(SOON.total_seconds() / 2, lambda: timers.start(done.set))
    began = loop.time()
    await first.wait()
    assert not done.is_set()
    await done.wait()
    assert loop.time() - began >= 1.5 * SOON.total_seconds() - 0.001


async def test_a_callback_that_fails_does_not_keep_others_from_their_call():
    loop, timers, done = asyncio.get_running_loop(), Timers(SOON), asyncio.Event()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def fail() -> None:
        raise LookupError

    timers.start(fail)
    timers.start(done.set)
    await done.wait()
    assert [type(failure) for failure in failures] == [LookupError]


async def test_one_alarm_serves_all():
    timers = Timers(LATE)
    numbers = [timers.start(lambda: None) for _ in range(100)]
    alarm = timers._alarm
    assert alarm is not None
    for number in numbers:
        timers.stop(number)
    timers.start(lambda: None)
    assert timers._alarm is alarm
    alarm.cancel()


async def test_a_deadline_ends_the_wait():
    with pytest.raises(TimeoutError), Deadline(Timers(SOON)):
        await asyncio.Event().wait()


async def test_a_deadline_that_is_kept_leaves_no_trace():
    timers = Timers(SOON)
    with Deadline(timers):
        await asyncio.sleep(0)
    late = asyncio.Event()
    timers.start(late.set)
    await late.wait()  # by now the deadline would have passed as well


async def test_whoever_is_canceled_meanwhile_is_canceled():
    entered = asyncio.Event()

    async def wait() -> None:
        with Deadline(Timers(LATE)):
            entered.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await entered.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_error_goes_through_a_deadline():
    with pytest.raises(LookupError), Deadline(Timers(LATE)):
        raise LookupError
