"""The contract of a task store."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from dragoman.store.records import (
    Commit,
    IdempotencyKey,
    KeyRecord,
    Outcome,
    PushDelivery,
    PushRegistration,
    Scope,
    Signal,
    StoredTask,
    TaskPage,
    TaskQuery,
)


class TaskStore(ABC):
    """An append-only, numbered log per task, with what is needed to find, own and deliver it.

    Numbers start at 1 and have no holes. When a method that writes returns, what it wrote survives the death of the process
    (for a store that keeps anything at all); reads see every write that returned before they began. Methods that take a
    `Scope` treat what lies outside it as absent. The others are for the engine itself, which serves every owner.

    A store that cannot be reached raises `dragoman.model.errors.UnavailableError`; nothing else of its library gets out.
    A cancelled write may or may not have happened; a cancelled read has no effect. Use one store from one event loop.
    """

    async def __aenter__(self) -> "TaskStore":
        """Open connections, create or migrate the schema. Entering twice is an error."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:  # noqa: B027 -- a store may have nothing to close
        """Finish writes under way and close. A store that is not open raises UnavailableError."""

    @property
    @abstractmethod
    def location(self) -> str:
        """Where the data lies, in words for the operator: a path or an address without its password."""

    @abstractmethod
    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """Apply the commits in order in one transaction; a STALE or DUPLICATE one changes nothing and harms no other.

        A batch may hold several commits of one task, and of one key. A `new` whose task id exists already is STALE, and so
        is a commit to a compacted task; one whose key is used is DUPLICATE whatever else is wrong with it. Raises ValueError,
        and applies nothing, if an entry has a raw line feed, or if a commit without `new` has a key.
        """

    @abstractmethod
    async def load(self, scope: Scope, task_id: str) -> StoredTask | None:
        """The task, or None if the scope has none with that id."""

    @abstractmethod
    async def read(self, task_id: str, after: int, limit: int) -> Sequence[bytes]:
        """At most `limit` entries of the log numbered `after` + 1 and up; empty if there are none."""

    @abstractmethod
    async def list_tasks(self, scope: Scope, query: TaskQuery) -> TaskPage:
        """A page of the scope's tasks."""

    @abstractmethod
    async def load_context(self, scope: Scope, context_id: str) -> bytes | None:
        """What the conversation remembers."""

    # Leases: which process runs a task (I3). A process is alive while its heartbeat lies in the future.

    @abstractmethod
    async def beat(self, holder: str, alive_until: int) -> None:
        """Declare the process `holder` alive until then."""

    @abstractmethod
    async def retire(self, holder: str) -> None:
        """Forget the process: what it still holds is orphaned from now on."""

    @abstractmethod
    async def claim(self, task_id: str, holder: str, now: int) -> StoredTask | None:
        """Take the task over under a new, higher fence; None if it is terminal, absent or held by a live process.

        A task that nobody holds (parked) and one that `holder` itself holds can be claimed.
        """

    @abstractmethod
    async def orphans(self, agent: str, now: int, limit: int) -> Sequence[str]:
        """Ids of tasks of `agent` that a dead process holds, or that nobody holds while a signal waits for them."""

    # Idempotency keys and signals: what reaches a task from another process.

    @abstractmethod
    async def find_key(self, scope: Scope, key: str, now: int) -> KeyRecord | None:
        """What the scope did under the key, if anything and if it has not expired; the task may be forgotten by now."""

    @abstractmethod
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
        """Leave a signal for whoever runs the task, or will.

        DUPLICATE if the scope has used the key, which keeps its first meaning; this is looked at first. STALE if the scope
        has no such task, if it is terminal, or if `limit` signals wait for it already. Only an ACCEPTED one uses its key.
        """

    @abstractmethod
    async def signals(self, holder: str, limit: int) -> Sequence[Signal]:
        """At most `limit` signals for tasks that `holder` runs, in the order of arrival.

        They stay until a commit has taken them, or their task is forgotten; they follow the task to its next holder.
        """

    @abstractmethod
    async def signals_of(self, task_id: str) -> Sequence[Signal]:
        """Signals for one task, whoever runs it, in the order of arrival."""

    # Webhooks.

    @abstractmethod
    async def put_push(self, scope: Scope, task_id: str, push: PushRegistration) -> bool:
        """Create or replace the webhook with that id, with a clean record; False if the scope has no such task."""

    @abstractmethod
    async def list_push(self, scope: Scope, task_id: str) -> Sequence[PushDelivery] | None:
        """The task's webhooks by id; None if the scope has no such task."""

    @abstractmethod
    async def delete_push(self, scope: Scope, task_id: str, config_id: str) -> bool:
        """Remove it, if it is there; False if the scope has no such task."""

    @abstractmethod
    async def due_push(self, agent: str, now: int, until: int, limit: int) -> Sequence[PushDelivery]:
        """Webhooks behind their log whose next attempt is due and that are not dead, longest due first.

        Those returned are the caller's alone until `until`, or until `record_push` says how the delivery went or the webhook
        is replaced: nobody else gets them, nor the caller again. So ask for no more than can be served at once.
        """

    @abstractmethod
    async def record_push(self, delivery: PushDelivery) -> None:
        """Keep the cursor and the record of attempts of a webhook that still exists.

        One whose `config` is another by now was replaced, and keeps its clean record. A cursor does not go back.
        """

    @abstractmethod
    async def dead_push(self, agent: str, limit: int) -> Sequence[PushDelivery]:
        """Webhooks that are tried no more, for the operator; the longest failing first."""

    # Upkeep. A task has ended at its `status_at`, if its state is terminal.

    @abstractmethod
    async def compact(self, agent: str, ended_before: int, limit: int) -> int:
        """Drop the entries of at most `limit` tasks that ended before then; how many tasks.

        Left out are tasks with a webhook behind the log that is not dead, and those whose snapshot is older than their log.
        A compacted task is its snapshot: `load` gives it as before, `read` gives nothing, and it takes no more entries.
        """

    @abstractmethod
    async def forget(self, agent: str, ended_before: int, now: int, limit: int) -> int:
        """Delete tasks that ended before then, and keys that have expired: at most `limit` of both together; how many.

        Entries, snapshot, webhooks and signals of a task go with it, and with the last task of a conversation what that
        remembers. Its key stays until it expires, lest a late retry do everything again. Heartbeats that ended before
        both times go too.
        """

    @abstractmethod
    async def sizes(self) -> Mapping[str, int]:
        """How much there is of each thing, for the operator.

        `tasks`, `conversations`, `webhooks`, `dead_webhooks`, `keys`, `signals` and `processes` in any store; `bytes` where
        it can be told, and whatever else the store has.
        """

    @abstractmethod
    async def check(self) -> Sequence[str]:
        """What is wrong with the data, in words for the operator; empty if nothing is. Reads everything."""
