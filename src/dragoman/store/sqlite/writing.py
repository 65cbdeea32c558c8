"""Transactions: what waits to be written at the same time is written in one."""

import sqlite3
from collections.abc import Sequence
from itertools import groupby, islice

from dragoman.store.records import Commit, Outcome
from dragoman.store.sqlite.appending import append
from dragoman.store.sqlite.scopes import ScopeIds
from dragoman.store.sqlite.threads import AnyJob, Job
from dragoman.store.sqlite.wal import Wal


class CommitJob(Job[list[Outcome]]):
    """Commits to apply; those of neighbouring jobs are applied together."""

    __slots__ = ("commits",)

    def __init__(self, commits: Sequence[Commit]) -> None:
        super().__init__(lambda connection: append(connection, ScopeIds(), commits))
        self.commits = commits


class Transactions:
    """Runs groups of jobs, each group in a transaction of its own."""

    def __init__(self, wal: Wal) -> None:
        self._wal = wal
        self._scopes = ScopeIds()

    def run(self, connection: sqlite3.Connection, jobs: Sequence[AnyJob]) -> None:
        try:
            self._try(connection, jobs)
            self._wal.trim(connection)
        except sqlite3.OperationalError as error:
            _fail(jobs, error)
        except BaseException as error:  # noqa: BLE001 -- whoever waits for it gets it
            if len(jobs) == 1:
                _fail(jobs, error)
            else:
                self._run_apart(connection, jobs)

    def _run_apart(self, connection: sqlite3.Connection, jobs: Sequence[AnyJob]) -> None:
        """Something is wrong with one of the jobs, and the others shall not suffer from it."""
        for job in jobs:
            self.run(connection, [job])

    def _try(self, connection: sqlite3.Connection, jobs: Sequence[AnyJob]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for is_commit, run in groupby(jobs, lambda job: isinstance(job, CommitJob)):
                if is_commit:
                    self._append(connection, [job for job in run if isinstance(job, CommitJob)])
                else:
                    for job in run:
                        job.succeed(job.action(connection))
            connection.execute("COMMIT")
        except BaseException:
            self._scopes.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _append(self, connection: sqlite3.Connection, jobs: Sequence[CommitJob]) -> None:
        outcomes = iter(append(connection, self._scopes, [commit for job in jobs for commit in job.commits]))
        for job in jobs:
            job.succeed(list(islice(outcomes, len(job.commits))))


def _fail(jobs: Sequence[AnyJob], error: BaseException) -> None:
    for job in jobs:
        job.fail(error)
