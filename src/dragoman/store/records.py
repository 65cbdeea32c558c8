"""What goes into the task log and what comes out of it.

Entries, snapshots, push configurations and conversation states are bytes to the store: the engine gives them their
meaning. Points in time are milliseconds since the epoch, handed in by the caller, never read from a clock here.

What every commit is made of is a Struct, which costs a fifth of a dataclass to make, and which the garbage collector
need not look at, for nothing in it refers back.
"""

import enum
from dataclasses import dataclass

from msgspec import Struct

from dragoman.model import TaskState


class Scope(Struct, frozen=True, gc=False):
    """Whose rows a call may touch: part of every query, so that a foreign task is simply not found (I11)."""

    agent: str
    tenant: str
    owner: str


class TaskHeader(Struct, frozen=True, gc=False):
    """What the store itself must know of a task, to list, filter and sort it."""

    state: TaskState
    status_at: int


class NewTask(Struct, frozen=True, gc=False):
    """The birth of a task, in the first commit of its log."""

    context_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's name for one send. Within a scope it stands for the first thing that was done under it until `expires_at`.

    At `expires_at` it is free again. `digest` tells whether a second send under the same key is the same send; only the
    engine compares it.
    """

    key: str
    digest: bytes
    expires_at: int


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What was done under a key: the task, and the digest of the request."""

    task_id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Signal:
    """Something for whoever runs a task: a message, or the wish to cancel.

    Numbers grow in the order of arrival, over all tasks, and are never used again.
    """

    number: int
    task_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ContextState:
    """What a conversation remembers between its tasks; replaces what was there."""

    context_id: str
    state: bytes


@dataclass(frozen=True, slots=True)
class PushRegistration:
    """A webhook of a task. `cursor` is the number of the last entry that it need not be told of.

    Deliveries read the log after the cursor, so that they are written with the event by being the event (I9).
    """

    config_id: str
    config: bytes
    cursor: int


class Commit(Struct, frozen=True, gc=False):
    """One task's share of a transaction: all of it becomes durable, or none.

    `entries` are JSON without raw line feeds, for a store may write them as lines.

    `first` is the number of the first of `entries`; it must follow the last number on the log, and `fence` must be the
    one that the current holder got, else the commit is refused as STALE. `new` creates the task, whose log is
    empty until then and whose fence becomes `fence`. `snapshot` is the fold of the log up to and with the last of `entries`.
    `holder` is who runs the task from now on; empty releases it. A terminal header releases it in any case.
    `key`, beside `new` only, is the name under which the task was asked for: if the scope has used it, and it has not
    expired when the task is created, the commit is refused as DUPLICATE. `taken` are numbers of signals of the task that
    `entries` answer: they are deleted with the commit. Those that are gone or of other tasks are passed over.
    """

    scope: Scope
    task_id: str
    fence: int
    first: int
    entries: tuple[bytes, ...]
    header: TaskHeader
    holder: str = ""
    new: NewTask | None = None
    snapshot: bytes | None = None
    context: ContextState | None = None
    push: tuple[PushRegistration, ...] = ()
    key: IdempotencyKey | None = None
    taken: tuple[int, ...] = ()

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1


class Outcome(enum.Enum):
    """What became of a commit, or of a signal."""

    ACCEPTED = "accepted"
    STALE = "stale"
    DUPLICATE = "duplicate"


class StoredTask(Struct, frozen=True, gc=False):
    """A task as it lies in the store: a snapshot up to `snapshot_seq`, and the entries after it."""

    scope: Scope
    task_id: str
    context_id: str
    header: TaskHeader
    fence: int
    holder: str
    last_seq: int
    snapshot: bytes | None
    snapshot_seq: int
    tail: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """A page of the caller's tasks, newest status first, ties by id descending (D-22).

    `after` is the (status_at, task_id) of the last task of the previous page.
    """

    limit: int
    context_id: str = ""
    state: TaskState = TaskState.UNSPECIFIED
    status_at_least: int | None = None
    after: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """`total` counts what matches the filters, whatever the page."""

    tasks: tuple[StoredTask, ...]
    total: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class PushDelivery:
    """A webhook that the log is ahead of, and how its deliveries went so far.

    `failing_since` is when the current run of failures began, 0 if the last attempt succeeded; a `dead` one is tried no more.
    """

    scope: Scope
    task_id: str
    config_id: str
    config: bytes
    cursor: int
    last_seq: int
    attempts: int = 0
    next_attempt_at: int = 0
    failing_since: int = 0
    last_error: str = ""
    is_dead: bool = False
