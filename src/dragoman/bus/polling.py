"""The bus of processes that share a machine and a SQLite file."""

import asyncio
import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from dragoman.bus.base import Bus, Listener, Topic
from dragoman.bus.local import LocalBus
from dragoman.model import UnavailableError

logger = logging.getLogger("dragoman.bus")

_MOST_BELLS = 10_000
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS bells (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, topic TEXT NOT NULL)"
)
_NEWS = "SELECT id, sender, topic FROM bells WHERE id > ? ORDER BY id"


class SqliteBus(Bus):
    """Rings in its own process at once, in the others that open `path` within two intervals.

    The file is the bus's own, beside that of the store. The store's would do without it, but its change counter moves
    with every commit, of this process too: every listener would look at the store forty times a second for nothing.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, interval: timedelta = timedelta(milliseconds=25)
    ) -> None:
        self._path = Path(path).absolute()
        self._interval = interval
        self._local = LocalBus()
        self._outbox: deque[Topic] = deque(maxlen=_MOST_BELLS)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> "SqliteBus":
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(
            target=self._work, args=(loop, ready), name="dragoman-sqlite-bus", daemon=True
        )
        self._thread.start()
        try:
            await ready
        except BaseException:
            self._closing.set()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def ring(self, topic: Topic) -> None:
        self._local.ring(topic)
        self._outbox.append(topic)

    def listen(self, topic: Topic, listener: Listener) -> Callable[[], None]:
        return self._local.listen(topic, listener)

    def _work(self, loop: asyncio.AbstractEventLoop, ready: asyncio.Future[None]) -> None:
        try:
            belfry = _Belfry(self._path)
        except (sqlite3.Error, OSError) as error:
            _post(
                loop,
                _fail,
                ready,
                UnavailableError(f"the bus at {str(self._path)!r} cannot be opened: {error}"),
            )
            return
        with closing(belfry):
            _post(loop, _succeed, ready)
            while not self._closing.wait(self._interval.total_seconds()):
                self._exchange(belfry, loop)

    def _exchange(self, belfry: "_Belfry", loop: asyncio.AbstractEventLoop) -> None:
        try:
            belfry.announce({self._outbox.popleft() for _ in range(len(self._outbox))})
            heard = belfry.hear()
        except sqlite3.Error:
            logger.warning("the bus at %s does not answer; rings are late", self._path, exc_info=True)
            return
        for topic in heard:
            _post(loop, self._local.ring, topic)


class _Belfry:
    """The file, from its one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._sender = uuid4().hex
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            # Nothing in it is worth a wait for the disk: a ring may be lost.
            for statement in ("PRAGMA synchronous = OFF", "PRAGMA journal_mode = WAL", _SCHEMA):
                self._connection.execute(statement)
            self._version = self._read_version()
            self._heard = self._connection.execute("SELECT coalesce(max(id), 0) FROM bells").fetchone()[0]
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def announce(self, topics: set[Topic]) -> None:
        if not topics:
            return
        rows = [(self._sender, topic) for topic in topics]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany("INSERT INTO bells (sender, topic) VALUES (?, ?)", rows)
            self._connection.execute(
                "DELETE FROM bells WHERE id <= (SELECT max(id) FROM bells) - ?", (_MOST_BELLS,)
            )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def hear(self) -> list[Topic]:
        """The topics that others rang since last time."""
        version = self._read_version()
        if version == self._version:
            return []
        self._version = version
        news = self._connection.execute(_NEWS, (self._heard,)).fetchall()
        self._heard = max((number for number, _, _ in news), default=self._heard)
        return list(dict.fromkeys(topic for _, sender, topic in news if sender != self._sender))

    def _read_version(self) -> int:
        """Moves when another connection has written."""
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _post(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *values: object) -> None:
    try:
        loop.call_soon_threadsafe(call, *values)
    except RuntimeError:
        return  # the loop is closed, so that nobody listens


def _succeed(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _fail(ready: asyncio.Future[None], error: BaseException) -> None:
    if not ready.done():
        ready.set_exception(error)
