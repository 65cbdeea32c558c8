"""What readers take at once, and share."""

import asyncio
from itertools import pairwise

import pytest

from dragoman.engine.batches import Batch
from dragoman.engine.entries import StreamItem
from dragoman.engine.signals import Signal
from dragoman.engine.window import BehindWindowError, Window
from dragoman.model import TaskState, TaskStatus, TaskStatusUpdateEvent
from tests.unit.engine.kit import message, turns


def item(seq: int) -> StreamItem:
    return StreamItem(seq, message(str(seq)))


def status(seq: int, state: TaskState) -> StreamItem:
    return StreamItem(seq, TaskStatusUpdateEvent(task_id="t", context_id="c", status=TaskStatus(state=state)))


def fill(*sizes: int, after: int = 0) -> Window:
    window = Window(after, 1_000_000)
    for seq, size in enumerate(sizes, after + 1):
        window.push(item(seq), size)
    return window


def numbers(batch: Batch) -> list[int]:
    return [one.seq for one in batch]


def test_readers_at_the_same_place_share_a_batch_and_a_late_one_has_its_own():
    window = fill(10, 10, 10)
    first = window.batch(0, 3)
    assert window.batch(0, 3) is first
    late = window.batch(1, 3)
    assert (numbers(first), numbers(late)) == ([1, 2, 3], [2, 3])
    assert first.upto == late.upto == 3


def test_what_is_not_yet_to_be_seen_is_in_no_batch():
    window = fill(10, 10, 10)
    assert numbers(window.batch(0, 2)) == [1, 2]
    assert numbers(window.batch(0, 3)) == [1, 2, 3]


def test_a_batch_is_bounded_and_the_next_one_goes_on_from_there():
    window = fill(*[100_000] * 10)
    after, taken = 0, list[list[int]]()
    while after < 10:
        batch = window.batch(after, 10)
        after = batch.upto
        taken.append(numbers(batch))
    assert taken == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]


def test_an_event_larger_than_a_batch_goes_alone():
    window = fill(2_000_000, 10)
    assert numbers(window.batch(0, 2)) == [1]


def test_a_window_keeps_no_more_batches_than_it_has_to():
    window = fill(*[10] * 100)
    for after in range(100):
        window.batch(after, 100)
        assert len(window._shared) <= 4
    window.push(item(101), 10)
    assert not window._shared


def test_what_a_window_lets_go_it_shares_no_more():
    window = fill(10, 10)
    window.batch(0, 2)
    window.drop(2)
    assert not window._shared
    for upto in (0, 2, 5):
        with pytest.raises(BehindWindowError):
            window.batch(0, upto)


def test_a_batch_ends_with_the_event_that_ends_a_stream():
    items = [item(1), None, status(3, TaskState.INPUT_REQUIRED), status(4, TaskState.WORKING)]
    batch = Batch(items, 4)
    assert (numbers(batch), batch.is_last) == ([1, 3], True)
    working = Batch([status(1, TaskState.WORKING), item(2)], 2)
    assert (numbers(working), working.is_last) == ([1, 2], False)


def test_a_batch_of_what_nobody_sees_is_empty_and_still_goes_on():
    batch = Batch([None, None], 7)
    assert (list(batch), len(batch), batch.upto, batch.is_last) == ([], 0, 7, False)


class Crowd:
    """Many who wait for a signal, again and again."""

    def __init__(self, size: int) -> None:
        self.signal = Signal()
        self.woken: list[int] = []
        self.tasks = [asyncio.create_task(self._wait(number)) for number in range(size)]

    async def _wait(self, number: int) -> None:
        while True:
            await self.signal.wait()
            self.woken.append(number)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


async def test_a_few_are_woken_at_once():
    few = Crowd(31)
    await turns(1)
    few.signal.fire()
    await turns(1)
    assert few.woken == list(range(31))
    await few.leave()


async def test_a_crowd_is_woken_once_for_all_that_happens_within_a_few_turns():
    crowd = Crowd(100)
    await turns(1)
    for _ in range(3):
        crowd.signal.fire()
        await turns(1)
    assert not crowd.woken
    await turns(3)
    assert crowd.woken == list(range(100))
    await crowd.leave()


async def test_a_crowd_does_not_wait_for_the_end_of_what_never_ends():
    crowd = Crowd(100)
    await turns(1)
    woken: list[int] = []
    for _ in range(60):
        crowd.signal.fire()
        await turns(1)
        woken.append(len(crowd.woken))
    steps = {late - early for early, late in pairwise(woken)}
    assert steps == {0, 100}
    assert woken[-1] >= 400
    await crowd.leave()


async def test_who_leaves_a_crowd_that_is_to_be_woken_is_not_missed_and_who_joins_it_is_woken():
    crowd = Crowd(50)
    await turns(1)
    crowd.signal.fire()
    crowd.tasks[7].cancel()
    late = asyncio.create_task(crowd.signal.wait())
    await turns(1)
    crowd.signal.fire()
    await turns(5)
    assert crowd.woken == [number for number in range(50) if number != 7]
    assert late.done()
    await crowd.leave()
