"""Threads for synchronous skills."""

import concurrent.futures
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

_IDLE_SECONDS = 30.0

_Work: TypeAlias = tuple[concurrent.futures.Future[Any], Callable[[], Any]]


class Threads:
    """At most `size` threads, started when needed and gone after a while without work.

    They are daemons, unlike those of `ThreadPoolExecutor`: a skill that never returns must not keep the process alive.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = 0
        self._lock = threading.Lock()
        self._idle = threading.Semaphore(0)
        self._queue: queue.SimpleQueue[_Work] = queue.SimpleQueue()

    def submit(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        """Run `work` in a thread, with the caller's context variables."""
        context = contextvars.copy_context()
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._queue.put((future, lambda: context.run(work)))
        if not self._idle.acquire(blocking=False):
            self._start()
        return future

    def _start(self) -> None:
        with self._lock:
            if self._count == self._size:
                return
            self._count += 1
        threading.Thread(target=self._serve, name="dragoman-skill", daemon=True).start()

    def _serve(self) -> None:
        while (entry := self._take()) is not None:
            _perform(*entry)
            del entry  # its result may be large, and the next one long in coming

    def _take(self) -> _Work | None:
        """The next work; None when this thread may go."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            self._idle.release()
        try:
            return self._queue.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            return self._retire()

    def _retire(self) -> _Work | None:
        if not self._idle.acquire(blocking=False):
            return self._queue.get()  # whoever took the last token has work under way for this thread
        with self._lock:
            self._count -= 1
        return None


def _perform(future: concurrent.futures.Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except StopIteration as error:  # a future cannot carry it
        future.set_exception(_rename(error))
    except BaseException as error:  # noqa: BLE001 - the coroutine that waits is the one to handle it
        future.set_exception(error)


def _rename(error: StopIteration) -> RuntimeError:
    renamed = RuntimeError("the skill raised StopIteration")
    renamed.__cause__ = error
    return renamed
