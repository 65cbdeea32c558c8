"""The task log and its backends."""

from dragoman.store.base import TaskStore
from dragoman.store.memory import MemoryTaskStore
from dragoman.store.opening import open_store
from dragoman.store.records import (
    Commit,
    ContextState,
    IdempotencyKey,
    KeyRecord,
    NewTask,
    Outcome,
    PushDelivery,
    PushRegistration,
    Scope,
    Signal,
    StoredTask,
    TaskHeader,
    TaskPage,
    TaskQuery,
)

__all__ = [
    "Commit",
    "ContextState",
    "IdempotencyKey",
    "KeyRecord",
    "MemoryTaskStore",
    "NewTask",
    "Outcome",
    "PushDelivery",
    "PushRegistration",
    "Scope",
    "Signal",
    "StoredTask",
    "TaskHeader",
    "TaskPage",
    "TaskQuery",
    "TaskStore",
    "open_store",
]
