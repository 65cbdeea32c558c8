"""The threads that SQLite is used from, so that the event loop never waits for a disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """Something to do with a connection, and the future of who waits for what comes of it."""

    __slots__ = ("_error", "_result", "action", "future")

    def __init__(self, action: Callable[[sqlite3.Connection], T]) -> None:
        self.action = action
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._error: BaseException | None = None
        self._result: Any = None

    def run(self, connection: sqlite3.Connection) -> None:
        try:
            self.succeed(self.action(connection))
        except BaseException as error:  # noqa: BLE001 -- whoever waits for it gets it
            self.fail(error)

    def succeed(self, result: T) -> None:
        self._result = result

    def fail(self, error: BaseException) -> None:
        self._error = error

    def settle(self) -> None:
        """On the event loop: tell whoever still waits."""
        if self.future.done():
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)


AnyJob: TypeAlias = Job[Any]
Serve: TypeAlias = Callable[[sqlite3.Connection, Sequence[AnyJob]], None]


class Crew:
    """Threads with a connection each, which take jobs from one queue.

    `serve` is handed up to `group` jobs that wait at the same time, and marks each as succeeded or failed.
    """

    def __init__(
        self,
        open_connection: Callable[[], sqlite3.Connection],
        serve: Serve,
        *,
        group: int = 1,
        close: Callable[[sqlite3.Connection], None] = sqlite3.Connection.close,
    ) -> None:
        self._open_connection = open_connection
        self._serve = serve
        self._group = group
        self._close = close
        self._jobs: SimpleQueue[AnyJob | None] = SimpleQueue()
        self._endings: list[Job[None]] = []

    async def start(self, name: str) -> None:
        """Add a thread; raises what opening its connection raises."""
        opening = Job(lambda _: None)
        ending = Job(lambda _: None)
        self._endings.append(ending)
        # A daemon, so that a program that ends without closing its store ends; nothing that was acknowledged is lost.
        threading.Thread(target=self._work, args=(opening, ending), name=name, daemon=True).start()
        await opening.future

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        self._jobs.put(job)
        return job.future

    def dismiss(self) -> None:
        """Let the threads end when they have done what is waiting."""
        for _ in self._endings:
            self._jobs.put(None)

    async def stop(self) -> None:
        self.dismiss()
        for ending in self._endings:
            await ending.future

    def _work(self, opening: Job[None], ending: Job[None]) -> None:
        try:
            connection = self._open_connection()
        except BaseException as error:  # noqa: BLE001 -- `start` raises it
            opening.fail(error)
            _settle([opening, ending])
            return
        _settle([opening])
        try:
            self._serve_until_dismissed(connection)
        finally:
            self._close(connection)
            _settle([ending])

    def _serve_until_dismissed(self, connection: sqlite3.Connection) -> None:
        while jobs := self._take():
            self._serve(connection, jobs)
            _settle(jobs)

    def _take(self) -> list[AnyJob]:
        """Wait for a job, and take those with it that wait too; none when the thread is dismissed."""
        jobs: list[AnyJob] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == self._group:
                return jobs
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return jobs
        if jobs:
            self._jobs.put(None)
        return jobs


def _settle(jobs: Sequence[AnyJob]) -> None:
    try:
        jobs[0].future.get_loop().call_soon_threadsafe(_settle_on_loop, jobs)
    except RuntimeError:
        return  # the loop is closed, so that nobody waits


def _settle_on_loop(jobs: Sequence[AnyJob]) -> None:
    for job in jobs:
        job.settle()
