"""Where an agent keeps its tasks, and how it hears of what other processes do with them."""

from dragoman.bus import Bus, open_bus
from dragoman.store import MemoryTaskStore, TaskStore, open_store

MEMORY = "memory:"


class LastingMemoryTaskStore(MemoryTaskStore):
    """In memory for as long as its agent is there: one that is stopped and started again has forgotten nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._is_entered = False

    async def __aenter__(self) -> "LastingMemoryTaskStore":
        if not self._is_entered:
            self._is_entered = True
            await super().__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Forget nothing."""


def make_store(source: str | TaskStore, last: TaskStore | None = None) -> TaskStore:
    """The store to run with, made anew from its URL unless it is the agent's memory; `last` is the one of before."""
    if not isinstance(source, str):
        return source
    if source == MEMORY:
        return last if isinstance(last, LastingMemoryTaskStore) else LastingMemoryTaskStore()
    return open_store(source)


def make_bus(source: str | Bus, store: TaskStore) -> Bus:
    """The bus to run with; `sqlite:` lies beside the store."""
    return open_bus(source, store_url=store.location) if isinstance(source, str) else source
