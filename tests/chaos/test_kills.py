# ruff: noqa: T201 -- the counts are what is asked for
"""An agent is killed (kill -9) again and again while callers want everything of it: nothing is lost, nothing is done twice."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import pytest

from dragoman import Client, TaskState
from dragoman.model import AgentCard
from dragoman.store import open_store
from tests.chaos.callers import Caller, Record
from tests.chaos.findings import (
    Log,
    check_effects,
    check_end,
    check_received,
    check_stream,
    check_text,
    count_repeats,
    read_effects,
    read_logs,
    show_log,
)
from tests.chaos.victim import Victim, serving

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DRAGOMAN_CHAOS_KILLS", "8"))
SEED = int(os.environ.get("DRAGOMAN_CHAOS_SEED", "0")) or time.time_ns() % 1_000_000
CALLERS = 8
SECONDS_TO_QUIET = 60
STIRRING = (TaskState.SUBMITTED, TaskState.WORKING)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the callers saw, and what is in the files."""

    records: list[Record]
    logs: dict[str, Log]
    effects: dict[str, list[tuple[int, str]]]
    log_text: str


async def kill_again_and_again(victim: Victim, rng: Random) -> None:
    """At any moment, now and then before the agent has even started."""
    for _ in range(KILLS):
        if rng.random() < 0.85:
            await victim.ready()
        await asyncio.sleep(rng.uniform(0.1, 1.5))
        await victim.kill()
        await victim.start()
    await victim.ready()


async def wait_for_quiet(card: AgentCard) -> None:
    async with Client(card) as client, asyncio.timeout(SECONDS_TO_QUIET):
        for state in STIRRING:
            while [task async for task in client.list_tasks(status=state, page_size=1)]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)


async def wreak_havoc(folder: Path) -> Aftermath:
    rng = Random(SEED)
    closing = asyncio.Event()
    async with serving(folder) as victim, aiohttp.ClientSession() as http:
        async with Client(victim.url) as client:
            card = await client.card()
        callers = [Caller(card, http, Random(rng.random()), f"caller{number}") for number in range(CALLERS)]
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(caller.work(closing))
            await kill_again_and_again(victim, rng)
            closing.set()
        await wait_for_quiet(card)
        for caller in callers:
            for record in caller.records:
                await caller.repeat(record)
    async with open_store(f"sqlite:///{victim.database}") as store:
        logs = await read_logs(store, "Mill")
    records = [record for caller in callers for record in caller.records]
    return Aftermath(records, logs, read_effects(victim.effects), victim.log.read_text())


def tell(after: Aftermath) -> None:
    states = Counter(log.state.name for log in after.logs.values())
    lasts = [log.statuses[-1] for log in after.logs.values()]
    failures = Counter(last.message.text for last in lasts if last.state is TaskState.FAILED and last.message)
    streams = [events for record in after.records for events in record.streams]
    again = sum(len(done) - 1 for done in after.effects.values())
    print(f"\nseed {SEED}: {KILLS} kills, {len(after.logs)} tasks: {dict(states)}")
    print(f"  failed: {dict(failures)}")
    print(f"  taken over: {sum(log.restarts for log in after.logs.values())} times,", end=" ")
    resumed = [log for log in after.logs.values() if log.restarts and log.state is TaskState.COMPLETED]
    print(f"completed after that: {len(resumed)} tasks")
    print(
        f"  sent again: {sum(record.resent for record in after.records)} times; steps with an effect:",
        end=" ",
    )
    print(f"{len(after.effects)}, repeated by an attempt of their own: {again}")
    print(f"  streams: {len(streams)}, events seen: {sum(map(len, streams))},", end=" ")
    print(f"statuses seen twice: {sum(map(count_repeats, streams))}")


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """One havoc for all tests: it takes a while."""
    after = asyncio.run(wreak_havoc(tmp_path_factory.mktemp("havoc")))
    tell(after)
    return after


Check = Callable[[Record, Log], Iterable[str]]


def list_problems(after: Aftermath, check: Check) -> list[str]:
    """What is wrong with tasks, with their logs for whoever looks into it."""
    problems: list[str] = []
    for record in after.records:
        log = after.logs[record.task_id]
        if found := [problem for problem in check(record, log) if problem]:
            problems.append(f"{record.skill} {record.key}: {'; '.join(found)}\n{show_log(log)}")
    print(*problems, sep="\n", end="")
    return [problem.partition("\n")[0] for problem in problems]


def test_every_task_ends_or_waits_for_its_caller(after):
    assert list_problems(after, lambda record, log: [check_end(record, log)]) == []
    assert [log.task_id for log in after.logs.values() if not log.state.is_settled] == []


def test_every_key_made_one_task_and_every_task_was_made_by_a_key(after):
    assert [record.key for record in after.records if len(record.task_ids) != 1] == []
    assert len({record.task_id for record in after.records}) == len(after.records) == len(after.logs)


def test_every_answer_was_heard_once(after):
    assert list_problems(after, lambda record, log: [check_received(record, log)]) == []


def test_no_step_was_done_more_often_than_its_record_says_nor_after_its_result_was_kept(after):
    def check(record: Record, log: Log) -> Iterable[str]:
        return [check_effects(key, after.effects.get(key, []), steps) for key, steps in log.steps.items()]

    assert list_problems(after, check) == []
    assert after.effects.keys() <= {key for log in after.logs.values() for key in log.steps}


def test_every_reader_saw_every_status_once_and_in_order(after):
    def check(record: Record, log: Log) -> Iterable[str]:
        return [check_stream(events, log) for events in record.streams]

    assert list_problems(after, check) == []


def test_every_reader_has_the_text_once_and_complete(after):
    def check(record: Record, log: Log) -> Iterable[str]:
        return [check_text(record, log, view) for view in record.views if view is not None]

    assert list_problems(after, check) == []


def test_the_agent_logged_no_error(after):
    assert "Traceback" not in after.log_text
