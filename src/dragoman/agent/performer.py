"""Steps: functions that a task does once, however often its run starts again."""

import asyncio
import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dragoman.agent.threads import Threads
from dragoman.agent.work import StepFunction, read_function
from dragoman.engine.errors import RunEndedError
from dragoman.engine.handler import Attempt, Steps
from dragoman.engine.journal import StepCall, StepKind
from dragoman.model import JSON, SkillError
from dragoman.resilience import Backoff

DEFAULT_PAUSE = 0.2
"""Seconds before a step is repeated for the first time."""

_under_way: ContextVar[str] = ContextVar("dragoman_step_under_way", default="")


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How a step is done. `pause` is the wait before the first repetition; the later ones double."""

    name: str | None = None
    retries: int = 0
    pause: float | timedelta = DEFAULT_PAUSE

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"a step is repeated 0 times or more, not {self.retries!r}")

    @property
    def backoff(self) -> Backoff:
        pause = self.pause.total_seconds() if isinstance(self.pause, timedelta) else self.pause
        return Backoff(attempts=self.retries + 1, initial_seconds=pause, max_seconds=max(pause, 10.0))


class Performer:
    """Does what goes on the journal of one run. The functions of steps that are not async work in `threads`."""

    def __init__(self, steps: Steps, threads: Threads) -> None:
        self._steps = steps
        self._threads = threads

    @property
    def steps(self) -> Steps:
        """The journal; RuntimeError inside of a step."""
        self.check()
        return self._steps

    def check(self) -> None:
        """Raise RuntimeError inside of a step, for a later run, which has its result, would not come there."""
        if name := _under_way.get():
            raise RuntimeError(
                f"step {name!r} is one piece of work: make no other step, question or call inside of it"
            )

    async def step(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: StepOptions,
    ) -> Any:
        """The result of the function, called now or by an earlier run."""
        from dragoman.agent.fingerprints import fingerprint

        work = read_function(function)
        call = StepCall(StepKind.STEP, options.name or work.name, fingerprint(args, kwargs))

        async def perform(attempt: Attempt) -> JSON:
            with _inside(call.name):
                value = await _repeat(lambda: self._call(work, attempt, args, kwargs), options.backoff)
            return work.form.dump(value)

        return work.form.load(await self.steps.perform(call, perform))

    async def _call(
        self, work: StepFunction, attempt: Attempt, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        if work.is_async:
            return await work.call(attempt, args, kwargs)
        value = await asyncio.wrap_future(self._threads.submit(lambda: work.call(attempt, args, kwargs)))
        return await value if inspect.isawaitable(value) else value


@contextmanager
def _inside(name: str) -> Generator[None, None, None]:
    token = _under_way.set(name)
    try:
        yield
    finally:
        _under_way.reset(token)


async def _repeat(call: Callable[[], Any], backoff: Backoff) -> Any:
    """What `call` gives; errors are waited out, unless they are meant for the caller or come of the run's end."""
    number = 0
    while True:
        number += 1
        try:
            return await call()
        except (SkillError, RunEndedError):
            raise
        except Exception:  # whatever it is, the next attempt may go well; the last one's is raised
            delay = backoff.delay(number)
            if delay is None:
                raise
        await asyncio.sleep(delay)
