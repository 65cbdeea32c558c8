"""What `list_tasks` promises."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from dragoman.model import TaskState
from dragoman.store import Commit, StoredTask, TaskHeader, TaskPage, TaskQuery, TaskStore
from dragoman.testing.store_contract.samples import (
    SCOPE,
    StoreContract,
    accept,
    make_birth,
    make_commit,
    number,
)

WORKING, DONE, PARKED = TaskState.WORKING, TaskState.COMPLETED, TaskState.INPUT_REQUIRED


class ListingContract(StoreContract):
    """Newest status first, ties by id descending, a page after another."""

    async def test_the_newest_status_comes_first(self, store: TaskStore) -> None:
        await accept(store, make_birth("a", at=2), make_birth("b", at=3), make_birth("c", at=1))
        assert get_ids(await list_all(store)) == ["b", "a", "c"]

    async def test_ties_are_broken_by_id_descending(self, store: TaskStore) -> None:
        await accept(store, *(make_birth(task_id, at=7) for task_id in ("b", "Z", "a", "é", "10", "9")))
        assert get_ids(await list_all(store)) == ["é", "b", "a", "Z", "9", "10"]

    async def test_the_order_spans_states_and_conversations(self, store: TaskStore) -> None:
        await accept(
            store,
            make_birth("a", at=1, state=DONE),
            make_birth("b", at=2, context_id="other"),
            make_birth("c", at=3, state=DONE, context_id="other"),
            make_birth("d", at=4),
        )
        assert get_ids(await list_all(store)) == ["d", "c", "b", "a"]

    async def test_a_new_status_moves_the_task(self, store: TaskStore) -> None:
        await accept(store, make_birth("a", at=1), make_birth("b", at=2))
        await accept(store, make_commit("a", at=3))
        assert get_ids(await list_all(store)) == ["a", "b"]
        await accept(store, make_commit("a", first=3, at=0, state=DONE))
        assert get_ids(await list_all(store)) == ["b", "a"]

    async def test_listed_tasks_are_whole(self, store: TaskStore) -> None:
        await accept(
            store, make_birth(count=2, at=1, snapshot=b"two"), make_commit(first=3, at=5, holder="worker")
        )
        page = await list_all(store)
        assert page.tasks == (
            StoredTask(
                scope=SCOPE,
                task_id="task",
                context_id="talk",
                header=TaskHeader(WORKING, 5),
                fence=1,
                holder="worker",
                last_seq=3,
                snapshot=b"two",
                snapshot_seq=2,
                tail=number(1, 3),
            ),
        )

    @pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
    async def test_pages_follow_one_another_without_gap_or_repetition(
        self, store: TaskStore, limit: int
    ) -> None:
        await accept(
            store, *(make_birth(f"task-{n}", at=n // 2, state=(DONE, WORKING)[n % 2]) for n in range(7))
        )
        pages = [page async for page in turn_pages(store, TaskQuery(limit=limit))]
        assert [task_id for page in pages for task_id in get_ids(page)] == [
            f"task-{n}" for n in range(6, -1, -1)
        ]
        assert {page.total for page in pages} == {7}
        assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]
        assert all(len(page.tasks) == limit for page in pages[:-1])

    async def test_tasks_that_stay_are_seen_once_while_others_move(self, store: TaskStore) -> None:
        await accept(store, *(make_birth(f"task-{n}", at=n) for n in range(10)))
        seen: list[str] = []
        moves = iter([("task-8", 100), ("task-1", 101), ("task-9", 102), ("task-5", 103)])
        async for page in turn_pages(store, TaskQuery(limit=3)):
            seen += get_ids(page)
            task_id, at = next(moves)
            await accept(store, make_commit(task_id, at=at, state=DONE))
        assert [task_id for task_id in seen if task_id not in {"task-1", "task-5"}] == [
            f"task-{n}" for n in (9, 8, 7, 6, 4, 3, 2, 0)
        ]

    async def test_a_page_begins_after_a_task_that_moved_away(self, store: TaskStore) -> None:
        await accept(store, *(make_birth(f"task-{n}", at=n) for n in range(4)))
        await accept(store, make_commit("task-2", at=50))
        page = await store.list_tasks(SCOPE, TaskQuery(limit=10, after=(2, "task-2")))
        assert (get_ids(page), page.total, page.has_more) == (["task-1", "task-0"], 4, False)

    @pytest.mark.parametrize(
        "query,ids",
        [
            (TaskQuery(limit=9, context_id="x"), "dba"),
            (TaskQuery(limit=9, context_id="nobody's"), ""),
            (TaskQuery(limit=9, state=WORKING), "ea"),
            (TaskQuery(limit=9, state=TaskState.REJECTED), ""),
            (TaskQuery(limit=9, status_at_least=3), "edc"),
            (TaskQuery(limit=9, status_at_least=6), ""),
            (TaskQuery(limit=9, context_id="x", state=DONE), "db"),
            (TaskQuery(limit=9, context_id="x", status_at_least=2), "db"),
            (TaskQuery(limit=9, state=DONE, status_at_least=3), "d"),
            (TaskQuery(limit=9, context_id="x", state=DONE, status_at_least=4), "d"),
            (TaskQuery(limit=9, context_id="y", state=DONE), ""),
        ],
    )
    async def test_filters_choose_and_count(self, store: TaskStore, query: TaskQuery, ids: str) -> None:
        await accept(store, *make_mixture())
        page = await store.list_tasks(SCOPE, query)
        assert (get_ids(page), page.total, page.has_more) == (list(ids), len(ids), False)

    @pytest.mark.parametrize(
        "query,ids,has_more",
        [
            (TaskQuery(limit=1, context_id="x", after=(4, "d")), "b", True),
            (TaskQuery(limit=2, context_id="x", after=(4, "d")), "ba", False),
            (TaskQuery(limit=1, state=DONE, after=(4, "d")), "b", False),
            (TaskQuery(limit=9, status_at_least=2, after=(4, "d")), "cb", False),
            (TaskQuery(limit=9, status_at_least=4, after=(3, "c")), "", False),
        ],
    )
    async def test_totals_count_every_page(
        self, store: TaskStore, query: TaskQuery, ids: str, has_more: bool
    ) -> None:
        await accept(store, *make_mixture())
        page = await store.list_tasks(SCOPE, query)
        whole = await store.list_tasks(
            SCOPE, TaskQuery(99, query.context_id, query.state, query.status_at_least)
        )
        assert (get_ids(page), page.has_more, page.total) == (list(ids), has_more, len(whole.tasks))

    async def test_filters_follow_the_status(self, store: TaskStore) -> None:
        await accept(store, *make_mixture())
        await accept(store, make_commit("a", state=DONE, at=9), make_commit("d", state=PARKED, at=8))
        done = await store.list_tasks(SCOPE, TaskQuery(limit=9, state=DONE))
        parked = await store.list_tasks(SCOPE, TaskQuery(limit=9, state=PARKED, context_id="x"))
        assert (get_ids(done), get_ids(parked)) == (["a", "b"], ["d"])
        assert (done.total, parked.total, (await list_all(store)).total) == (2, 1, 5)


async def list_all(store: TaskStore) -> TaskPage:
    """Everything in one page."""
    return await store.list_tasks(SCOPE, TaskQuery(limit=1000))


async def turn_pages(store: TaskStore, query: TaskQuery) -> AsyncIterator[TaskPage]:
    """Page after page, each after the last task of the one before as it was listed."""
    while True:
        page = await store.list_tasks(SCOPE, query)
        yield page
        if not page.has_more:
            return
        last = page.tasks[-1]
        query = replace(query, after=(last.header.status_at, last.task_id))


def get_ids(page: TaskPage) -> list[str]:
    """The ids in the order of the page."""
    return [task.task_id for task in page.tasks]


def make_mixture() -> tuple[Commit, ...]:
    """Tasks of two conversations in three states."""
    return (
        make_birth("a", at=1, context_id="x", state=WORKING),
        make_birth("b", at=2, context_id="x", state=DONE),
        make_birth("c", at=3, context_id="y", state=PARKED),
        make_birth("d", at=4, context_id="x", state=DONE),
        make_birth("e", at=5, context_id="y", state=WORKING),
    )
