"""Many timers of one length, on one of the event loop."""

import asyncio
from datetime import timedelta

from dragoman.engine.timers import Timers

SOON = timedelta(milliseconds=5)
A_WHILE = timedelta(milliseconds=100)
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
    loop, timers, done = asyncio.get_running_loop(), Timers(A_WHILE), asyncio.Event()
    first = asyncio.Event()
    timers.start(first.set)
    loop.call_later(A_WHILE.total_seconds() / 2, lambda: timers.start(done.set))
    began = loop.time()
    await first.wait()
    assert not done.is_set()
    await done.wait()
    assert loop.time() - began >= 1.5 * A_WHILE.total_seconds() - 0.001


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


async def test_a_timer_is_there_until_it_is_stopped_or_due():
    timers, done = Timers(SOON), asyncio.Event()
    stopped, kept = timers.start(lambda: None), timers.start(done.set)
    assert stopped in timers
    timers.stop(stopped)
    assert stopped not in timers
    assert kept in timers
    await done.wait()
    assert kept not in timers
