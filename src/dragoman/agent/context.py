"""What a skill knows about its run, and what it can do with it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload
from uuid import UUID

from dragoman.agent import questions
from dragoman.agent.context_files import ContextFiles
from dragoman.agent.conversation import ConversationState
from dragoman.agent.delivery import Delivery
from dragoman.agent.payload import Speech
from dragoman.agent.performer import DEFAULT_PAUSE, Performer, StepOptions
from dragoman.agent.writer import ArtifactFacts, ArtifactWriter
from dragoman.engine.handler import Attempt
from dragoman.model import AgentSkill, Message, Metadata, Task, TaskState
from dragoman.security import Principal

if TYPE_CHECKING:  # the first call loads the client, which most agents do without
    from dragoman.agent.calls import Peer
    from dragoman.client.content import Content

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("dragoman.skill")


class SkillLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds `task_id`, `context_id` and `skill` to every record."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


class RunFacts:
    """What does not change during a run, and can be read from anywhere."""

    def __init__(self, delivery: Delivery) -> None:
        turn = delivery.turn
        self.message: Message = turn.request.message
        """The message that started the run."""
        self.caller: Principal = turn.call.principal
        self.skill: AgentSkill = delivery.skill
        self.accepted_output_modes: tuple[str, ...] = delivery.accepted
        """The media types that the caller wants to have results in, if it has said."""
        self._accepts = delivery.accepts
        self.extensions: frozenset[str] = frozenset(turn.call.extensions)
        """The URIs of the extensions that are active for this task."""
        self.task_id: str = turn.task_id
        self.context_id: str = turn.context_id
        self.log = SkillLogger(
            logger, {"task_id": self.task_id, "context_id": self.context_id, "skill": self.skill.id}
        )

    def accepts(self, media_type: str) -> bool:
        """Whether the caller takes results of this media type; one that has not said takes all."""
        return self._accepts(media_type)


class Context(RunFacts):
    """The run of an `async` skill: name a parameter's type `Context` to get it.

    Methods that touch the task raise `RunEndedError` once it is canceled or has timed out.
    """

    def __init__(self, delivery: Delivery, performer: Performer) -> None:
        super().__init__(delivery)
        self._delivery = delivery
        self._performer = performer
        self.state = ConversationState(delivery)
        """What the agent remembers of this conversation."""
        self.files = ContextFiles(self.message, delivery.files, self.skill.input_modes)
        """The files that the message brings, or says where to find."""

    @property
    def task(self) -> Task:
        """The task as it stands, history and artifacts included."""
        return self._delivery.task()

    @property
    def is_canceled(self) -> bool:
        """Whether the caller asked to cancel."""
        return self._delivery.is_canceled

    async def progress(self, message: Speech = "", fraction: float | None = None) -> None:
        """Tell watchers what the skill does now, and how far it is, from 0 to 1."""
        self._delivery.progress(message, fraction)

    def artifact(
        self, name: str = "", *, media_type: str = "", description: str = "", metadata: Metadata | None = None
    ) -> ArtifactWriter:
        """A new artifact to write piece by piece, in an `async with` block."""
        facts = ArtifactFacts(self._delivery.name_artifact(), name, description, media_type, metadata)
        return ArtifactWriter(self._delivery, facts)

    @overload
    async def step(
        self,
        function: Callable[..., Awaitable[T]],
        /,
        *args: Any,
        name: str,
        retries: int = ...,
        pause: float | timedelta = ...,
        **kwargs: Any,
    ) -> T: ...
    @overload
    async def step(
        self,
        function: Callable[..., T],
        /,
        *args: Any,
        name: str,
        retries: int = ...,
        pause: float | timedelta = ...,
        **kwargs: Any,
    ) -> T: ...
    @overload
    async def step(
        self,
        function: Callable[..., Awaitable[T]],
        /,
        *args: Any,
        name: str | None = ...,
        retries: int,
        pause: float | timedelta = ...,
        **kwargs: Any,
    ) -> T: ...
    @overload
    async def step(
        self,
        function: Callable[..., T],
        /,
        *args: Any,
        name: str | None = ...,
        retries: int,
        pause: float | timedelta = ...,
        **kwargs: Any,
    ) -> T: ...
    @overload
    async def step(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    async def step(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    async def step(
        self, function: Callable[Concatenate[Attempt, P], Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    async def step(
        self, function: Callable[Concatenate[Attempt, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def step(  # type: ignore[misc] # a `name` of the function's own is passed by position
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        name: str | None = None,
        retries: int = 0,
        pause: float | timedelta = DEFAULT_PAUSE,
        **kwargs: Any,
    ) -> Any:
        """Call a function once for this task, however often the skill is run, and keep what it returns.

        A function that is not `async` works in a thread. What it returns is kept as JSON, by its return annotation. One
        whose first parameter is annotated `Attempt` gets that: give its `key` to whatever can tell repetitions, for an
        attempt that was cut off is made again. An error is kept like a result, after `retries` more tries with growing
        pauses, and raised as StepFailedError; a SkillError at once, and as itself. Steps in a task group are made side by side.

            receipt = await ctx.step(pay, order)
        """
        options = StepOptions(name, retries, pause)
        return await self._performer.step(function, args, kwargs, options)

    @overload
    async def call(
        self,
        peer: "Peer",
        content: "Content",
        *,
        skill: str = ...,
        ask_caller: bool = ...,
        name: str | None = ...,
    ) -> str: ...
    @overload
    async def call(
        self,
        peer: "Peer",
        content: "Content",
        kind: type[T],
        *,
        skill: str = ...,
        ask_caller: bool = ...,
        name: str | None = ...,
    ) -> T: ...
    @overload
    async def call(
        self,
        peer: "Peer",
        content: "Content",
        kind: Any,
        *,
        skill: str = ...,
        ask_caller: bool = ...,
        name: str | None = ...,
    ) -> Any: ...
    async def call(
        self,
        peer: "Peer",
        content: "Content",
        kind: Any = str,
        *,
        skill: str = "",
        ask_caller: bool = False,
        name: str | None = None,
    ) -> Any:
        """Ask another agent, and get the answer as a `kind`; made once, like a step.

        A run that starts again waits for the same task of theirs, and theirs is canceled with ours. What they ask goes to our
        own caller with `ask_caller`, else it is an InputRequiredError. CallFailedError if they fail, BadResponse for an
        answer that is no `kind`, StepFailedError if they cannot be reached. `name` is theirs in the journal, where their
        address may change.
        """
        from dragoman.agent.calls import Called, Calls

        calls = Calls(self._delivery, self._performer)
        return await calls.call(Called(peer, content, kind, skill, ask_caller, name))

    async def sleep(self, pause: float | timedelta) -> None:
        """Wait for so long, in seconds, since the task first came here, however often its skill is run."""
        await self._performer.steps.sleep(pause if isinstance(pause, timedelta) else timedelta(seconds=pause))

    def now(self) -> datetime:
        """The time in UTC when the task first came here."""
        return self._performer.steps.now()

    def random(self) -> float:
        """A number from 0 to below 1, the same whenever the skill is run. Not for secrets."""
        return self._performer.steps.random()

    def uuid(self) -> UUID:
        """A new UUID, the same whenever the skill is run."""
        return self._performer.steps.uuid()

    @overload
    async def ask(self, question: Speech, *, attempts: int = ...) -> str: ...
    @overload
    async def ask(self, question: Speech, kind: type[T], *, attempts: int = ...) -> T: ...
    @overload
    async def ask(self, question: Speech, kind: Any, *, attempts: int = ...) -> Any: ...
    async def ask(self, question: Speech, kind: Any = str, *, attempts: int = questions.MAX_ATTEMPTS) -> Any:
        """Park the task as INPUT_REQUIRED and wait for an answer that validates as a `kind`.

        An answer that does not is asked for again with the reason; SkillError after `attempts` of them.
        """
        return await questions.ask(self._recorded, question, kind, attempts)

    async def confirm(self, question: Speech) -> bool:
        """Ask a question that is answered by yes or no."""
        return await questions.confirm(self._recorded, question)

    async def choose(self, question: Speech, options: Sequence[T] | Mapping[str, T]) -> T:
        """Let the caller pick one of `options`, by its text or its number; a mapping's values go by their keys."""
        return await questions.choose(self._recorded, question, options)

    async def ask_auth(self, question: Speech) -> Message:
        """Park the task as AUTH_REQUIRED and wait for the caller's next message."""
        delivery = self._recorded
        return await delivery.turn.ask(delivery.compose(question), state=TaskState.AUTH_REQUIRED)

    async def next_message(self) -> Message:
        """The next message that the caller sends while the task is working; waits for one."""
        return await self._recorded.turn.next_message()

    def reply(self, speech: Speech) -> Message:
        """A message to return: the whole answer, without a task, from a skill annotated `-> Message`."""
        return self._delivery.compose(speech)

    @property
    def _recorded(self) -> Delivery:
        """The delivery, for what goes on the journal; RuntimeError inside of a step."""
        self._performer.check()
        return self._delivery
