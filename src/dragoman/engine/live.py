"""A task that somebody in this process runs or watches."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from copy import copy

from dragoman.engine.batches import Batch
from dragoman.engine.entries import (
    LogEntry,
    StreamItem,
    apply_entry,
    dump_entry,
    dump_mark,
    item_of,
    load_entry,
)
from dragoman.engine.errors import RunEndedError
from dragoman.engine.lifecycle import check_transition
from dragoman.engine.signals import Signal
from dragoman.engine.window import Window
from dragoman.model import (
    A2AError,
    Artifact,
    Message,
    Metadata,
    Task,
    TaskArtifactUpdateEvent,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from dragoman.model.folding import TaskFold
from dragoman.store import (
    Commit,
    ContextState,
    IdempotencyKey,
    NewTask,
    PushRegistration,
    Scope,
    StoredTask,
    TaskHeader,
)
from dragoman.wire import codec


class LiveTask:
    """The end of a task's log: what was appended, what is durable, and what subscribers may see.

    `tip` numbers the last entry appended, `durable` the last one that the store has confirmed, `visible` the last one that
    subscribers may see, `status_seq` and `received_seq` the last change of status and the last message since the task came to life
    here. `state` is that at the tip, durable or not; `error` is why nothing can be appended any more, if so; `undurable_bytes`
    wait to be written, and if it `is_due`, its writer knows. Artifact chunks are visible at once, everything else when it is durable
    (I1), and nothing before what precedes it (I2).
    """

    # What most tasks never have stands here, so that it costs nothing to begin one without it.
    holder = ""
    has_push = False
    users = 0
    subscribers = 0
    status_seq = 0
    received_seq = 0
    undurable_bytes = 0
    error: A2AError | None = None
    is_due = False
    on_append: Callable[["LiveTask", bool], None] | None = None
    _bytes_since_snapshot = 0
    _snapshot_bytes = 0
    _snapshot_seq = 0
    _viewers = 0
    _last: StreamItem | None = None
    _view: StreamItem | None = None
    _captured: StreamItem | None = None
    _new: NewTask | None = None
    _push: tuple[PushRegistration, ...] = ()
    _context: ContextState | None = None
    _key: IdempotencyKey | None = None
    _taken: tuple[int, ...] = ()

    def __init__(self, *, scope: Scope, fold: TaskFold, tip: int, fence: int, max_window_bytes: int) -> None:
        task = fold.task()
        self.task_id = task.id
        self.context_id = task.context_id
        self.scope = scope
        self.fence = fence
        self.tip = self.durable = self.visible = tip
        self.changed = Signal()
        self.state = fold.state
        self._fold = fold
        self._window = Window(tip, max_window_bytes)
        self._pending: list[bytes] = []
        self._unconfirmed: list[int] = []
        self._solid = tip  # the last entry that is not shown before it is durable

    @classmethod
    def begin(
        cls,
        first: LogEntry,
        *,
        scope: Scope,
        holder: str,
        now: int,
        push: Sequence[PushRegistration],
        key: IdempotencyKey | None = None,
        max_window_bytes: int,
    ) -> "LiveTask":
        """A new task, whose first entry is `first`; ValueError if that is not A2A."""
        data, entry = dump_entry(first)
        assert entry.task is not None
        live = cls(scope=scope, fold=TaskFold(entry.task), tip=0, fence=1, max_window_bytes=max_window_bytes)
        live.holder = holder
        live._new = NewTask(entry.task.context_id, now)
        live._key = key
        if push:
            live._push, live.has_push = tuple(push), True
        live._append(entry, data, is_urgent=True)
        return live

    @classmethod
    def revive(cls, stored: StoredTask, *, max_window_bytes: int) -> "LiveTask":
        """A task that lies in the store."""
        live = cls(
            scope=stored.scope,
            fold=_load_fold(stored),
            tip=stored.last_seq,
            fence=stored.fence,
            max_window_bytes=max_window_bytes,
        )
        live.own(stored)
        return live

    @property
    def history_length(self) -> int:
        return self._fold.history_length

    @property
    def window_bytes(self) -> int:
        """How much is kept for subscribers."""
        return self._window.size

    @property
    def is_level(self) -> bool:
        """Whether nothing waits for the store."""
        return self.durable == self.tip or self.error is not None

    def task(self) -> Task:
        """The task at the tip, durable or not: for the run itself, never for a caller."""
        return self._fold.task()

    # Appending, by the run that owns the task. What is not A2A raises ValueError and changes nothing.

    def receive(self, message: Message, signal: int | None = None) -> StreamItem:
        """A caller's message, that came as a signal or not, joins the log. The task as of then, to be shown once it is visible."""
        self._taken += () if signal is None else (signal,)
        self._add(LogEntry(received=message), is_urgent=True)
        self.received_seq = self.tip
        return self._take_view()

    def set_status(self, status: TaskStatus, metadata: Metadata | None = None) -> None:
        check_transition(self.state, status.state)
        event = TaskStatusUpdateEvent(
            task_id=self.task_id, context_id=self.context_id, status=status, metadata=metadata
        )
        self._add(LogEntry(status_update=event), is_urgent=True)
        self.status_seq = self.tip

    def add_artifact(
        self, artifact: Artifact, *, append: bool, last_chunk: bool, metadata: Metadata | None
    ) -> int:
        """Add it, or a piece of it, and return its size on the log."""
        if self.state.is_terminal:
            raise RunEndedError(f"the task is {self.state.name} and takes no more artifacts")
        event = TaskArtifactUpdateEvent(
            task_id=self.task_id,
            context_id=self.context_id,
            artifact=artifact,
            append=append,
            last_chunk=last_chunk,
            metadata=metadata,
        )
        return self._add(LogEntry(artifact_update=event), is_urgent=False)

    def record(self, entry: LogEntry, *, is_urgent: bool) -> None:
        """An entry that no caller sees."""
        self._add(entry, is_urgent=is_urgent)

    def remember(self, state: bytes) -> None:
        """What the conversation is to remember, from the next commit on."""
        self._context = ContextState(self.context_id, state)

    def _add(self, entry: LogEntry, *, is_urgent: bool) -> int:
        if self.error is not None:
            raise RunEndedError("the task's log is lost") from self.error
        data, entry = dump_entry(entry)
        apply_entry(self._fold, entry)
        self.state = self._fold.state
        self._append(entry, data, is_urgent=is_urgent)
        return len(data)

    def _append(self, entry: LogEntry, data: bytes, *, is_urgent: bool) -> None:
        self.tip = tip = self.tip + 1
        self._last = last = item_of(tip, entry, data)
        self._window.push(last, size := len(data))
        self._pending.append(data)
        self.undurable_bytes += size
        if is_urgent:
            self._solid = tip
            self._unconfirmed.append(tip)
        else:
            if last is not None:
                last.base = self._solid
            self._show()
        if self.on_append is not None and not self.is_due:
            self.on_append(self, is_urgent)

    def _show(self) -> None:
        visible = self._unconfirmed[0] - 1 if self._unconfirmed else self.tip
        if visible > self.visible:
            self.visible = visible
            self.changed.fire()

    # Committing, by the writer.

    def take_commit(self) -> Commit | None:
        """What is to be written now, if anything; the caller confirms it or breaks the task."""
        self.is_due = False
        if not self._pending or self.error is not None:
            return None
        commit = Commit(
            scope=self.scope,
            task_id=self.task_id,
            fence=self.fence,
            first=self.tip - len(self._pending) + 1,
            entries=tuple(self._pending),
            header=self.header,
            holder=self.holder,
            new=self._new,
            snapshot=self._take_snapshot(),
            context=self._context,
            push=self._push,
            key=self._key,
            taken=self._taken,
        )
        self._pending, self.undurable_bytes = [], 0
        self._new = self._context = self._key = None
        self._push = self._taken = ()
        self._captured = self._take_view() if self._viewers else None
        return commit

    @property
    def header(self) -> TaskHeader:
        status = self._fold.status
        return TaskHeader(status.state, status.timestamp.millis if status.timestamp else 0)

    def _take_snapshot(self) -> bytes | None:
        self._bytes_since_snapshot += self.undurable_bytes
        if not self._is_snapshot_due():
            return None
        snapshot = codec.encode(self._fold.task())
        self._snapshot_seq, self._snapshot_bytes, self._bytes_since_snapshot = self.tip, len(snapshot), 0
        return snapshot

    def _is_snapshot_due(self) -> bool:
        """When the task ends; when it parks and its log has grown by a part since the last; else when that has doubled.

        So what is written stays in proportion to what is said, however long a conversation is. A few large entries are
        read as fast as a snapshot, which would be as large as they are.
        """
        grown = self._bytes_since_snapshot
        if grown >= _LARGE_BYTES and self.tip - self._snapshot_seq <= _FEW_ENTRIES:
            return False
        if not self.state.is_settled:
            return grown >= max(self._snapshot_bytes, _LARGE_BYTES)
        return self.state.is_terminal or grown * _PARKED_PART >= self._snapshot_bytes

    def confirm(self, seq: int) -> None:
        """Everything up to `seq` is durable."""
        self.durable = max(self.durable, seq)
        if self._unconfirmed:
            del self._unconfirmed[: bisect_right(self._unconfirmed, seq)]
        self.visible = max(self.visible, self._unconfirmed[0] - 1 if self._unconfirmed else self.tip)
        if self._captured is not None and self._captured.seq <= self.visible:
            self._view, self._captured = self._captured, None
        self.shed()
        self.changed.fire()

    def shed(self) -> None:
        """Keep no more in memory than readers may need: a task may wait for its caller for days."""
        if self.state.is_interrupted and not self.subscribers:
            self._window.drop(self.durable)
        else:
            self._window.trim(self.durable)

    def break_off(self, error: A2AError) -> None:
        """The log cannot be written: nothing more is appended, and who waits learns why."""
        self.error = error
        self.changed.fire()

    def check(self) -> None:
        """Raise what has broken the task off, if anything has."""
        if self.error is not None:
            raise copy(self.error)  # a traceback of its own for everyone who waited

    async def until_durable(self) -> None:
        """Until everything appended is durable, or never will be."""
        while not self.is_level:
            await self.changed.wait()

    # Reading, by subscribers.

    def after(self, seq: int) -> list[StreamItem | None]:
        """The visible entries after `seq`; BehindWindowError if they are in memory no more."""
        return self._window.between(seq, self.visible)

    def batch(self, seq: int) -> Batch:
        """The first of them, for all who read on from there; BehindWindowError too."""
        return self._window.batch(seq, self.visible)

    async def view(self, *, at_least: int = 0) -> StreamItem:
        """The whole task as subscribers may see it, as of now or of `at_least` or later, with its number."""
        wanted = max(at_least, self.visible)
        while (view := self.peek(wanted)) is None:
            await self.until_viewable()
        return view

    def peek(self, at_least: int) -> StreamItem | None:
        """The same, if that can be shown by now."""
        if self.durable < self.tip:
            self.check()
        if self.visible == self.tip and (self._view is None or self._view.seq != self.tip):
            self._view = self._take_view()
        return self._view if self._view is not None and self._view.seq >= at_least else None

    async def until_viewable(self) -> None:
        """Until something has changed; what is written meanwhile is kept so that it can be viewed, whatever comes after it."""
        self._viewers += 1
        try:
            await self.changed.wait()
        finally:
            self._viewers -= 1

    def _take_view(self) -> StreamItem:
        """The task at the tip; who has read it has read the last entry."""
        if self._last is not None:
            return StreamItem(self.tip, self._fold.task(), last=self._last)
        base = self._solid if self._solid < self.tip else 0
        return StreamItem(self.tip, self._fold.task(), known_mark=dump_mark(self.tip, "", base))

    # Watching a task that another process runs, and taking it over.

    def own(self, stored: StoredTask) -> None:
        """This process has claimed the task; the log lies here as it lies in the store."""
        self.fence, self.holder = stored.fence, stored.holder
        self._snapshot_seq, self._snapshot_bytes = stored.snapshot_seq, len(stored.snapshot or b"")
        self._bytes_since_snapshot = sum(map(len, stored.tail))

    def absorb(self, entries: Sequence[bytes]) -> None:
        """Entries that another process appended and this one has now read."""
        for data in entries:
            entry = load_entry(data)
            self.tip += 1
            if entry.status_update is not None:
                self.status_seq = self.tip
            elif entry.received is not None:
                self.received_seq = self.tip
            apply_entry(self._fold, entry)
            self.state = self._fold.state
            self._last = item_of(self.tip, entry)
            self._window.push(self._last, len(data))
        self._solid = self.tip
        if entries:
            self.confirm(self.tip)


_LARGE_BYTES = 64 * 1024
_FEW_ENTRIES = 16
_PARKED_PART = 4


def _load_fold(stored: StoredTask) -> TaskFold:
    entries = [load_entry(data) for data in stored.tail]
    if stored.snapshot is not None:
        fold = TaskFold(codec.decode(Task, stored.snapshot))
    else:
        first = entries.pop(0)
        assert first.task is not None
        fold = TaskFold(first.task)
    for entry in entries:
        apply_entry(fold, entry)
    return fold


def load_task(stored: StoredTask) -> Task:
    """The task as it lies in the store, artifacts and whole history included."""
    return _load_fold(stored).task()


def task_in(view: StreamItem) -> Task:
    """The task that a view of it holds."""
    assert isinstance(view.payload, Task)
    return view.payload
