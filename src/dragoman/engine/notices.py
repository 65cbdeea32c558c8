"""What a webhook is told, in the shape of the generation that registered it (SPEC 7.7, PSH-18)."""

from typing import NamedTuple

from dragoman.engine.entries import LogEntry, apply_entry, item_of, load_entry
from dragoman.engine.pushing import load_webhook
from dragoman.model import Generation, Task
from dragoman.model.folding import TaskFold
from dragoman.store import PushDelivery, TaskStore
from dragoman.wire import codec
from dragoman.wire.dialects import dialect_of
from dragoman.wire.media import A2A_JSON_TYPE

_PAGE = 256


class Notice(NamedTuple):
    """The body of one notification."""

    content_type: str
    body: bytes


async def compose(push: PushDelivery, seq: int, data: bytes, store: TaskStore) -> Notice | None:
    """What the entry `seq` is to the webhook; None if the webhook need not be told.

    Before 1.0 the whole task is told, and so only when its status changes: the pieces of an artifact come with the next change.
    """
    entry = load_entry(data)
    item = item_of(seq, entry, data)
    if item is None:
        return None
    generation = load_webhook(push).generation
    if not generation:
        return Notice(A2A_JSON_TYPE, item.json)
    if entry.artifact_update is not None:
        return None
    dialect = dialect_of(Generation(generation))
    task = await _load_task(store, push.task_id, seq)
    return Notice(dialect.webhook_type, codec.encode(dialect.dump_webhook(task))) if task else None


async def _load_task(store: TaskStore, task_id: str, seq: int) -> Task | None:
    """The task as it was after the entry `seq`; None if its log is gone."""
    fold: TaskFold | None = None
    done = 0
    while done < seq:
        page = await store.read(task_id, done, min(_PAGE, seq - done))
        if not page:
            return None
        for entry in map(load_entry, page):
            fold = _apply(fold, entry)
        done += len(page)
    return None if fold is None else fold.task()


def _apply(fold: TaskFold | None, entry: LogEntry) -> TaskFold:
    if fold is None:
        assert entry.task is not None  # so every log begins
        return TaskFold(entry.task)
    apply_entry(fold, entry)
    return fold
