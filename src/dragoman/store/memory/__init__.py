"""Tasks that live as long as the process: for tests, demonstrations and agents with nothing to lose."""

from dragoman.store.memory.store import MemoryTaskStore

__all__ = ["MemoryTaskStore"]
