"""What a skill knows about its run, and what it can do with it."""

import logging
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TypeVar, overload

from dragoman.agent import questions
from dragoman.agent.conversation import ConversationState
from dragoman.agent.delivery import Delivery
from dragoman.agent.payload import Speech
from dragoman.agent.writer import ArtifactFacts, ArtifactWriter
from dragoman.model import AgentSkill, Message, Metadata, Task, TaskState
from dragoman.security import Principal

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
        self.task_id: str = turn.task_id
        self.context_id: str = turn.context_id
        self.log = SkillLogger(
            logger, {"task_id": self.task_id, "context_id": self.context_id, "skill": self.skill.id}
        )


class Context(RunFacts):
    """The run of an `async` skill: name a parameter's type `Context` to get it.

    Methods that touch the task raise `RunEndedError` once it is canceled or has timed out.
    """

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        self._delivery = delivery
        self.state = ConversationState(delivery)
        """What the agent remembers of this conversation."""

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
    async def ask(self, question: Speech, *, attempts: int = ...) -> str: ...
    @overload
    async def ask(self, question: Speech, kind: type[T], *, attempts: int = ...) -> T: ...
    @overload
    async def ask(self, question: Speech, kind: Any, *, attempts: int = ...) -> Any: ...
    async def ask(self, question: Speech, kind: Any = str, *, attempts: int = questions.MAX_ATTEMPTS) -> Any:
        """Park the task as INPUT_REQUIRED and wait for an answer that validates as a `kind`.

        An answer that does not is asked for again with the reason; SkillError after `attempts` of them.
        """
        return await questions.ask(self._delivery, question, kind, attempts)

    async def confirm(self, question: Speech) -> bool:
        """Ask a question that is answered by yes or no."""
        return await questions.confirm(self._delivery, question)

    async def choose(self, question: Speech, options: Sequence[T] | Mapping[str, T]) -> T:
        """Let the caller pick one of `options`, by its text or its number; a mapping's values go by their keys."""
        return await questions.choose(self._delivery, question, options)

    async def ask_auth(self, question: Speech) -> Message:
        """Park the task as AUTH_REQUIRED and wait for the caller's next message."""
        delivery = self._delivery
        return await delivery.turn.ask(delivery.compose(question), state=TaskState.AUTH_REQUIRED)

    async def next_message(self) -> Message:
        """The next message that the caller sends while the task is working; waits for one."""
        return await self._delivery.turn.next_message()

    def reply(self, speech: Speech) -> Message:
        """A message to return: the whole answer, without a task, from a skill annotated `-> Message`."""
        return self._delivery.compose(speech)
