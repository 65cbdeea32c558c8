"""A task whose processes die, again and again, ends as if none had."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dragoman.model import Artifact, Task
from tests.unit.engine.kit import COMPLETED
from tests.unit.engine.programs import Death, Group, Program, Story

WORK = ("step", "fail", "sleep", "now", "random", "uuid", "write")


def programs(top: Sequence[str], inner: Sequence[str] = WORK) -> SearchStrategy[Program]:
    """Programs of `top` in the main branch, and `inner` in groups and groups within them."""
    nested: SearchStrategy[list[str | Group]] = st.recursive(
        st.lists(st.sampled_from(inner), min_size=1, max_size=4),
        lambda deeper: st.lists(st.one_of(st.sampled_from(inner), _groups(deeper)), min_size=1, max_size=3),
        max_leaves=4,
    )
    return st.lists(st.one_of(st.sampled_from(top), _groups(nested)), min_size=1, max_size=6)


def _groups(inner: SearchStrategy[list[str | Group]]) -> SearchStrategy[Group]:
    return st.builds(Group, st.lists(inner, min_size=1, max_size=3))


deaths = st.lists(st.builds(Death, st.integers(1, 25), st.booleans()), max_size=6)
thorough = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def by_id(task: Task) -> dict[str, Artifact]:
    """The artifacts; those of branches may begin in any order."""
    return {artifact.artifact_id: artifact for artifact in task.artifacts or ()}


async def check(program: Program, deaths: Sequence[Death]) -> None:
    """What came out, what was told and how often anything was done, beside the same program undisturbed."""
    calm, disturbed = Story(program), Story(program)
    expected, found = await calm.play(), await disturbed.play(deaths)
    assert expected.state is COMPLETED, calm.tell()
    assert found.state is COMPLETED, disturbed.tell()
    assert by_id(found) == by_id(expected), disturbed.tell()
    assert disturbed.statuses() == calm.statuses(), disturbed.tell()
    assert disturbed.pieces() == calm.pieces(), disturbed.tell()
    check_steps(disturbed, most=1 + len(deaths))


def check_steps(story: Story, *, most: int) -> None:
    """No function was called more often than the log has attempts, and each knew which attempt it was."""
    attempts = story.attempts()
    for path, count in story.done.items():
        assert count <= attempts[path] <= most
        assert story.numbers[path] == sorted(set(story.numbers[path]))
        assert story.numbers[path][-1] == attempts[path]


@given(program=programs((*WORK, "say")), deaths=deaths)
@thorough
async def test_a_program_that_is_crashed_anywhere_ends_in_the_same_result(
    program: Program, deaths: Sequence[Death]
):
    await check(program, deaths)


@given(program=programs((*WORK, "say", "ask", "ask")), deaths=deaths)
@thorough
async def test_a_program_that_asks_and_is_crashed_anywhere_ends_in_the_same_result(
    program: Program, deaths: Sequence[Death]
):
    await check(program, deaths)


@given(program=programs(("step", "ask"), ("step", "now", "ask")), deaths=deaths)
@thorough
async def test_questions_side_by_side_get_their_own_answers_whatever_crashes(
    program: Program, deaths: Sequence[Death]
):
    await check(program, deaths)


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("calls", range(1, 9))
async def test_a_step_beside_another_is_done_once_wherever_the_process_dies(calls: int, is_after: bool):
    await check([Group([["step", "random"], ["random", "step"]]), "step"], [Death(calls, is_after)])


async def test_an_answer_that_was_taken_is_read_although_the_process_dies_at_once():
    for calls in range(1, 8):
        await check(["ask"], [Death(calls, is_after=True)])
        await check(["ask", "ask"], [Death(2, is_after=True), Death(calls, is_after=True)])


async def test_a_question_that_was_asked_gets_its_answer_before_one_that_was_not():
    for calls in range(1, 12):
        await check([Group([["step", "ask"], ["ask"]])], [Death(calls, is_after=False)])
        await check([Group([["ask", "ask"], ["ask"]])], [Death(calls, is_after=True)])


async def test_a_question_can_be_seen_while_another_branch_goes_on_talking():
    await check([Group([["ask"], ["step", "say"], ["say"]])], [])
