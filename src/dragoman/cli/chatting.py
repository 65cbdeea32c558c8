"""A conversation with an agent, a line at a time."""

import asyncio
from uuid import uuid4

from dragoman.cli.exits import Exit
from dragoman.cli.failures import CommandError, report
from dragoman.cli.following import follow
from dragoman.cli.hints import describe_answer
from dragoman.cli.lines import Lines
from dragoman.cli.output import Output
from dragoman.cli.telling import Teller
from dragoman.client import Client, EventStream
from dragoman.model import (
    DragomanError,
    Event,
    Message,
    Part,
    Role,
    Task,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
    wrap_event,
)

HELP = """\
/new      begin a new conversation
/cancel   cancel the task that works, or that waits for an answer
/help     show this
/quit     leave; so do /exit and the end of the input
Anything else is sent to the agent. Ctrl-C cancels an answer that is coming in."""

CANCEL = "/cancel"


class Chat:
    """What is said, and where the conversation stands: in which context, and which task waits for an answer."""

    def __init__(
        self,
        client: Client,
        lines: Lines,
        out: Output,
        *,
        skill: str = "",
        context: str = "",
        timeout: float | None = None,
    ) -> None:
        self.code = Exit.OK
        self._client = client
        self._lines = lines
        self._out = out
        self._skill = skill
        self._context = context
        self._timeout = timeout
        self._waiting: Task | None = None

    @property
    def prompt(self) -> str:
        return "answer> " if self._waiting else "> "

    async def greet(self) -> None:
        """Say who is there; raises what the client does if nobody is."""
        card = await self._client.card()
        self._out.hint(
            f"{card.name}: {card.description}\nWrite a line and press Enter; /help shows what else there is."
        )

    async def close(self) -> None:
        await self._client.close()

    async def take(self, line: str) -> bool:
        """Do what a line says; False if it is to leave. What goes wrong is told, and the conversation goes on."""
        words = line.strip()
        try:
            if words.startswith("/"):
                return await self._command(words)
            if words:
                await self._say(line)
        except DragomanError as error:
            self.code = report(error, self._out)
            if isinstance(error, TaskNotFoundError | UnsupportedOperationError):
                self._waiting = None
        return True

    async def _command(self, words: str) -> bool:
        match words:
            case "/quit" | "/exit":
                return False
            case "/new":
                self._context, self._waiting = "", None
                self._out.note("a new conversation")
            case "/cancel":
                await self._cancel_waiting()
            case "/help":
                self._out.note(HELP)
            case _:
                self._out.note(
                    f"there is no command {words.split(maxsplit=1)[0]!r}; /help shows those that there are"
                )
        return True

    async def _cancel_waiting(self) -> None:
        if not self._waiting:
            self._out.note("there is nothing to cancel")
            return
        task, self._waiting = self._waiting, None
        await self._client.task(task.id).cancel()
        self._out.note("the task was canceled")

    async def _say(self, text: str) -> None:
        message = Message(
            message_id=uuid4().hex,
            role=Role.USER,
            parts=(Part.of_text(text),),
            context_id=self._context,
            task_id=self._waiting.id if self._waiting else "",
        )
        events = self._client.stream(message, skill=self._skill, deadline=self._timeout)
        turn = Turn(self._client, self._out, events, self._waiting)
        with self._lines.watched(turn.take_line):
            answer = await turn.run()
        self._context = answer.context_id or self._context
        self.code = turn.teller.finish(answer)
        self._waiting = answer if isinstance(answer, Task) and answer.state.is_interrupted else None
        if self._waiting and (wanted := describe_answer(self._waiting)):
            self._out.note(f"it expects {wanted}")


class Turn:
    """One message and its answer, which may be canceled while it comes in: by a line, or with Ctrl-C."""

    def __init__(self, client: Client, out: Output, events: EventStream, prior: Task | None) -> None:
        self.teller = Teller(out, prior)
        self._prior = prior
        self._client = client
        self._out = out
        self._events = events
        self._reading: asyncio.Task[object] | None = None
        self._is_unwanted = False

    def take_line(self, line: str) -> bool:
        """Take a line that cancels; one that comes too early for it is obeyed when the task is known."""
        if line.strip() != CANCEL:
            return False
        self._is_unwanted = True
        if self._reading is not None and self._events.view.task_id:
            self._reading.cancel()
        return True

    async def run(self) -> Task | Message:
        self._reading = asyncio.current_task()
        assert self._reading is not None
        try:
            return await follow(self._events, self._tell, prior=self._prior)
        except UnwantedError:
            pass
        except asyncio.CancelledError:
            self._reading.uncancel()
        return await self._cancel()

    def _tell(self, event: Event) -> None:
        self._out.line(wrap_event(event))
        self.teller.tell(event)
        view = self._events.view
        if self._is_unwanted and view.task_id and not view.is_terminal:
            raise UnwantedError

    async def _cancel(self) -> Task:
        task_id = self._events.view.task_id
        if not task_id:
            raise CommandError("stopped before the agent answered", exit=Exit.INTERRUPTED)
        handle = self._client.task(task_id)
        try:
            return await handle.cancel()
        except TaskNotCancelableError:
            return await handle.refresh()


class UnwantedError(Exception):
    """The answer that is being read is not wanted any more."""
