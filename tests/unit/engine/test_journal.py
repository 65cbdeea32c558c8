"""The journal of a run: what is answered from the record, and what is told apart."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from dragoman.engine import Turn
from dragoman.engine.errors import NonDeterminismError, StepFailedError
from dragoman.engine.handler import Attempt
from dragoman.engine.journal import Journal, Step, StepCall, StepKind, StepRecord, begin_main
from dragoman.model import SkillError, TaskState
from tests.unit.engine.kit import COMPLETED, FAILED, serving, why
from tests.unit.engine.programs import Death, Story


def step(name: str, fingerprint: str = "") -> StepCall:
    return StepCall(StepKind.STEP, name, fingerprint)


class Records(list[StepRecord]):
    """What lies on a task's log, for one run after the other."""

    def journal(self) -> Journal:
        journal = Journal(tuple(self), self.append)
        begin_main()
        return journal


def do(journal: Journal, name: str) -> str:
    """The step's result, and whether an earlier run had it."""
    entered = journal.enter(step(name))
    if entered.done is not None:
        return f"{entered.done.result} again"
    journal.write(entered.record(is_done=False))
    journal.write(entered.record(is_done=True, result=name))
    return name


def cut_off(journal: Journal, name: str) -> Step:
    """Begin a step that does not end."""
    entered = journal.enter(step(name))
    journal.write(entered.record(is_done=False))
    return entered


async def side_by_side(
    journal: Journal, *branches: Sequence[str], first: Sequence[int] = ()
) -> list[list[str]]:
    """Do the steps of each branch in a task of its own; `first` are the branches that end before the others."""
    gates = [asyncio.Event() for _ in branches]

    async def run(number: int, names: Sequence[str]) -> list[str]:
        results = [do(journal, names[0])]
        await gates[number].wait()
        return results + [do(journal, name) for name in names[1:]]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(number, names)) for number, names in enumerate(branches)]
        for number in [*first, *range(len(branches))]:
            await asyncio.sleep(0)
            gates[number].set()
    return [task.result() for task in tasks]


async def test_steps_are_answered_in_their_order():
    records = Records()
    first = records.journal()
    assert [do(first, "a"), do(first, "b")] == ["a", "b"]
    second = records.journal()
    assert second.is_replaying
    assert [do(second, "a"), do(second, "b"), do(second, "c")] == ["a again", "b again", "c"]
    assert not second.is_replaying


@pytest.mark.parametrize(
    "call, words",
    [
        (step("b"), ["step 'a'", "step 'b'"]),
        (StepCall(StepKind.ASK, "a"), ["step 'a'", "ask 'a'"]),
        (StepCall(StepKind.SLEEP, "0:00:01"), ["step 'a'", "sleep '0:00:01'"]),
    ],
)
async def test_another_call_than_the_recorded_one_is_refused_with_the_names_of_both(
    call: StepCall, words: list[str]
):
    records = Records()
    do(records.journal(), "a")
    with pytest.raises(NonDeterminismError) as caught:
        records.journal().enter(call)
    assert all(word in str(caught.value) for word in words)


async def test_calls_that_differ_in_their_arguments_alone_are_told_apart_in_words():
    records = Records()
    journal = records.journal()
    journal.write(journal.enter(step("a", "one")).record(is_done=True))
    with pytest.raises(NonDeterminismError, match="argument"):
        records.journal().enter(step("a", "two"))


async def test_an_attempt_that_was_cut_off_is_made_again_and_counted():
    records = Records()
    cut_off(records.journal(), "a")
    again = cut_off(records.journal(), "a")
    assert (again.done, again.attempts) == (None, 2)
    assert do(records.journal(), "a") == "a"
    assert do(records.journal(), "a") == "a again"


async def test_the_next_attempt_finds_the_note_of_the_last_one():
    records = Records()
    journal = records.journal()
    entered = journal.enter(step("a"))
    journal.write(entered.record(is_done=False, note="half"))
    assert records.journal().enter(step("a")).note == "half"


@pytest.mark.parametrize("first", [[0, 1, 2], [2, 1, 0], [1]])
async def test_branches_may_end_in_any_order(first: list[int]):
    records = Records()
    branches = (["a1", "a2"], ["b1", "b2", "b3"], ["c1", "c2"])
    await side_by_side(records.journal(), *branches, first=[0, 1, 2])
    again = await side_by_side(records.journal(), *branches, first=first)
    assert again == [[f"{name} again" for name in names] for names in branches]


async def test_branches_are_known_by_their_first_step_whatever_order_they_begin_in():
    records = Records()
    await side_by_side(records.journal(), ["a1", "a2"], ["b1", "b2"])
    again = await side_by_side(records.journal(), ["b1", "b2"], ["a1", "a2"])
    assert again == [["b1 again", "b2 again"], ["a1 again", "a2 again"]]


async def test_branches_with_the_same_first_step_are_told_apart_by_their_order():
    records = Records()
    await side_by_side(records.journal(), ["a", "x"], ["a", "y"])
    again = await side_by_side(records.journal(), ["a", "x"], ["a", "y"])
    assert again == [["a again", "x again"], ["a again", "y again"]]


async def test_a_branch_that_a_crash_kept_from_beginning_is_new():
    records = Records()
    await side_by_side(records.journal(), ["a1", "a2"])
    again = await side_by_side(records.journal(), ["b1"], ["a1", "a2", "a3"])
    assert again == [["b1"], ["a1 again", "a2 again", "a3"]]
    assert {record.branch for record in records} == {1, 2}


async def test_the_main_branch_keeps_its_order_beside_others():
    records = Records()

    async def run(journal: Journal) -> list[Any]:
        return [do(journal, "before"), *await side_by_side(journal, ["a"], ["b"]), do(journal, "after")]

    await run(records.journal())
    assert await run(records.journal()) == ["before again", ["a again"], ["b again"], "after again"]


async def test_branches_of_branches_belong_to_their_parents():
    records = Records()

    async def run(journal: Journal, name: str) -> list[Any]:
        do(journal, name)
        return await side_by_side(journal, ["inner", name])

    async def both(journal: Journal) -> list[list[Any]]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(journal, name)) for name in ("a", "b")]
        return [task.result() for task in tasks]

    await both(records.journal())
    assert await both(records.journal()) == [[["inner again", "a again"]], [["inner again", "b again"]]]


async def walk(journal: Journal, names: Sequence[str]) -> list[str]:
    """What a branch does that makes these steps, letting others go on in between."""
    came: list[str] = []
    for name in names:
        came.append(do(journal, name))
        await asyncio.sleep(0)
    return came


@pytest.mark.parametrize("order", list(permutations((["nap", "pay"], ["nap"], ["nap", "mail", "nap"]))))
async def test_branches_that_begin_alike_are_told_apart_by_how_they_go_on(order: Sequence[list[str]]):
    records = Records()

    async def run(programs: Sequence[list[str]]) -> dict[str, list[str]]:
        journal = records.journal()
        working = {" ".join(names): asyncio.create_task(walk(journal, names)) for names in programs}
        return {names: await task for names, task in working.items()}

    first = await run((["nap", "pay"], ["nap"], ["nap", "mail", "nap"]))
    written = len(records)
    assert first == {"nap pay": ["nap", "pay"], "nap": ["nap"], "nap mail nap": ["nap", "mail", "nap"]}
    again = await run(order)
    assert again == {names: [f"{one} again" for one in came] for names, came in first.items()}
    assert len(records) == written


async def test_a_branch_that_was_taken_for_another_leaves_that_to_whoever_comes_for_it():
    records = Records()

    async def run(*programs: list[str]) -> list[list[str]]:
        journal = records.journal()
        # One after the other: the second begins when the first has ended.
        return [await asyncio.create_task(walk(journal, names)) for names in programs]

    await run(["nap", "pay"], ["nap", "mail"])
    assert await run(["nap", "mail"], ["nap", "pay"]) == [
        ["nap again", "mail again"],
        ["nap again", "pay again"],
    ]


async def test_a_thread_that_calls_through_many_tasks_is_one_branch():
    records = Records()

    async def call(journal: Journal, name: str) -> str:
        return do(journal, name)

    async def run() -> list[str]:
        journal = records.journal()
        begin_main(in_thread=True)
        return [await asyncio.create_task(call(journal, name)) for name in "abc"]

    assert await run() == ["a", "b", "c"]
    assert await run() == ["a again", "b again", "c again"]
    assert {record.branch for record in records} == {0}


async def test_a_step_outside_of_a_run_is_refused():
    with pytest.raises(RuntimeError, match="outside"):
        Journal((), lambda _: None).enter(step("a"))


# The steps of a run, on an engine.


async def test_what_a_step_raises_is_recorded_with_its_kind():
    seen: list[StepFailedError] = []

    async def work(attempt: Attempt) -> None:
        raise LookupError("no seats")

    async def job(turn: Turn) -> None:
        try:
            await turn.steps.perform(step("book"), work)
        except StepFailedError as error:
            seen.append(error)

    async with serving(job) as host:
        assert (await host.send()).state is COMPLETED
    [error] = seen
    assert (error.step, error.kind, error.message) == ("book", "LookupError", "no seats")


async def test_a_skill_error_in_a_step_is_raised_as_itself():
    async def work(attempt: Attempt) -> None:
        raise SkillError("No seats", data={"left": 0})

    async def job(turn: Turn) -> None:
        await turn.steps.perform(step("book"), work)

    async with serving(job) as host:
        task = await host.send()
    assert (task.state, why(task)) == (FAILED, "No seats")


async def test_the_key_of_a_step_is_the_same_for_every_attempt_and_differs_between_steps():
    keys: dict[str, list[str]] = {"pay": [], "send": []}

    def noting(name: str) -> Callable[[Attempt], Any]:
        async def work(attempt: Attempt) -> None:
            keys[name].append(attempt.key)

        return work

    class Shop(Story):
        async def job(self, turn: Turn) -> None:
            for name in keys:
                await turn.steps.perform(step(name), noting(name))

    await Shop([]).play([Death(2, is_after=False)])
    assert len(keys["pay"]) == 2
    assert len(set(keys["pay"])) == 1
    assert set(keys["pay"]).isdisjoint(keys["send"])


async def test_a_note_is_no_attempt_of_its_own():
    numbers: list[int] = []

    async def work(attempt: Attempt) -> None:
        numbers.append(attempt.number)
        await attempt.keep("half")

    class Shop(Story):
        async def job(self, turn: Turn) -> None:
            await turn.steps.perform(step("pay"), work)

    await Shop([]).play([Death(3, is_after=False)])
    assert numbers == [1, 2]


async def test_progress_without_words_is_told_once():
    class Bar(Story):
        async def job(self, turn: Turn) -> None:
            turn.status(TaskState.WORKING, metadata={"progress": 0.5})
            await turn.steps.sleep(timedelta())
            await turn.steps.sleep(timedelta())

    story = Bar([])
    await story.play([Death(2, is_after=False)])
    updates = [entry.status_update for entry in story.entries() if entry.status_update is not None]
    assert any(entry.restarted for entry in story.entries())
    assert [update.metadata for update in updates if update.metadata is not None] == [{"progress": 0.5}]
