"""The task store that keeps nothing."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import chain, islice

from dragoman.store.base import TaskStore
from dragoman.store.commits import check_batch, holder_after
from dragoman.store.lifetime import Lifetime
from dragoman.store.memory.keys import KeyRing
from dragoman.store.memory.mailbox import Mailbox
from dragoman.store.memory.rows import Key, OwnedRows, TaskRow
from dragoman.store.records import (
    Commit,
    IdempotencyKey,
    KeyRecord,
    NewTask,
    Outcome,
    PushDelivery,
    PushRegistration,
    Scope,
    Signal,
    StoredTask,
    TaskPage,
    TaskQuery,
)


class MemoryTaskStore(TaskStore):
    """A store in the memory of this process, which forgets everything when it is closed."""

    def __init__(self) -> None:
        self._lifetime = Lifetime(self.location)
        self._owned: dict[Scope, OwnedRows] = {}
        self._tasks: dict[str, TaskRow] = {}
        self._held: dict[str, set[str]] = {}
        self._alive_until: dict[str, int] = {}
        self._behind: set[tuple[str, str]] = set()
        self._uncompacted: dict[str, TaskRow] = {}
        self._keys = KeyRing()
        self._mailbox = Mailbox()

    @property
    def location(self) -> str:
        return "memory:"

    async def __aenter__(self) -> "MemoryTaskStore":
        self._lifetime.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._lifetime.close()
        by_task = (self._tasks, self._uncompacted, self._behind, self._mailbox)
        for rows in (*by_task, self._owned, self._held, self._alive_until, self._keys):
            rows.clear()

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        self._lifetime.check()
        check_batch(batch)
        return [self._apply(commit) for commit in batch]

    async def load(self, scope: Scope, task_id: str) -> StoredTask | None:
        row = self._find(scope, task_id)
        return None if row is None else row.to_record()

    async def read(self, task_id: str, after: int, limit: int) -> Sequence[bytes]:
        self._lifetime.check()
        row = self._tasks.get(task_id)
        return [] if row is None else list(row.log[after : after + max(limit, 0)])

    async def list_tasks(self, scope: Scope, query: TaskQuery) -> TaskPage:
        self._lifetime.check()
        owned = self._owned.get(scope)
        if owned is None:
            return TaskPage(tasks=(), total=0, has_more=False)
        keys, total = _cut_page(owned, query)
        tasks = tuple(self._tasks[task_id].to_record() for _, task_id in keys[: query.limit])
        return TaskPage(tasks=tasks, total=total, has_more=len(keys) > query.limit)

    async def load_context(self, scope: Scope, context_id: str) -> bytes | None:
        self._lifetime.check()
        owned = self._owned.get(scope)
        return None if owned is None else owned.conversations.get(context_id)

    async def beat(self, holder: str, alive_until: int) -> None:
        self._lifetime.check()
        self._alive_until[holder] = alive_until

    async def retire(self, holder: str) -> None:
        self._lifetime.check()
        self._alive_until.pop(holder, None)

    async def claim(self, task_id: str, holder: str, now: int) -> StoredTask | None:
        self._lifetime.check()
        row = self._tasks.get(task_id)
        if row is None or row.header.state.is_terminal:
            return None
        if row.holder not in ("", holder) and self._is_alive(row.holder, now):
            return None
        row.fence += 1
        self._hold(row, holder)
        return row.to_record()

    async def orphans(self, agent: str, now: int, limit: int) -> Sequence[str]:
        self._lifetime.check()
        dead = [holder for holder in self._held if not self._is_alive(holder, now)]
        held = (task_id for holder in dead for task_id in self._held[holder])
        unheard = (task_id for task_id in self._mailbox if self._is_unattended(task_id))
        left = (
            task_id for task_id in chain(held, unheard) if self._tasks[task_id].owned.scope.agent == agent
        )
        return [*islice(left, max(limit, 0))]

    async def find_key(self, scope: Scope, key: str, now: int) -> KeyRecord | None:
        self._lifetime.check()
        return self._keys.find(scope, key, now)

    async def post(
        self,
        scope: Scope,
        task_id: str,
        body: bytes,
        *,
        limit: int,
        now: int,
        key: IdempotencyKey | None = None,
    ) -> Outcome:
        row = self._find(scope, task_id)
        if key is not None and self._keys.find(scope, key.key, now):
            return Outcome.DUPLICATE
        if row is None or row.has_ended or len(self._mailbox.list(task_id)) >= limit:
            return Outcome.STALE
        self._mailbox.put(task_id, body)
        if key is not None:
            self._keys.use(scope, key, task_id)
        return Outcome.ACCEPTED

    async def signals(self, holder: str, limit: int) -> Sequence[Signal]:
        self._lifetime.check()
        held = [task_id for task_id in self._mailbox if holder and self._tasks[task_id].holder == holder]
        waiting = (signal for task_id in held for signal in self._mailbox.list(task_id))
        return nsmallest(limit, waiting, key=lambda signal: signal.number)

    async def signals_of(self, task_id: str) -> Sequence[Signal]:
        self._lifetime.check()
        return self._mailbox.list(task_id)

    async def put_push(self, scope: Scope, task_id: str, push: PushRegistration) -> bool:
        row = self._find(scope, task_id)
        if row is None:
            return False
        row.register(push)
        self._watch(row)
        return True

    async def list_push(self, scope: Scope, task_id: str) -> Sequence[PushDelivery] | None:
        row = self._find(scope, task_id)
        if row is None:
            return None
        webhooks = sorted((row.webhooks or {}).items())
        return [replace(webhook, last_seq=row.last_seq) for _, webhook in webhooks]

    async def delete_push(self, scope: Scope, task_id: str, config_id: str) -> bool:
        row = self._find(scope, task_id)
        if row is None:
            return False
        (row.webhooks or {}).pop(config_id, None)
        row.release(config_id)
        self._behind.discard((task_id, config_id))
        return True

    async def due_push(self, agent: str, now: int, until: int, limit: int) -> Sequence[PushDelivery]:
        self._lifetime.check()
        behind = (webhook for webhook in self._list_behind(agent) if webhook.next_attempt_at <= now)
        free = (
            webhook
            for webhook in behind
            if self._tasks[webhook.task_id].leased_until(webhook.config_id, now) <= now
        )
        due = nsmallest(
            limit, free, key=lambda webhook: (webhook.next_attempt_at, webhook.task_id, webhook.config_id)
        )
        for webhook in due:
            self._tasks[webhook.task_id].lease(webhook.config_id, until)
        return due

    async def record_push(self, delivery: PushDelivery) -> None:
        row = self._find(delivery.scope, delivery.task_id)
        if row is None or row.webhooks is None:
            return
        if (webhook := row.webhooks.get(delivery.config_id)) and webhook.config == delivery.config:
            row.webhooks[delivery.config_id] = replace(delivery, cursor=max(webhook.cursor, delivery.cursor))
            row.release(delivery.config_id)
            self._watch(row)

    async def dead_push(self, agent: str, limit: int) -> Sequence[PushDelivery]:
        dead = (webhook for webhook in self._list_webhooks(agent) if webhook.is_dead)
        return nsmallest(limit, dead, key=lambda webhook: webhook.failing_since)

    async def compact(self, agent: str, ended_before: int, limit: int) -> int:
        self._lifetime.check()
        ended = (row for row in self._uncompacted.values() if row.header.status_at < ended_before)
        ripe = (row for row in ended if row.owned.scope.agent == agent and row.is_compactable)
        rows = list(islice(ripe, max(limit, 0)))
        for row in rows:
            row.compact()
            del self._uncompacted[row.task_id]
        return len(rows)

    async def forget(self, agent: str, ended_before: int, now: int, limit: int) -> int:
        self._lifetime.check()
        scopes = [owned for scope, owned in self._owned.items() if scope.agent == agent]
        ended = (task_id for owned in scopes for task_id in owned.find_ended(ended_before))
        task_ids = list(islice(ended, max(limit, 0)))
        for task_id in task_ids:
            self._drop(task_id)
        for holder in [h for h, until in self._alive_until.items() if until < min(ended_before, now)]:
            del self._alive_until[holder]
        return len(task_ids) + self._keys.expire(now, limit - len(task_ids))

    async def sizes(self) -> Mapping[str, int]:
        webhooks = list(self._list_webhooks())
        return {
            "tasks": len(self._tasks),
            "conversations": sum(len(owned.conversations) for owned in self._owned.values()),
            "webhooks": len(webhooks),
            "dead_webhooks": sum(webhook.is_dead for webhook in webhooks),
            "keys": len(self._keys),
            "signals": len(self._mailbox),
            "processes": len(self._alive_until),
        }

    async def check(self) -> Sequence[str]:
        self._lifetime.check()
        return []

    def _find(self, scope: Scope, task_id: str) -> TaskRow | None:
        self._lifetime.check()
        row = self._tasks.get(task_id)
        return row if row is not None and row.belongs_to(scope) else None

    def _apply(self, commit: Commit) -> Outcome:
        key, new = commit.key, commit.new
        if key and new and self._keys.find(commit.scope, key.key, new.created_at):
            return Outcome.DUPLICATE
        row = self._create(commit, new) if new else self._find_current(commit)
        if row is None:
            return Outcome.STALE
        row.append(commit.entries, is_last=commit.header.state.is_terminal)
        self._set_status(row, commit)
        self._keep(row, commit)
        if key is not None:
            self._keys.use(commit.scope, key, commit.task_id)
        self._mailbox.take(commit.task_id, commit.taken)
        return Outcome.ACCEPTED

    def _keep(self, row: TaskRow, commit: Commit) -> None:
        """What a commit may bring besides entries and a status."""
        if commit.snapshot is not None:
            row.snapshot, row.snapshot_seq = commit.snapshot, row.last_seq
        if commit.context is not None:
            row.owned.conversations[commit.context.context_id] = commit.context.state
        for push in commit.push:
            row.register(push)
        if row.webhooks:
            self._watch(row)

    def _create(self, commit: Commit, new: NewTask) -> TaskRow | None:
        if commit.task_id in self._tasks or commit.first != 1:
            return None
        owned = self._owned.get(commit.scope)
        if owned is None:
            owned = self._owned[commit.scope] = OwnedRows(commit.scope)
        row = self._tasks[commit.task_id] = TaskRow.begin(commit, new, owned)
        owned.add(row)
        return row

    def _find_current(self, commit: Commit) -> TaskRow | None:
        row = self._tasks.get(commit.task_id)
        if row is None or row.is_compact or not row.belongs_to(commit.scope):
            return None
        return row if (commit.fence, commit.first) == (row.fence, row.last_seq + 1) else None

    def _set_status(self, row: TaskRow, commit: Commit) -> None:
        header = commit.header
        if header.state is not row.header.state or header.status_at != row.header.status_at:
            row.owned.move(row, header)
        if row.has_ended:
            self._uncompacted[row.task_id] = row
        else:
            self._uncompacted.pop(row.task_id, None)
        holder = holder_after(commit)
        if holder != row.holder:
            self._hold(row, holder)

    def _is_unattended(self, task_id: str) -> bool:
        row = self._tasks[task_id]
        return not row.holder and not row.has_ended

    def _hold(self, row: TaskRow, holder: str) -> None:
        if row.holder:
            held = self._held[row.holder]
            held.discard(row.task_id)
            if not held:
                del self._held[row.holder]
        row.holder = holder
        if holder:
            self._held.setdefault(holder, set()).add(row.task_id)

    def _drop(self, task_id: str) -> None:
        row = self._tasks[task_id]
        self._hold(row, "")
        for config_id in row.webhooks or ():
            self._behind.discard((task_id, config_id))
        self._mailbox.drop(task_id)
        self._uncompacted.pop(task_id, None)
        row.owned.remove(row)
        del self._tasks[task_id]

    def _is_alive(self, holder: str, now: int) -> bool:
        return self._alive_until.get(holder, now) > now

    def _watch(self, row: TaskRow) -> None:
        for config_id, webhook in (row.webhooks or {}).items():
            key = (row.task_id, config_id)
            if webhook.cursor < row.last_seq and not webhook.is_dead:
                self._behind.add(key)
            else:
                self._behind.discard(key)

    def _list_webhooks(self, agent: str | None = None) -> Iterator[PushDelivery]:
        """Webhooks of one agent, or of all."""
        self._lifetime.check()
        for row in self._tasks.values():
            if row.webhooks and agent in (None, row.owned.scope.agent):
                yield from (replace(webhook, last_seq=row.last_seq) for webhook in row.webhooks.values())

    def _list_behind(self, agent: str) -> Iterator[PushDelivery]:
        for task_id, config_id in self._behind:
            row = self._tasks[task_id]
            if row.owned.scope.agent == agent and row.webhooks:
                yield replace(row.webhooks[config_id], last_seq=row.last_seq)


def _cut_page(owned: OwnedRows, query: TaskQuery) -> tuple[list[Key], int]:
    """Up to one key more than the page holds, newest first, and how many match in all."""
    total = 0
    found: list[Key] = []
    for keys in owned.find(query):
        begin = 0 if query.status_at_least is None else bisect_left(keys, (query.status_at_least, ""))
        end = len(keys) if query.after is None else bisect_left(keys, query.after)
        total += len(keys) - begin
        found += keys[max(begin, end - query.limit - 1) : max(begin, end)]
    found.sort(reverse=True)
    return found[: query.limit + 1], total
