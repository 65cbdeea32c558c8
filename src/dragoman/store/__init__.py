"""The task log and its backends."""

from dragoman.store.base import TaskStore
from dragoman.store.memory import MemoryTaskStore
from dragoman.store.opening import open_store
from dragoman.store.records import (
    Commit,
    ContextState,
    NewTask,
    Outcome,
    PushDelivery,
    PushRegistration,
    Scope,
    StoredTask,
    TaskHeader,
    TaskPage,
    TaskQuery,
)

__all__ = [
    "Commit",
    "ContextState",
    "MemoryTaskStore",
    "NewTask",
    "Outcome",
    "PushDelivery",
    "PushRegistration",
    "Scope",
    "StoredTask",
    "TaskHeader",
    "TaskPage",
    "TaskQuery",
    "TaskStore",
    "open_store",
]
