"""Counts what the interpreter does in Dragoman's own code: calls into its functions, calls from them into C, asyncio tasks.

Counts of libraries are left out: they change with the libraries' versions. What a thread does is counted too.
"""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import dragoman

SOURCE = str(Path(dragoman.__file__).parent)


@dataclass(slots=True)
class Counts:
    """Python calls include the resumptions of coroutines and generators."""

    calls: int = 0
    c_calls: int = 0
    tasks: int = 0
    functions: dict[CodeType, int] = field(default_factory=dict)


class Counter:
    """A profile function for all threads; it counts between `start` and `stop`."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._own: dict[CodeType, bool] = {}
        self._counts_now = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if not self._counts_now or event not in ("call", "c_call"):
            return
        code = frame.f_code
        if (own := self._own.get(code)) is None:
            own = self._own[code] = code.co_filename.startswith(SOURCE)
        if not own:
            return
        if event == "call":
            self.counts.calls += 1
            self.counts.functions[code] = self.counts.functions.get(code, 0) + 1
        else:
            self.counts.c_calls += 1

    def make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> "asyncio.Task[Any]":
        if self._counts_now:
            self.counts.tasks += 1
        return asyncio.Task(coroutine, loop=loop, **options)

    async def count(self, call: Callable[[], Awaitable[None]]) -> Counts:
        """What one call comes to; the functions by how often they were entered."""
        self.counts, self._counts_now = Counts(), True
        try:
            await call()
        finally:
            self._counts_now = False
        return self.counts


@contextmanager
def counting() -> Iterator[Counter]:
    """A counter for this thread and all that start in the block, in place of whatever profiles now."""
    counter, before = Counter(), sys.getprofile()
    threading.setprofile(counter)
    sys.setprofile(counter)
    try:
        yield counter
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
