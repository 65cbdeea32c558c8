"""Which state may follow which (I5): every pair, and every walk."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.engine import IllegalTransitionError, Turn
from dragoman.engine.lifecycle import check_transition, is_legal
from dragoman.model import DragomanError, TaskState
from tests.unit.engine.kit import COMPLETED, Vault, drain, serving, states

TERMINAL = {TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED}
FIRST = {TaskState.UNSPECIFIED, TaskState.SUBMITTED}


@pytest.mark.parametrize("before", TaskState)
@pytest.mark.parametrize("after", TaskState)
def test_terminal_is_terminal_and_nothing_goes_back_to_the_start(before: TaskState, after: TaskState):
    expected = before not in TERMINAL and after not in FIRST
    assert is_legal(before, after) is expected
    if expected:
        check_transition(before, after)
    else:
        with pytest.raises(IllegalTransitionError, match=f"from {before.name} to {after.name}"):
            check_transition(before, after)


@given(st.lists(st.sampled_from(TaskState), max_size=12))
@settings(max_examples=60, deadline=None)
async def test_whatever_a_job_tries_its_subscribers_see_a_legal_walk(tried: list[TaskState]):
    refused: list[TaskState] = []
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        await go.wait()
        for state in tried:
            try:
                turn.status(state)
            except DragomanError:
                refused.append(state)

    store = Vault()
    async with serving(work, store=store) as host:
        first = await host.stream()
        task_id = next(iter(host.lives))
        other = await host.subscribe(task_id)
        go.set()
        seen = states(await _read_on(first))
        other_seen = states(await _read_on(other))
        task = await host.ended(task_id)
    assert seen[-len(other_seen) + 1 :] == other_seen[1:] or len(other_seen) == 1
    log = b"\n".join(store._tasks[task_id].log).decode()
    walk = [TaskState(part.split('"')[0]) for part in log.split('"state":"')[1:]]
    assert all(is_legal(before, after) for before, after in pairwise(walk))
    ends = [state for state in tried if state in TERMINAL]
    assert task.state is (ends[0] if ends else COMPLETED)
    assert sum(state in TERMINAL for state in walk) == 1


async def _read_on(stream):
    try:
        return await drain(stream)
    finally:
        await stream.aclose()
