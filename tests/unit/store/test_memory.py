import gc
import tracemalloc
from collections.abc import Iterable

from dragoman.model import TaskState
from dragoman.store import Commit, MemoryTaskStore, TaskQuery
from dragoman.testing.store_contract.samples import SCOPE, accept, make_birth, make_commit


async def test_a_parked_task_is_small():
    async with MemoryTaskStore() as store:
        births = [make_birth(f"{n:032x}", context_id=f"{n:036x}", at=n, count=4) for n in range(2_000)]
        tracemalloc.start()
        try:
            await accept(store, *births)
            bytes_per_task = tracemalloc.get_traced_memory()[0] / len(births)
        finally:
            tracemalloc.stop()
    assert bytes_per_task < 1_024


async def test_tasks_that_have_ended_are_nothing_that_the_garbage_collector_looks_at():
    async with MemoryTaskStore() as store:
        await accept(store, *_make_ended(range(100)))
        gc.collect()
        before = len(gc.get_objects())
        await accept(store, *_make_ended(range(100, 2_100)))
        gc.collect()
        assert len(gc.get_objects()) - before < 100


def _make_ended(numbers: Iterable[int]) -> list[Commit]:
    """Tasks that were begun in one commit and ended in another."""
    births = [make_birth(f"{n:032x}", context_id=f"{n:036x}", at=n, count=2) for n in numbers]
    ends = [make_commit(birth.task_id, first=3, state=TaskState.COMPLETED, at=5_000) for birth in births]
    return [*births, *ends]


async def test_pages_do_not_look_at_every_task(monkeypatch):
    """Counted in comparisons of keys, for a clock would depend on the machine."""
    async with MemoryTaskStore() as store:
        states = (TaskState.COMPLETED, TaskState.WORKING)
        await accept(
            store, *(make_birth(f"task-{n}", at=Instant(n), state=states[n % 2]) for n in range(20_000))
        )
        Instant.comparisons = 0
        page = await store.list_tasks(SCOPE, TaskQuery(limit=50, after=(Instant(10_000), "")))
    assert (len(page.tasks), page.total) == (50, 20_000)
    assert Instant.comparisons < 2_000


class Instant(int):
    """A point in time that counts how often it is compared."""

    comparisons = 0

    def __lt__(self, other: int) -> bool:
        Instant.comparisons += 1
        return super().__lt__(other)

    def __eq__(self, other: object) -> bool:
        Instant.comparisons += 1
        return super().__eq__(other)

    __hash__ = int.__hash__
