"""Skills made of random steps, and a store whose process dies in the middle of them."""

import asyncio
import inspect
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from dragoman.engine import Limits, Turn
from dragoman.engine.entries import load_entry
from dragoman.engine.errors import StepFailedError
from dragoman.engine.handler import Attempt
from dragoman.engine.handler import Work as StepWork
from dragoman.engine.journal import StepCall, StepKind
from dragoman.model import A2AError, Part, Task, UnavailableError
from dragoman.model.task import Artifact
from tests.unit.engine.kit import (
    INPUT_REQUIRED,
    WORKING,
    Host,
    ScriptedHandler,
    Vault,
    question,
    said,
    serving,
    why,
    write,
)

PATIENT = Limits(
    chunk_delay=timedelta(milliseconds=1),
    cancel_grace=timedelta(milliseconds=20),
    max_restarts=1000,
)

Program: TypeAlias = "Sequence[str | Group]"


@dataclass(frozen=True)
class Group:
    """Programs side by side, each in an asyncio task of its own."""

    programs: Sequence[Program]


@dataclass(frozen=True)
class Death:
    """The process dies at its `calls`-th access to the store: before it, or after it and before the process knows of it."""

    calls: int
    is_after: bool


@dataclass
class Story:
    """One program on its way: what its functions have done in the world, which no crash takes back."""

    program: Program
    vault: Vault = field(default_factory=Vault)
    done: Counter[str] = field(default_factory=Counter[str])
    numbers: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def job(self, turn: Turn) -> None:
        results = await _Performance(self, turn).run(self.program, "0")
        turn.artifact(Artifact(artifact_id="results", parts=(Part.of_data(results),)))

    async def play(self, deaths: Sequence[Death] = ()) -> Task:
        """The task at its end, run by one process after the other."""
        for death in deaths:
            if (task := await self._live_through(death)) is not None:
                return task
        task = await self._live_through(None)
        assert task is not None
        return task

    async def _live_through(self, death: Death | None) -> Task | None:
        line = Line(self.vault, death)
        handler = ScriptedHandler(self.job, is_idempotent=True)
        async with serving(handler, store=line, limits=PATIENT, leaves_tasks=True) as host:  # type: ignore[arg-type]
            try:
                async with asyncio.timeout(2):
                    task = await self._converse(host, line)
            except TimeoutError:
                raise AssertionError(f"it goes on no more: {self.tell()}") from None
        self.vault._alive_until.clear()
        return task

    async def _converse(self, host: Host, line: "Line") -> Task | None:
        """Be the caller, who answers each question once."""
        while not line.is_dead:
            try:
                task_id = next(iter(self.vault._tasks), None) or (await host.begin()).id
                task = await host.get(task_id)
                if task.state.is_terminal:
                    return task
                if task.state is INPUT_REQUIRED and f"re {why(task)}" not in said(task):
                    await host.begin(f"re {why(task)}", task_id=task_id)
            except A2AError:
                assert line.is_dead, "an error for no reason"
            await asyncio.sleep(0)
        return None

    def entries(self) -> list[Any]:
        """What lies on the task's log."""
        [row] = self.vault._tasks.values()
        return [load_entry(data) for data in row.log]

    def tell(self) -> str:
        return "\n".join(map(repr, self.entries()))

    def statuses(self) -> Counter[str]:
        """What the agent said, and how often."""
        updates = [entry.status_update.status for entry in self.entries() if entry.status_update is not None]
        return Counter(status.message.text for status in updates if status.message is not None)

    def pieces(self) -> Counter[tuple[str, str]]:
        """The pieces of artifacts, and how often each was written."""
        updates = [entry.artifact_update for entry in self.entries() if entry.artifact_update is not None]
        return Counter((update.artifact.artifact_id, update.artifact.text) for update in updates)

    def attempts(self) -> Counter[str]:
        """How many attempts at each step are on the log."""
        records = [entry.recorded for entry in self.entries() if entry.recorded is not None]
        return Counter(
            record.name for record in records if record.kind is StepKind.STEP and not record.is_done
        )


class _Performance:
    """One run of a story's program."""

    def __init__(self, story: "Story", turn: Turn) -> None:
        self._story = story
        self._turn = turn
        self._begun: set[str] = set()

    async def run(self, program: Program, path: str) -> list[Any]:
        return [await self._perform(op, f"{path}.{number}") for number, op in enumerate(program)]

    async def _perform(self, op: "str | Group", path: str) -> Any:
        steps = self._turn.steps
        match op:
            case Group(programs):
                return await self._run_side_by_side(programs, path)
            case "step":
                return await steps.perform(StepCall(StepKind.STEP, path), self._work(path))
            case "fail":
                return await self._fail(path)
            case "ask":
                return (await self._turn.ask(question(self._turn, f"{path}?"))).text
            case "now" | "random" | "uuid":
                drawn = str(getattr(steps, op)())
                return await steps.perform(StepCall(StepKind.STEP, path, drawn), self._work(path))
            case _:
                await self._go_on(op, path)
                return path

    async def _go_on(self, op: str, path: str) -> None:
        """Do what has no result."""
        match op:
            case "sleep":
                await self._turn.steps.sleep(timedelta())
            case "say":
                self._turn.status(WORKING, question(self._turn, f"{path}!"))
            case _:
                await self._write(path)

    async def _run_side_by_side(self, programs: Sequence[Program], path: str) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            parts = enumerate(programs)
            tasks = [group.create_task(self.run(part, f"{path}.{number}")) for number, part in parts]
        return [task.result() for task in tasks]

    async def _write(self, path: str) -> None:
        branch, _, number = path.rpartition(".")
        write(self._turn, f"{number};", branch, append=branch in self._begun)
        self._begun.add(branch)
        await self._turn.room()

    async def _fail(self, path: str) -> str:
        async def work(attempt: Attempt) -> None:
            await self._work(path)(attempt)
            raise LookupError(path)

        try:
            await self._turn.steps.perform(StepCall(StepKind.STEP, path), work)
        except StepFailedError as error:
            return f"{error.kind} {error.message}"
        raise AssertionError("it should have failed")

    def _work(self, path: str) -> StepWork:
        async def work(attempt: Attempt) -> str:
            self._story.done[path] += 1
            self._story.numbers[path].append(attempt.number)
            for _ in range(len(path) % 5):
                await asyncio.sleep(0)
            return f"done {path}"

        return work


class Line:
    """The way of one process to the store, which ends when it dies."""

    def __init__(self, store: Vault, death: Death | None) -> None:
        self._store = store
        self._death = death
        self._calls = 0
        self.is_dead = False

    async def __aenter__(self) -> "Line":
        await self._store.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing: another process may come."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def call(*args: Any, **options: Any) -> Any:
            self._calls += name in ("commit", "claim")
            if self._death is not None and self._calls >= self._death.calls and not self.is_dead:
                self.is_dead = True
                if self._death.is_after:
                    await method(*args, **options)
            if self.is_dead:
                raise UnavailableError("the process is dead")
            await asyncio.sleep(0)
            return await method(*args, **options)

        return call
