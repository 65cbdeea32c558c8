"""A task that somebody in this process runs or watches."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from dragoman.engine.entries import LogEntry, StreamItem, apply_entry, item_of, load_entry
from dragoman.engine.errors import RunEndedError
from dragoman.engine.lifecycle import check_transition
from dragoman.engine.signals import Signal
from dragoman.engine.window import Window
from dragoman.model import A2AError, Message, Task, TaskArtifactUpdateEvent, TaskState, TaskStatusUpdateEvent
from dragoman.model.folding import TaskFold
from dragoman.store import Commit, ContextState, NewTask, PushRegistration, Scope, StoredTask, TaskHeader
from dragoman.wire import codec


class LiveTask:
    """The end of a task's log: what was appended, what is durable, and what subscribers may see.

    `tip` numbers the last entry appended, `durable` the last one that the store has confirmed, `visible` the last one that
    subscribers may see, `status_seq` the last change of status since the task came to life here. Artifact chunks are visible at once, everything else when it is durable (I1), and nothing
    before what precedes it (I2).
    """

    def __init__(self, *, scope: Scope, fold: TaskFold, tip: int, fence: int, max_window_bytes: int) -> None:
        task = fold.task()
        self.task_id = task.id
        self.context_id = task.context_id
        self.scope = scope
        self.fence = fence
        self.tip = self.durable = self.visible = tip
        self.status_seq = 0
        self.holder = ""
        self.changed = Signal()
        self.has_push = False
        self.subscribers = 0
        self._fold = fold
        self._window = Window(tip, max_window_bytes)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._unconfirmed: deque[int] = deque()
        self._bytes_since_snapshot = 0
        self._snapshot_bytes = 0
        self._views: list[asyncio.Future[StreamItem]] = []
        self._view: StreamItem | None = None
        self._captured: StreamItem | None = None
        self._new: NewTask | None = None
        self._push: tuple[PushRegistration, ...] = ()
        self._context: ContextState | None = None
        self._error: A2AError | None = None
        self.on_append: Callable[[bool], None] | None = None

    @classmethod
    def begin(
        cls,
        first: LogEntry,
        *,
        scope: Scope,
        holder: str,
        now: int,
        push: Sequence[PushRegistration],
        max_window_bytes: int,
    ) -> "LiveTask":
        """A new task, whose first entry is `first`."""
        assert first.task is not None
        live = cls(scope=scope, fold=TaskFold(first.task), tip=0, fence=1, max_window_bytes=max_window_bytes)
        live.holder = holder
        live._new = NewTask(first.task.context_id, now)
        live._push = tuple(push)
        live.has_push = bool(push)
        live._add(first, is_urgent=True)
        return live

    @classmethod
    def revive(cls, stored: StoredTask, *, max_window_bytes: int) -> "LiveTask":
        """A task that lies in the store."""
        fold, rest = _load_fold(stored)
        for entry in rest:
            apply_entry(fold, entry)
        live = cls(
            scope=stored.scope, fold=fold, tip=stored.last_seq, fence=stored.fence, max_window_bytes=max_window_bytes
        )
        live.holder = stored.holder
        live._snapshot_bytes = len(stored.snapshot or b"")
        return live

    @property
    def state(self) -> TaskState:
        """The state at the tip, durable or not."""
        return self._fold.state

    @property
    def history_length(self) -> int:
        return self._fold.history_length

    @property
    def undurable_bytes(self) -> int:
        return self._pending_bytes

    def task(self) -> Task:
        """The task at the tip, durable or not: for the run itself, never for a caller."""
        return self._fold.task()

    # Appending, by the run that owns the task.

    def receive(self, message: Message) -> StreamItem:
        """A caller's message joins the log. The task as of then, to be shown once it is visible."""
        self._add(LogEntry(received=message), is_urgent=True)
        return StreamItem.of_task(self.tip, self._fold.task())

    def set_status(self, event: TaskStatusUpdateEvent) -> None:
        check_transition(self.state, event.status.state)
        self._add(LogEntry(status_update=event), is_urgent=True)
        self.status_seq = self.tip

    def add_artifact(self, event: TaskArtifactUpdateEvent) -> None:
        if self.state.is_terminal:
            raise RunEndedError(f"the task is {self.state.name} and takes no more artifacts")
        self._add(LogEntry(artifact_update=event), is_urgent=False)

    def remember(self, state: bytes) -> None:
        """What the conversation is to remember, from the next commit on."""
        self._context = ContextState(self.context_id, state)

    def _add(self, entry: LogEntry, *, is_urgent: bool) -> None:
        if self._error is not None:
            raise RunEndedError("the task's log is lost") from self._error
        self.tip += 1
        item = item_of(self.tip, entry)
        data = item.json if item is not None and entry.origin is None else codec.encode(entry)
        if entry.task is None:
            apply_entry(self._fold, entry)
        self._window.push(item, len(data))
        self._pending.append(data)
        self._pending_bytes += len(data)
        self._bytes_since_snapshot += len(data)
        if is_urgent:
            self._unconfirmed.append(self.tip)
        self._show()
        if self.on_append is not None:
            self.on_append(is_urgent)

    def _show(self) -> None:
        visible = self._unconfirmed[0] - 1 if self._unconfirmed else self.tip
        if visible > self.visible:
            self.visible = visible
            self.changed.fire()

    # Committing, by the writer.

    def take_commit(self) -> Commit | None:
        """What is to be written now, if anything; the caller confirms it or breaks the task."""
        if not self._pending:
            return None
        status = self._fold.status
        commit = Commit(
            scope=self.scope,
            task_id=self.task_id,
            fence=self.fence,
            first=self.tip - len(self._pending) + 1,
            entries=tuple(self._pending),
            header=TaskHeader(status.state, status.timestamp.millis if status.timestamp else 0),
            holder=self.holder,
            new=self._new,
            snapshot=self._take_snapshot(),
            context=self._context,
            push=self._push,
        )
        self._pending, self._pending_bytes = [], 0
        self._new, self._context, self._push = None, None, ()
        if self._views:
            self._captured = StreamItem.of_task(self.tip, self._fold.task())
        return commit

    def _take_snapshot(self) -> bytes | None:
        """A snapshot when the task settles, and whenever the log has doubled since the last one."""
        if not self.state.is_settled and self._bytes_since_snapshot < max(self._snapshot_bytes, _SNAPSHOT_BYTES):
            return None
        snapshot = codec.encode(self._fold.task())
        self._bytes_since_snapshot, self._snapshot_bytes = 0, len(snapshot)
        return snapshot

    def confirm(self, seq: int) -> None:
        """Everything up to `seq` is durable."""
        self.durable = max(self.durable, seq)
        while self._unconfirmed and self._unconfirmed[0] <= seq:
            self._unconfirmed.popleft()
        self._show()
        self._window.trim(self.durable)
        self._answer_views()
        self.changed.fire()

    async def until_durable(self) -> None:
        """Until everything appended is durable, or never will be."""
        while self.durable < self.tip and self._error is None:
            await self.changed.wait()

    def break_off(self, error: A2AError) -> None:
        """The log cannot be written: nothing more is appended, and who waits learns why."""
        self._error = error
        for view in self._views:
            if not view.done():
                view.set_exception(error)
        self._views.clear()
        self.changed.fire()

    @property
    def error(self) -> A2AError | None:
        return self._error

    # Reading, by subscribers.

    def after(self, seq: int) -> list[StreamItem | None]:
        """The visible entries after `seq`; BehindWindowError if they are in memory no more."""
        return self._window.between(seq, self.visible)

    async def view(self) -> StreamItem:
        """The whole task as subscribers may see it now, with its number."""
        if self._error is not None:
            raise self._error
        if self.visible == self.tip:
            return self._level_view()
        future = asyncio.get_running_loop().create_future()
        self._views.append(future)
        return await future

    def _level_view(self) -> StreamItem:
        if self._view is None or self._view.seq != self.tip:
            self._view = StreamItem.of_task(self.tip, self._fold.task())
        return self._view

    def _answer_views(self) -> None:
        if not self._views:
            return
        view = self._level_view() if self.visible == self.tip else self._captured
        if view is None or view.seq > self.visible:
            return
        for future in self._views:
            if not future.done():
                future.set_result(view)
        self._views.clear()

    # Watching a task that another process runs, and taking it over.

    def own(self, stored: StoredTask) -> None:
        """This process has claimed the task; the log lies here as it lies in the store."""
        self.fence, self.holder = stored.fence, stored.holder

    def absorb(self, entries: Sequence[bytes]) -> None:
        """Entries that another process appended and this one has now read."""
        for data in entries:
            entry = load_entry(data)
            self.tip += 1
            apply_entry(self._fold, entry)
            self._window.push(item_of(self.tip, entry), len(data))
        if entries:
            self.confirm(self.tip)


_SNAPSHOT_BYTES = 64 * 1024


def _load_fold(stored: StoredTask) -> tuple[TaskFold, list[LogEntry]]:
    entries = [load_entry(data) for data in stored.tail]
    if stored.snapshot is not None:
        return TaskFold(codec.decode(Task, stored.snapshot)), entries
    first, *rest = entries
    assert first.task is not None
    return TaskFold(first.task), rest


def load_task(stored: StoredTask) -> Task:
    """The task as it lies in the store, artifacts and whole history included."""
    fold, rest = _load_fold(stored)
    for entry in rest:
        apply_entry(fold, entry)
    return fold.task()
