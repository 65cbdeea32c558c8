"""A process that asks for the same as another, at the same time.

    python rush.py PATH NAME COUNT

Once it is told to on its standard input, it creates `COUNT` tasks at once, all under the one key, and posts as many
signals to the task `shared`, half of them under keys that the other process uses too. It prints the outcomes.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Sequence

from dragoman.store import Outcome, TaskStore
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.testing.store_contract.samples import make_birth, make_key, post


async def create(store: TaskStore, name: str) -> Outcome:
    [outcome] = await store.commit([make_birth(name, key=make_key("rush", digest=name.encode()))])
    found = await store.find_key(make_birth().scope, "rush", 1000)
    assert found is not None
    assert outcome is Outcome.DUPLICATE or found.task_id == name
    return outcome


async def leave(store: TaskStore, name: str, number: int) -> Outcome:
    key = make_key(f"post-{number}") if number % 2 else None
    return await post(store, "shared", f"{name}-{number}".encode(), limit=1_000_000, key=key)


async def count(calls: Sequence[Awaitable[Outcome]]) -> dict[str, int]:
    async def ask(call: Awaitable[Outcome]) -> Outcome:
        return await call

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(call)) for call in calls]
    return Counter(task.result().value for task in tasks)


async def main(path: str, name: str, size: int) -> None:
    async with SqliteTaskStore(path) as store:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        created = [create(store, f"{name}-{number}") for number in range(size)]
        left = [leave(store, name, number) for number in range(size)]
        outcomes = await count(created), await count(left)
    say(" ".join(f"{counts.get(outcome.value, 0)}" for counts in outcomes for outcome in Outcome))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
