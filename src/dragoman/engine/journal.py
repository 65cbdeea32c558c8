"""What a run did, so that the next run of the same task need not do it again.

A function that is resumed runs again from the top; what it did in steps is answered from the log, in the order in which it asks.
Each asyncio task of the function is a branch with an order of its own, so that steps in parallel replay
whatever order they end in. A branch is known by its first step, for the order in which branches begin is not the function's to say;
where several begin alike, they are told apart when they go on differently.
"""

import asyncio
import enum
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import ref

from msgspec import Struct

from dragoman.engine.errors import NonDeterminismError
from dragoman.model import JSON, Record


class StepKind(enum.Enum):
    """What a function can have recorded."""

    STEP = "step"
    ASK = "ask"
    MESSAGE = "message"
    CALL = "call"
    SLEEP = "sleep"
    NOW = "now"
    RANDOM = "random"
    UUID = "uuid"


class StepFailure(Record, frozen=True, kw_only=True):
    """How a step failed, for good: the name of the error's type, its text, and data for the caller."""

    kind: str
    message: str
    data: JSON = None


class StepRecord(Record, frozen=True, kw_only=True):
    """One entry of the journal.

    Each step has a record per attempt that began, with `is_done` false, and one of its end. `fingerprint` tells calls of one
    function with different arguments apart. `note` is what an unfinished attempt wants its successor to know, in a record of
    its own (`is_note`).
    """

    branch: int
    parent: int = 0
    position: int
    kind: StepKind
    name: str
    fingerprint: str = ""
    is_done: bool = False
    is_note: bool = False
    result: JSON = None
    failure: StepFailure | None = None
    note: JSON = None

    @property
    def place(self) -> tuple[int, int]:
        return self.branch, self.position

    @property
    def call(self) -> "StepCall":
        return StepCall(self.kind, self.name, self.fingerprint)


@dataclass(frozen=True, slots=True)
class StepCall:
    """What the function asks for; two equal calls are the same work."""

    kind: StepKind
    name: str
    fingerprint: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name!r}"


class _Branch(Struct, eq=False):
    number: int
    parent: int
    task: "ref[asyncio.Task[object]] | None"
    position: int = 0

    @property
    def is_current(self) -> bool:
        """Whether the calling asyncio task is the branch's, or any may be."""
        return self.task is None or self.task() is asyncio.current_task()


_current: ContextVar[_Branch | None] = ContextVar("dragoman_branch", default=None)


@dataclass(slots=True)
class Step:
    """One step of the running function: its end, if an earlier run recorded one, and its attempts so far."""

    call: StepCall
    branch: int
    parent: int
    position: int
    done: StepRecord | None = None
    attempts: int = 0
    note: JSON = None

    def record(
        self,
        *,
        is_done: bool,
        is_note: bool = False,
        result: JSON = None,
        failure: StepFailure | None = None,
        note: JSON = None,
    ) -> StepRecord:
        return StepRecord(
            branch=self.branch,
            parent=self.parent,
            position=self.position,
            kind=self.call.kind,
            name=self.call.name,
            fingerprint=self.call.fingerprint,
            is_done=is_done,
            is_note=is_note,
            result=result,
            failure=failure,
            note=note,
        )


def begin_main(*, in_thread: bool = False) -> None:
    """The calling asyncio task is the function's main branch; in a thread, whichever task calls for it."""
    _current.set(_Branch(0, 0, None if in_thread else _current_task()))


class Journal:
    """The recorded steps of a task, and where its present run stands among them.

    `append` puts a record on the task's log. `enter` is called by the function's own asyncio tasks; the one that calls
    `begin_main` is branch 0.
    """

    def __init__(self, records: Sequence[StepRecord], append: Callable[[StepRecord], None]) -> None:
        self._append = append
        self._steps: dict[tuple[int, int], Step] = {}
        self._parents: dict[int, int] = {}
        self._holders: dict[int, _Branch] = {}
        self._unmet: set[tuple[int, int]] = set()
        for record in records:
            self._load(record)

    @property
    def is_replaying(self) -> bool:
        """Whether recorded steps remain that this run has not come to yet."""
        return bool(self._unmet)

    @property
    def has_open_question(self) -> bool:
        """Whether an earlier run has asked something that this one has not come to yet."""
        unmet = (self._steps[place] for place in self._unmet)
        return any(
            step.call.kind is StepKind.ASK and step.attempts > 0 and step.done is None for step in unmet
        )

    def enter(self, call: StepCall) -> Step:
        """The next step of the calling branch; NonDeterminismError if an earlier run did something else here."""
        branch = self._branch_for(call)
        step = self._steps.get((branch.number, branch.position))
        if (step is None or step.call != call) and (other := self._find_twin(branch, call)) is not None:
            self._trade(branch, other)
            step = self._steps[branch.number, branch.position]
        place = (branch.number, branch.position)
        branch.position += 1
        if step is None:
            step = self._steps[place] = Step(call, branch.number, branch.parent, place[1])
            return step
        self._unmet.discard(place)
        if step.call != call:
            differs = (
                ", with other arguments" if (step.call.kind, step.call.name) == (call.kind, call.name) else ""
            )
            raise NonDeterminismError(
                f"the first run of this task came to {step.call} here, this one to {call}{differs}; a skill that is resumed "
                "must make the same steps in the same order, so take what varies from ctx.step, ctx.now or ctx.random"
            )
        return step

    def write(self, record: StepRecord) -> None:
        """Keep what became of a step of this run."""
        step = self._steps[record.place]
        _advance(step, record)
        self._append(record)

    def _load(self, record: StepRecord) -> None:
        if record.place not in self._steps:
            self._steps[record.place] = Step(record.call, record.branch, record.parent, record.position)
            self._unmet.add(record.place)
            if record.branch != 0:
                self._parents[record.branch] = record.parent
        _advance(self._steps[record.place], record)

    def _branch_for(self, call: StepCall) -> _Branch:
        known = _current.get()
        if known is None:
            raise RuntimeError("a step was made outside of its skill's run")
        if known.is_current:
            return known
        branch = self._fork(known, call)
        _current.set(branch)
        return branch

    def _fork(self, parent: _Branch, call: StepCall) -> _Branch:
        """The branch of an asyncio task that makes its first step: one that an earlier run began so, or a new one."""
        for number in sorted(self._parents):
            is_free = number not in self._holders and self._parents[number] == parent.number
            if is_free and self._steps[number, 0].call == call:
                break
        else:
            number = max(self._parents, default=0) + 1
            self._parents[number] = parent.number
        branch = self._holders[number] = _Branch(number, parent.number, _current_task())
        return branch

    def _find_twin(self, branch: _Branch, call: StepCall) -> int | None:
        """A branch of the record that began as this one did, and goes on with `call`, where no other has come to yet.

        Branches that begin alike cannot be told apart by their first step; whoever comes first is taken for the first of them.
        """
        if branch.number == 0:
            return None
        for number, parent in self._parents.items():
            is_sibling = number != branch.number and parent == branch.parent
            if is_sibling and (number, branch.position) in self._unmet:
                step = self._steps[number, branch.position]
                if step.call == call and self._are_alike(number, branch.number, branch.position):
                    return number
        return None

    def _are_alike(self, one: int, other: int, length: int) -> bool:
        """Whether the first steps of two branches are the same, with the same results, and neither has branches of its own."""
        if not {one, other}.isdisjoint(self._parents.values()):
            return False
        for position in range(length):
            first, second = self._steps.get((one, position)), self._steps.get((other, position))
            if first is None or second is None or first.call != second.call or not _end_alike(first, second):
                return False
        return True

    def _trade(self, branch: _Branch, number: int) -> None:
        """Have `branch` be that number from now on, and whoever was it before be what `branch` was; if nobody was, that is free again."""
        old, holder = branch.number, self._holders.pop(number, None)
        del self._holders[old]
        self._unmet -= {(number, position) for position in range(branch.position)}
        branch.number, self._holders[number] = number, branch
        if holder is not None:
            holder.number, self._holders[old] = old, holder
        else:
            self._unmet |= {(old, position) for position in range(branch.position)}


def _current_task() -> "ref[asyncio.Task[object]]":
    """A weak reference: the task holds its context, and the context the branch."""
    task = asyncio.current_task()
    assert task is not None
    return ref(task)


def _end_alike(one: Step, other: Step) -> bool:
    if one.done is None or other.done is None:
        return False
    return (one.done.result, one.done.failure) == (other.done.result, other.done.failure)


def _advance(step: Step, record: StepRecord) -> None:
    if record.is_done:
        step.done = record
        return
    step.attempts += not record.is_note
    step.note = record.note if record.note is not None else step.note
