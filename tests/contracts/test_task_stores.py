"""Every task store of ours keeps the one contract."""

from pathlib import Path

from dragoman.store import MemoryTaskStore, TaskStore
from dragoman.store.sqlite import Durability, SqliteTaskStore
from dragoman.testing.store_contract import DurableTaskStoreContract, TaskStoreContract


class TestMemoryTaskStore(TaskStoreContract):
    def make_store(self, place: Path) -> TaskStore:
        return MemoryTaskStore()


class TestSqliteTaskStore(DurableTaskStoreContract):
    def make_store(self, place: Path) -> TaskStore:
        return SqliteTaskStore(place / "data" / "tasks.db")


class TestSqliteTaskStoreThatWaitsForTheDisk(DurableTaskStoreContract):
    def make_store(self, place: Path) -> TaskStore:
        return SqliteTaskStore(place / "tasks.db", durability=Durability.POWER, readers=1)
