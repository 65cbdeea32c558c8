"""The context of skills that are not `async`: the same methods, which block."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, overload
from uuid import UUID

from dragoman.agent import questions
from dragoman.agent.context import Context, RunFacts
from dragoman.agent.context_files import SyncContextFiles
from dragoman.agent.conversation import ConversationState
from dragoman.agent.delivery import Delivery
from dragoman.agent.payload import Speech
from dragoman.agent.performer import DEFAULT_PAUSE, Performer
from dragoman.agent.portal import Portal
from dragoman.agent.writer import ArtifactWriter
from dragoman.engine.handler import Attempt
from dragoman.model import JSON, Message, Metadata, Task

if TYPE_CHECKING:  # the first call loads the client, which most agents do without
    from dragoman.agent.calls import Peer
    from dragoman.client.content import Content

P = ParamSpec("P")
T = TypeVar("T")


class SyncContext(RunFacts):
    """The run of a synchronous skill, which works in a thread: name a parameter's type `SyncContext` to get it.

    It is a type of its own, so that a checker sees a forgotten `await` in either kind of skill. Once the task is canceled
    or has timed out, `is_canceled` is true and every other method raises `RunEndedError`.
    """

    def __init__(self, delivery: Delivery, performer: Performer, portal: Portal) -> None:
        super().__init__(delivery)
        self._portal = portal
        self._context = Context(delivery, performer)
        self.state = SyncConversationState(self._context.state, portal)
        """What the agent remembers of this conversation."""
        self.files = SyncContextFiles(self._context.files, portal)
        """The files that the message brings, or says where to find."""

    @property
    def task(self) -> Task:
        """The task as it stands, history and artifacts included."""
        return self._on_loop(lambda: self._context.task)

    @property
    def is_canceled(self) -> bool:
        """Whether nobody waits for the result any more: look at it now and then in a long loop."""
        return self._portal.is_closed

    def progress(self, message: Speech = "", fraction: float | None = None) -> None:
        """Tell watchers what the skill does now, and how far it is, from 0 to 1."""
        self._portal.call(lambda: self._context.progress(message, fraction))

    def artifact(
        self, name: str = "", *, media_type: str = "", description: str = "", metadata: Metadata | None = None
    ) -> "SyncArtifactWriter":
        """A new artifact to write piece by piece, in a `with` block."""
        options: dict[str, Any] = {"media_type": media_type, "description": description, "metadata": metadata}
        return SyncArtifactWriter(
            self._on_loop(lambda: self._context.artifact(name, **options)), self._portal
        )

    @overload
    def step(
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
    def step(
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
    def step(
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
    def step(
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
    def step(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def step(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def step(
        self, function: Callable[Concatenate[Attempt, P], Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    def step(
        self, function: Callable[Concatenate[Attempt, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    def step(  # type: ignore[misc] # a `name` of the function's own is passed by position
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        name: str | None = None,
        retries: int = 0,
        pause: float | timedelta = DEFAULT_PAUSE,
        **kwargs: Any,
    ) -> Any:
        """Like `Context.step`; the function works in another thread, or on the event loop if it is `async`."""
        return self._portal.call(
            lambda: self._context.step(function, *args, name=name, retries=retries, pause=pause, **kwargs)
        )

    @overload
    def call(
        self,
        peer: "Peer",
        content: "Content",
        *,
        skill: str = ...,
        ask_caller: bool = ...,
        name: str | None = ...,
    ) -> str: ...
    @overload
    def call(
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
    def call(
        self,
        peer: "Peer",
        content: "Content",
        kind: Any,
        *,
        skill: str = ...,
        ask_caller: bool = ...,
        name: str | None = ...,
    ) -> Any: ...
    def call(
        self,
        peer: "Peer",
        content: "Content",
        kind: Any = str,
        *,
        skill: str = "",
        ask_caller: bool = False,
        name: str | None = None,
    ) -> Any:
        """Ask another agent, and get the answer as a `kind`; made once, like a step. See `Context.call`."""
        return self._portal.call(
            lambda: self._context.call(peer, content, kind, skill=skill, ask_caller=ask_caller, name=name)
        )

    def sleep(self, pause: float | timedelta) -> None:
        """Wait for so long, in seconds, since the task first came here, however often its skill is run."""
        self._portal.call(lambda: self._context.sleep(pause))

    def now(self) -> datetime:
        """The time in UTC when the task first came here."""
        return self._on_loop(self._context.now)

    def random(self) -> float:
        """A number from 0 to below 1, the same whenever the skill is run. Not for secrets."""
        return self._on_loop(self._context.random)

    def uuid(self) -> UUID:
        """A new UUID, the same whenever the skill is run."""
        return self._on_loop(self._context.uuid)

    @overload
    def ask(self, question: Speech, *, attempts: int = ...) -> str: ...
    @overload
    def ask(self, question: Speech, kind: type[T], *, attempts: int = ...) -> T: ...
    @overload
    def ask(self, question: Speech, kind: Any, *, attempts: int = ...) -> Any: ...
    def ask(self, question: Speech, kind: Any = str, *, attempts: int = questions.MAX_ATTEMPTS) -> Any:
        """Like `Context.ask`; the thread waits, and counts against `max_sync_threads`, until the answer comes."""
        return self._portal.call(lambda: self._context.ask(question, kind, attempts=attempts))

    def confirm(self, question: Speech) -> bool:
        """Ask a question that is answered by yes or no."""
        return self._portal.call(lambda: self._context.confirm(question))

    def choose(self, question: Speech, options: Sequence[T] | Mapping[str, T]) -> T:
        """Let the caller pick one of `options`, by its text or its number; a mapping's values go by their keys."""
        return self._portal.call(lambda: self._context.choose(question, options))

    def ask_auth(self, question: Speech) -> Message:
        """Park the task as AUTH_REQUIRED and wait for the caller's next message."""
        return self._portal.call(lambda: self._context.ask_auth(question))

    def next_message(self) -> Message:
        """The next message that the caller sends while the task is working; waits for one."""
        return self._portal.call(self._context.next_message)

    def reply(self, speech: Speech) -> Message:
        """A message to return: the whole answer, without a task, from a skill annotated `-> Message`."""
        return self._on_loop(lambda: self._context.reply(speech))

    def _on_loop(self, work: Callable[[], T]) -> T:
        async def perform() -> T:
            return work()

        return self._portal.call(perform)


class SyncArtifactWriter:
    """An `ArtifactWriter` for a thread."""

    def __init__(self, writer: ArtifactWriter, portal: Portal) -> None:
        self._writer = writer
        self._portal = portal

    @property
    def artifact_id(self) -> str:
        return self._writer.artifact_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._portal.call(lambda: self._writer.__aexit__(None, None, None))

    def write(self, piece: Any) -> None:
        """Add a text, bytes, a Part, or anything that becomes data; waits while the log is behind."""
        self._portal.call(lambda: self._writer.write(piece))


class SyncConversationState:
    """A `ConversationState` for a thread."""

    def __init__(self, state: ConversationState, portal: Portal) -> None:
        self._state = state
        self._portal = portal

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, as plain JSON."""
        return self._portal.call(lambda: self._state.get(key, default))

    def set(self, key: str, value: Any) -> None:
        """Remember `value`: JSON, or a model or dataclass that becomes JSON."""
        self._portal.call(lambda: self._state.set(key, value))

    def delete(self, key: str) -> None:
        """Forget `key`, if it is there."""
        self._portal.call(lambda: self._state.delete(key))

    def all(self) -> dict[str, JSON]:
        """A copy of everything."""
        return self._portal.call(self._state.all)
