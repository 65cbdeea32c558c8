"""The contract of a task store."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from dragoman.store.records import (
    Commit,
    Outcome,
    PushDelivery,
    PushRegistration,
    Scope,
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
        """Apply the commits in order in one transaction; a STALE one changes nothing and harms no other.

        A batch may hold several commits of one task. A `new` whose task id exists already is STALE. Raises ValueError,
        and applies nothing, if an entry has a raw line feed.
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
        """Ids of tasks of `agent` that a dead process holds."""

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
    async def due_push(self, agent: str, now: int, limit: int) -> Sequence[PushDelivery]:
        """Webhooks behind their log whose next attempt is due and that are not dead, longest due first."""

    @abstractmethod
    async def record_push(self, delivery: PushDelivery) -> None:
        """Keep the cursor and the record of attempts of a webhook that still exists.

        One whose `config` is another by now was replaced, and keeps its clean record. A cursor does not go back.
        """
