"""Where a reader goes on that has read a part of a task's events before (I2)."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from dragoman.engine.entries import LogEntry, StreamItem, apply_entry, dump_mark, item_of, load_entry
from dragoman.engine.live import LiveTask
from dragoman.engine.window import BehindWindowError
from dragoman.model.folding import TaskFold
from dragoman.store import TaskStore

_MOST_DIGITS = 18
_LOG_PAGE = 256


class Start(NamedTuple):
    """Everything after the entry `after`; before it `view`, if there is one, for a reader that has to go back."""

    after: int
    view: StreamItem | None = None


class _Mark(NamedTuple):
    seq: int
    digest: str
    base: int


async def find_start(live: LiveTask, store: TaskStore, mark: str) -> Start | None:
    """Where the reader of the event with that mark goes on; None if the log knows nothing of it.

    A reader may have seen pieces of artifacts that died with their process before they were written. It is led back to the
    last entry that it has in common with the log: it gets the task as it was then, and all that followed.
    """
    found = _parse_mark(mark)
    if found is None or not 0 < (found.base or found.seq) <= live.visible:
        return None
    if await _is_on_log(live, store, found):
        return Start(found.seq)
    if not found.base:
        return None
    return await start_again(live, store, found.base)


async def start_again(live: LiveTask, store: TaskStore, seq: int) -> Start | None:
    """With the task as it was with the entry `seq`, or the whole log if that is 0; None if the log is gone."""
    if seq == 0:
        return Start(0) if await store.read(live.task_id, 0, 1) else None
    view = await _view_at(live, store, seq)
    return None if view is None else Start(seq, view)


def _parse_mark(text: str) -> _Mark | None:
    seq, _, rest = text.partition("-")
    digest, _, base = rest.partition("-")
    if not (_is_number(seq) and (not base or _is_number(base))):
        return None
    return _Mark(int(seq), digest, int(base or 0))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


async def _is_on_log(live: LiveTask, store: TaskStore, mark: _Mark) -> bool:
    """Whether the entry that the reader has come to is on the log, and what it read before it too."""
    if mark.seq > live.visible or (mark.base and await _was_restarted(live, store, mark)):
        return False
    try:
        items = live.after(mark.seq - 1)[:1]
    except BehindWindowError:
        items = [
            item_of(mark.seq, load_entry(data)) for data in await store.read(live.task_id, mark.seq - 1, 1)
        ]
    return any(not mark.digest or (item is not None and item.digest == mark.digest) for item in items)


async def _was_restarted(live: LiveTask, store: TaskStore, mark: _Mark) -> bool:
    """Whether the log goes on, between what cannot be lost and what the reader saw, with another run of the task."""
    async for entry in _read_log(live, store, after=mark.base, upto=mark.seq):
        if entry.restarted:
            return True
    return False


async def _view_at(live: LiveTask, store: TaskStore, seq: int) -> StreamItem | None:
    """The task as it was with the entry `seq`; None if its log is gone."""
    log = _read_log(live, store, after=0, upto=seq)
    entry = await anext(log, None)
    if entry is None or entry.task is None:
        return None
    fold = TaskFold(entry.task)
    count = 1
    async for entry in log:
        apply_entry(fold, entry)
        count += 1
    if count < seq:
        return None
    return StreamItem(seq, fold.task(), last=item_of(seq, entry), known_mark=dump_mark(seq, "", 0))


async def _read_log(live: LiveTask, store: TaskStore, *, after: int, upto: int) -> AsyncIterator[LogEntry]:
    while after < upto:
        page = await store.read(live.task_id, after, min(_LOG_PAGE, upto - after))
        if not page:
            return
        after += len(page)
        for data in page:
            yield load_entry(data)
