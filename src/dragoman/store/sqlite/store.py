"""The task store in a file."""

import sqlite3
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from dragoman.store.base import TaskStore
from dragoman.store.commits import check_batch
from dragoman.store.lifetime import Lifetime, Phase
from dragoman.store.records import (
    Commit,
    IdempotencyKey,
    KeyRecord,
    Outcome,
    PushDelivery,
    PushRegistration,
    Scope,
    Signal,
    StoredTask,
    TaskPage,
    TaskQuery,
)
from dragoman.store.sqlite import checking, keys, leases, reading, signals, upkeep, webhooks
from dragoman.store.sqlite.connection import (
    Durability,
    Settings,
    close_writer,
    explained,
    open_reader,
    open_writer,
)
from dragoman.store.sqlite.threads import AnyJob, Crew, Job
from dragoman.store.sqlite.wal import Wal
from dragoman.store.sqlite.writing import CommitJob, Transactions

P = ParamSpec("P")
T = TypeVar("T")

_MAX_GROUP = 256


class SqliteTaskStore(TaskStore):
    """A store in one SQLite file, which processes of one machine may share; not for a network file system.

    `durability` says what a commit survives. A write waits up to `busy_timeout` for other processes. Reads are spread
    over `readers` threads.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        durability: Durability = Durability.PROCESS,
        busy_timeout: timedelta = timedelta(seconds=10),
        readers: int = 2,
    ) -> None:
        self.durability = durability
        self._path = Path(path).absolute()
        self._lifetime = Lifetime(self.location)
        settings = Settings(self._path, durability, busy_timeout)
        self._writer = Crew(
            partial(open_writer, settings),
            Transactions(Wal(self._path)).run,
            group=_MAX_GROUP,
            close=close_writer,
        )
        self._readers = Crew(partial(open_reader, settings), _run_reads)
        self._reader_count = readers

    @property
    def location(self) -> str:
        return f"sqlite:///{quote(self._path.as_posix())}"

    async def __aenter__(self) -> "SqliteTaskStore":
        self._lifetime.open()
        try:
            with explained(self._path):
                await self._writer.start("dragoman-sqlite-writer")
                for number in range(self._reader_count):
                    await self._readers.start(f"dragoman-sqlite-reader-{number}")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._lifetime.close()
        # Readers first: the last connection that closes folds the WAL into the file, and only the writer's may write.
        try:
            await self._readers.stop()
        finally:
            await self._writer.stop()

    def __del__(self) -> None:
        if self._lifetime.phase is Phase.OPEN:
            self._readers.dismiss()
            self._writer.dismiss()
            warnings.warn(
                f"the task store {self.location!r} was not closed", ResourceWarning, stacklevel=2, source=self
            )

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        self._lifetime.check()
        check_batch(batch)
        with explained(self._path):
            return await self._writer.submit(CommitJob(batch))

    async def load(self, scope: Scope, task_id: str) -> StoredTask | None:
        return await self._read(reading.load_task, scope, task_id)

    async def read(self, task_id: str, after: int, limit: int) -> Sequence[bytes]:
        return await self._read(reading.read_entries, task_id, after, limit)

    async def list_tasks(self, scope: Scope, query: TaskQuery) -> TaskPage:
        return await self._read(reading.list_tasks, scope, query)

    async def load_context(self, scope: Scope, context_id: str) -> bytes | None:
        return await self._read(reading.load_context, scope, context_id)

    async def beat(self, holder: str, alive_until: int) -> None:
        await self._write(leases.beat, holder, alive_until)

    async def retire(self, holder: str) -> None:
        await self._write(leases.retire, holder)

    async def claim(self, task_id: str, holder: str, now: int) -> StoredTask | None:
        return await self._write(leases.claim, task_id, holder, now)

    async def orphans(self, agent: str, now: int, limit: int) -> Sequence[str]:
        return await self._read(leases.list_orphans, agent, now, limit)

    async def find_key(self, scope: Scope, key: str, now: int) -> KeyRecord | None:
        return await self._read(keys.find_key, scope, key, now)

    async def post(
        self,
        scope: Scope,
        task_id: str,
        body: bytes,
        *,
        limit: int,
        now: int,
        key: IdempotencyKey | None = None,
    ) -> Outcome:
        posting = signals.Posting(scope, task_id, body, limit, now, key)
        return await self._write(signals.post, posting)

    async def signals(self, holder: str, limit: int) -> Sequence[Signal]:
        return await self._read(signals.list_held, holder, limit)

    async def signals_of(self, task_id: str) -> Sequence[Signal]:
        return await self._read(signals.list_of_task, task_id)

    async def put_push(self, scope: Scope, task_id: str, push: PushRegistration) -> bool:
        return await self._write(webhooks.put_push, scope, task_id, push)

    async def list_push(self, scope: Scope, task_id: str) -> Sequence[PushDelivery] | None:
        return await self._read(webhooks.list_push, scope, task_id)

    async def delete_push(self, scope: Scope, task_id: str, config_id: str) -> bool:
        return await self._write(webhooks.delete_push, scope, task_id, config_id)

    async def due_push(self, agent: str, now: int, until: int, limit: int) -> Sequence[PushDelivery]:
        # Mostly nothing is due, and to see that takes no write lock.
        if not await self._read(webhooks.has_due, agent, now):
            return []
        return await self._write(webhooks.take_due, agent, now, until, limit)

    async def record_push(self, delivery: PushDelivery) -> None:
        await self._write(webhooks.record_push, delivery)

    async def dead_push(self, agent: str, limit: int) -> Sequence[PushDelivery]:
        return await self._read(webhooks.list_dead, agent, limit)

    async def compact(self, agent: str, ended_before: int, limit: int) -> int:
        return await self._write(upkeep.compact, agent, ended_before, limit)

    async def forget(self, agent: str, ended_before: int, now: int, limit: int) -> int:
        return await self._write(upkeep.forget, agent, ended_before, now, limit)

    async def sizes(self) -> Mapping[str, int]:
        return await self._read(upkeep.measure)

    async def check(self) -> Sequence[str]:
        return await self._read(checking.check)

    async def _read(
        self, action: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._submit(self._readers, Job(lambda connection: action(connection, *args, **kwargs)))

    async def _write(
        self, action: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._submit(self._writer, Job(lambda connection: action(connection, *args, **kwargs)))

    async def _submit(self, crew: Crew, job: Job[T]) -> T:
        self._lifetime.check()
        with explained(self._path):
            return await crew.submit(job)


def _run_reads(connection: sqlite3.Connection, jobs: Sequence[AnyJob]) -> None:
    for job in jobs:
        if not job.future.cancelled():
            job.run(connection)
