"""Tasks in one SQLite file, which several processes of one machine may share."""

from dragoman.store.sqlite.connection import Durability
from dragoman.store.sqlite.store import SqliteTaskStore

__all__ = ["Durability", "SqliteTaskStore"]
