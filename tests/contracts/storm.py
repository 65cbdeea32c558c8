"""A process that commits as fast as it can and says what was acknowledged, until it is killed.

    python storm.py PATH NAME TASKS COMMITS

It runs `TASKS` tasks at once, each growing by three entries a commit, `COMMITS` times or for ever (0). After every
commit that returned it prints `task last_seq`, and at the end `done`. All processes also push on the task `shared`.
"""

import asyncio
import sys
from itertools import count

from dragoman.store import Commit, Outcome, TaskStore
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.testing.store_contract.samples import SCOPE, make_birth, make_commit

STEP = 3


async def grow(store: TaskStore, task_id: str, commits: int) -> None:
    """A task of this process alone."""
    await commit(store, make_birth(task_id, count=STEP))
    for position in range(1, commits) if commits else count(1):
        await commit(store, make_commit(task_id, first=position * STEP + 1, count=STEP))


async def commit(store: TaskStore, commit: Commit) -> None:
    assert await store.commit([commit]) == [Outcome.ACCEPTED]
    say(f"{commit.task_id} {commit.last}")


async def push(store: TaskStore, commits: int) -> None:
    """A task that everyone wants to grow: who is late reads and tries again."""
    await store.commit([make_birth("shared")])
    accepted = 0
    while accepted < commits:
        stored = await store.load(SCOPE, "shared")
        assert stored is not None
        [outcome] = await store.commit([make_commit("shared", first=stored.last_seq + 1)])
        accepted += outcome is Outcome.ACCEPTED


async def main(path: str, name: str, tasks: int, commits: int) -> None:
    async with SqliteTaskStore(path) as store, asyncio.TaskGroup() as group:
        for number in range(tasks):
            group.create_task(grow(store, f"{name}-{number}", commits))
        group.create_task(push(store, commits))
    say("done")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
