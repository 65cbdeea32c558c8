"""The two stores give the same answers to any sequence of calls."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import structs

from dragoman.model import TaskState
from dragoman.store import ContextState, MemoryTaskStore, Scope, TaskQuery
from dragoman.store.sqlite import SqliteTaskStore
from dragoman.testing.store_contract.samples import make_birth, make_commit, make_key, make_push

SCOPES = [Scope("agent", "tenant", owner) for owner in ("ada", "bob")] + [Scope("other", "tenant", "ada")]
scopes = st.sampled_from(SCOPES)
ids = st.sampled_from(["a", "b", "c", "d", "e"])
contexts = st.sampled_from(["talk", "walk", "walk\0about"])
holders = st.sampled_from(["", "one", "two"])
states = st.sampled_from([TaskState.WORKING, TaskState.INPUT_REQUIRED, TaskState.COMPLETED])
moments = st.integers(0, 5)
blobs = st.sampled_from([b"", b"{}", b"\xff\0", b"x" * 5000])
pushes = st.lists(st.builds(make_push, st.sampled_from(["p", "q"]), st.integers(0, 4)), max_size=2).map(tuple)
shared = {
    "scope": scopes,
    "count": st.integers(0, 3),
    "state": states,
    "at": moments,
    "holder": holders,
    "snapshot": st.none() | blobs,
    "taken": st.lists(st.integers(1, 6), max_size=2).map(tuple),
    "context": st.none() | st.builds(ContextState, contexts, blobs),
    "push": pushes,
}
keys = st.builds(
    make_key, st.sampled_from(["k", "K", "k\0"]), st.integers(0, 6), st.sampled_from([b"", b"\0"])
)
births = st.builds(
    lambda birth, taken: structs.replace(birth, taken=taken),
    st.builds(
        make_birth,
        ids,
        context_id=contexts,
        key=st.none() | keys,
        **{name: values for name, values in shared.items() if name != "taken"},
    ),
    shared["taken"],
)
growths = st.builds(make_commit, ids, fence=st.integers(1, 3), first=st.integers(0, 9), **shared)
askings = st.fixed_dictionaries({"limit": st.integers(0, 3), "now": moments, "key": st.none() | keys})
queries = st.builds(
    TaskQuery,
    limit=st.integers(0, 4),
    context_id=st.just("") | contexts,
    state=st.just(TaskState.UNSPECIFIED) | states,
    status_at_least=st.none() | moments,
    after=st.none() | st.tuples(moments, ids),
)


SIZES = ("tasks", "conversations", "webhooks", "dead_webhooks", "keys", "signals", "processes")


class TwoStores(RuleBasedStateMachine):
    """Does everything twice and compares."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        place = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.stores = (MemoryTaskStore(), SqliteTaskStore(Path(place) / "tasks.db", readers=1))
        for store in self.stores:
            self.runner.run(self.stack.enter_async_context(store))

    def teardown(self):
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def both(self, call, arrange=lambda answer: answer):
        memory, sqlite = (arrange(self.runner.run(call(store))) for store in self.stores)
        assert memory == sqlite
        return memory

    @rule(batch=st.lists(births | growths, max_size=5))
    def commit(self, batch):
        self.both(lambda store: store.commit(batch), list)

    @rule(task_id=ids, scope=scopes, data=st.data())
    def grow(self, task_id, scope, data):
        """Commits that fit, which random ones rarely do."""
        stored = self.both(lambda store: store.load(scope, task_id))
        if stored is None:
            return
        batch = []
        first = stored.last_seq + 1
        for commit in data.draw(st.lists(growths, min_size=1, max_size=3)):
            batch.append(
                structs.replace(commit, scope=scope, task_id=task_id, fence=stored.fence, first=first)
            )
            first += len(commit.entries)
        self.both(lambda store: store.commit(batch), list)

    @rule(holder=holders.filter(bool), at=moments)
    def beat(self, holder, at):
        self.both(lambda store: store.beat(holder, at))

    @rule(holder=holders.filter(bool))
    def retire(self, holder):
        self.both(lambda store: store.retire(holder))

    @rule(task_id=ids, holder=holders.filter(bool), now=moments)
    def claim(self, task_id, holder, now):
        self.both(lambda store: store.claim(task_id, holder, now))

    @rule(
        scope=scopes, task_id=ids, push=st.builds(make_push, st.sampled_from(["p", "q"]), st.integers(0, 4))
    )
    def put_push(self, scope, task_id, push):
        self.both(lambda store: store.put_push(scope, task_id, push))

    @rule(scope=scopes, task_id=ids, config_id=st.sampled_from(["p", "q"]))
    def delete_push(self, scope, task_id, config_id):
        self.both(lambda store: store.delete_push(scope, task_id, config_id))

    @rule(now=moments, until=moments, cursor=st.integers(0, 9), at=moments, is_dead=st.booleans())
    def deliver(self, now, until, cursor, at, is_dead):
        due = self.both(lambda store: store.due_push("agent", now, until, 100), sort_pushes)
        for push in due[:2]:
            record = replace(
                push, cursor=cursor, next_attempt_at=at, attempts=1, failing_since=at, is_dead=is_dead
            )
            self.both(lambda store, record=record: store.record_push(record))

    @rule(scope=scopes, task_id=ids, body=blobs, asked=askings)
    def post(self, scope, task_id, body, asked):
        self.both(lambda store: store.post(scope, task_id, body, **asked))

    @rule(holder=holders, limit=st.integers(0, 9))
    def signals(self, holder, limit):
        self.both(lambda store: store.signals(holder, limit), list)

    @rule(scope=scopes, key=keys, now=moments)
    def find_key(self, scope, key, now):
        self.both(lambda store: store.find_key(scope, key.key, now))

    @rule(ended_before=moments)
    def compact(self, ended_before):
        self.both(lambda store: store.compact("agent", ended_before, 100))

    @rule(ended_before=moments, now=moments)
    def forget(self, ended_before, now):
        self.both(lambda store: store.forget("agent", ended_before, now, 100))

    @rule(scope=scopes, query=queries)
    def list_tasks(self, scope, query):
        self.both(lambda store: store.list_tasks(scope, query))

    @rule(task_id=ids, after=st.integers(0, 9), limit=st.integers(0, 9))
    def read(self, task_id, after, limit):
        self.both(lambda store: store.read(task_id, after, limit), list)

    @rule(scope=scopes, context_id=contexts)
    def load_context(self, scope, context_id):
        self.both(lambda store: store.load_context(scope, context_id))

    @invariant()
    def look_the_same(self):
        for scope in SCOPES:
            page = self.both(lambda store, scope=scope: store.list_tasks(scope, TaskQuery(limit=10)))
            for task in page.tasks:
                self.both(lambda store, task=task: store.list_push(task.scope, task.task_id), list)
        self.both(lambda store: store.orphans("agent", 3, 100), sorted)
        self.both(lambda store: store.dead_push("agent", 100), sort_pushes)
        for task_id in "abcde":
            self.both(lambda store, task_id=task_id: store.signals_of(task_id), list)
        self.both(lambda store: store.check())
        self.both(lambda store: store.sizes(), lambda sizes: {name: sizes[name] for name in SIZES})


def sort_pushes(pushes):
    return sorted(pushes, key=lambda push: (push.next_attempt_at, push.task_id, push.config_id))


TwoStores.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTwoStores = pytest.mark.slow(TwoStores.TestCase)
