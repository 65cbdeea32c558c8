"""What the engine asks of whoever does the work: the border between the engine and the authoring API."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias
from uuid import UUID

from dragoman.engine.journal import StepCall
from dragoman.model import (
    JSON,
    LATEST,
    AgentCard,
    Generation,
    Message,
    Metadata,
    Part,
    SendMessageRequest,
    Task,
    TaskState,
    Timestamp,
)
from dragoman.model.task import Artifact
from dragoman.security import ANONYMOUS, Principal


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and what came with the call besides the request."""

    principal: Principal = ANONYMOUS
    extensions: tuple[str, ...] = ()
    last_event_id: str = ""
    """The mark of the last event that the caller has read of the stream that it opens again."""
    idempotency_key: str = ""
    """The caller's name for this send: a second one under the same name is answered with what became of the first."""
    generation: Generation = LATEST
    """In which one the caller speaks. The webhooks that it registers are told in the same."""
    task_name: str = ""
    """The caller's own id for the task of this send, from a caller of 0.1: it begins the task, or goes on with it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a step. `key` is the same for every attempt, on every machine: give it to what can tell repetitions.

    `number` counts from 1. `note` is what an earlier attempt has kept with `keep`, which returns when the note is durable.
    """

    key: str
    number: int
    note: JSON
    keep: Callable[[JSON], Awaitable[None]]


Work: TypeAlias = Callable[[Attempt], Awaitable[JSON]]
"""What a step does; its result is JSON."""


class Steps(Protocol):
    """What a job does once, however often it is run: recorded on the task, and answered from the record.

    Every method is called in the job's own asyncio tasks, and raises NonDeterminismError where an earlier run of the task did
    something else. Steps in asyncio tasks of the job's own are told apart by the first step of each.
    """

    def begin(self, *, in_thread: bool = False) -> None:
        """The calling asyncio task is the job's main one, as the one that runs the job is; or, for a job in a thread, all are."""
        ...

    async def perform(self, call: StepCall, work: Work) -> JSON:
        """Do `work` and record its result before returning it; return the recorded one if there is one.

        An attempt is on the log before it begins. What `work` raises is recorded as well, and raised as StepFailedError, a
        SkillError as itself. An attempt that was cut off is made again.
        """
        ...

    def now(self) -> Timestamp: ...

    def random(self) -> float:
        """A number from 0 to below 1, good enough for choices and for nothing secret."""
        ...

    def uuid(self) -> UUID: ...

    async def sleep(self, pause: timedelta) -> None:
        """Sleep; a run that starts again sleeps for what is left."""
        ...


class Turn(Protocol):
    """One run of a job, as the job sees it. Every method is for the event loop's thread alone.

    Methods that change the task raise RunEndedError once the run no longer owns it: it was canceled, timed out or taken over.
    """

    @property
    def request(self) -> SendMessageRequest: ...

    @property
    def call(self) -> Call: ...

    @property
    def task_id(self) -> str: ...

    @property
    def context_id(self) -> str: ...

    @property
    def is_canceled(self) -> bool:
        """Whether the caller asked to cancel; the coroutine gets a CancelledError as well."""
        ...

    @property
    def is_abandoned(self) -> bool:
        """Whether the task goes on without this run, here or elsewhere; the coroutine gets a CancelledError as well."""
        ...

    @property
    def steps(self) -> Steps: ...

    def task(self) -> Task:
        """The task as the run has brought it so far, with history and artifacts."""
        ...

    def compose(self, parts: Sequence[Part], *, metadata: Metadata | None = None) -> Message:
        """A message of the agent in this task and context."""
        ...

    def status(
        self, state: TaskState, message: Message | None = None, *, metadata: Metadata | None = None
    ) -> None:
        """Change the state, or say something while WORKING. A terminal state ends the run's say."""
        ...

    def artifact(
        self,
        artifact: Artifact,
        *,
        append: bool = False,
        last_chunk: bool = False,
        metadata: Metadata | None = None,
    ) -> None:
        """Create, replace or extend an artifact."""
        ...

    async def room(self) -> None:
        """Wait while more is written than the log can take: call it between chunks."""
        ...

    def reply(self, message: Message) -> None:
        """Answer with a message and no task. Only for a job whose `may_reply` is true, before it touched the task."""
        ...

    async def ask(self, message: Message, *, state: TaskState = TaskState.INPUT_REQUIRED) -> Message:
        """Park the task with the question and wait for the caller's next message; WORKING again when it came."""
        ...

    async def next_message(self) -> Message:
        """The next message that the caller sent to the working task, in order; waits for one (I7)."""
        ...

    async def load_state(self) -> bytes | None:
        """What the conversation remembers."""
        ...

    def save_state(self, state: bytes) -> None:
        """Remember it, durable with the next change of status."""
        ...


class Job(Protocol):
    """An admitted request: a skill chosen and its input valid, ready to run."""

    @property
    def may_reply(self) -> bool:
        """Whether the answer may be a plain message: then no task exists before the job needs one."""
        ...

    @property
    def is_idempotent(self) -> bool:
        """Whether a run whose process died may simply be run again."""
        ...

    async def run(self, turn: Turn) -> None:
        """Do the work. Returning completes the task, if it has not ended yet; raising fails it.

        SkillError fails it with words and data for the caller, an A2AError with its message; of anything else the caller
        learns a reference and the log the rest (I12).
        """
        ...


class Handler(Protocol):
    """The agent behind the engine."""

    def admit(self, request: SendMessageRequest, call: Call) -> Job:
        """Choose a skill and validate the input. An A2AError raised here refuses the request: no task is made."""
        ...

    def extended_card(self, call: Call) -> AgentCard | None:
        """The card for this caller, or None if none is configured."""
        ...
