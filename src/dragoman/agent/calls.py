"""Calls of other agents, made once however often the run that makes them starts again."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from dragoman.agent.answers import UnfitAnswerError, read_as
from dragoman.agent.delivery import Delivery
from dragoman.agent.errors import CallFailedError
from dragoman.agent.fingerprints import fingerprint
from dragoman.agent.performer import Performer
from dragoman.agent.questions import pose
from dragoman.agent.results import form_of
from dragoman.client import Client, TaskHandle
from dragoman.client.content import Content, read_artifact, read_text
from dragoman.client.http import AsgiApp
from dragoman.engine.handler import Attempt, Turn
from dragoman.engine.journal import StepCall, StepKind
from dragoman.model import (
    JSON,
    AgentCard,
    Artifact,
    BadResponse,
    DragomanError,
    InputRequiredError,
    Message,
    Part,
    Record,
    Role,
    Task,
    TaskState,
)
from dragoman.model.extensions import load_question_schema

T = TypeVar("T")

logger = logging.getLogger("dragoman.skill")

Peer: TypeAlias = Client | str | AgentCard | AsgiApp
"""Another agent: a client for it, or its URL, its card or its app, for which a client is opened as long as the call takes."""

KEY_METADATA = "idempotency-key"
"""Where the metadata of a call carries the key that every attempt at it shares."""

_CANCEL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Called:
    """What is asked of another agent. `is_bubbling` says that its questions go to our own caller."""

    peer: Peer
    content: Content
    kind: Any
    skill: str = ""
    is_bubbling: bool = False
    name: str | None = None

    @property
    def label(self) -> str:
        """The agent's name in the journal and in errors."""
        return self.name or _label(self.peer)

    def check(self) -> None:
        """Raise AuthoringError if nothing could be an answer of the kind."""
        if self.kind is not str:
            read_as(self.kind)

    def read(self, answer: "CallAnswer") -> Any:
        """The answer as the kind that is asked for."""
        if answer.task is not None and answer.task.state is not TaskState.COMPLETED:
            raise CallFailedError(self.label, answer.task)
        if self.kind is str:
            return read_text(answer.said)
        try:
            return read_as(self.kind)(_as_message(answer.said))
        except UnfitAnswerError as error:
            raise BadResponse(f"the answer of {self.label} does not fit: {error}") from error


class CallAnswer(Record, frozen=True, kw_only=True):
    """What a called agent has made of a message: a task that has ended or asks something, or a message instead of one."""

    task: Task | None = None
    message: Message | None = None

    @property
    def said(self) -> Task | Message:
        said = self.task if self.message is None else self.message
        assert said is not None
        return said


class CallNote(Record, frozen=True, kw_only=True):
    """What the next attempt at a call has to know: the task that the message has reached."""

    task_id: str


_ANSWERS = form_of(CallAnswer)
_NOTES = form_of(CallNote)


class Calls:
    """Makes the calls of one run. A question in between is a step of its own, and so is what was answered."""

    def __init__(self, delivery: Delivery, performer: Performer) -> None:
        self._delivery = delivery
        self._performer = performer

    async def call(self, called: Called) -> Any:
        """The answer as the kind that is asked for.

        Raises CallFailedError, InputRequiredError, BadResponse, and StepFailedError for an agent that could not be reached.
        """
        called.check()
        answer = await self._send(called, called.content)
        while answer.task is not None and answer.task.state.is_interrupted:
            if not called.is_bubbling:
                raise InputRequiredError(answer.task)
            reply = await self._ask_caller(called, answer.task)
            answer = await self._send(called, list(reply.parts), asked=answer.task)
        return called.read(answer)

    async def _send(self, called: Called, content: Content, *, asked: Task | None = None) -> CallAnswer:
        turn = self._delivery.turn
        said = content.parts if isinstance(content, Message) else content
        call = StepCall(StepKind.CALL, called.label, fingerprint(said, called.skill))
        sending = _Sending(called, content, asked, turn, call.fingerprint)
        answer: CallAnswer = _ANSWERS.load(await self._performer.steps.perform(call, sending.perform))
        return answer

    async def _ask_caller(self, called: Called, task: Task) -> Message:
        turn = self._delivery.turn
        asked = task.status.message
        parts = asked.parts if asked is not None and asked.parts else (Part.of_text("What is your answer?"),)
        try:
            return await turn.ask(pose(self._delivery, parts, load_question_schema(asked)), state=task.state)
        except asyncio.CancelledError:
            if _is_given_up(turn):
                await _cancel_theirs(called, task.id)
            raise


class _Sending:
    """One message on its way to another agent: the work of a step. `asked` is the task whose question it answers.

    `digest` tells what is said from what else could be said in its place.
    """

    def __init__(self, called: Called, content: Content, asked: Task | None, turn: Turn, digest: str) -> None:
        self._called = called
        self._content = _restate(content, turn)
        self._asked = asked
        self._turn = turn
        self._digest = digest

    async def perform(self, attempt: Attempt) -> JSON:
        """Send the message, unless an earlier attempt has, and wait for what comes of it."""
        async with _open(self._called.peer) as client:
            if self._asked is not None:
                handle = client.task(self._asked.id)
                said = await self._attend(handle, self._answer(handle, self._asked, attempt))
            elif attempt.note is not None:
                note: CallNote = _NOTES.load(attempt.note)
                handle = client.task(note.task_id)
                said = await self._attend(handle, handle.result())
            else:
                said = await self._begin(client, attempt)
        if isinstance(said, Message):
            return _ANSWERS.dump(CallAnswer(message=said))
        return _ANSWERS.dump(CallAnswer(task=replace(said, history=())))

    async def _begin(self, client: Client, attempt: Attempt) -> Task | Message:
        key = self._make_key(attempt)
        sending = asyncio.create_task(
            client.send(
                self._content,
                skill=self._called.skill,
                return_immediately=True,
                metadata={KEY_METADATA: key},
                idempotency_key=key,
            )
        )
        try:
            sent = await asyncio.shield(sending)
        except asyncio.CancelledError:
            await self._call_back(sending)
            raise
        if isinstance(sent, Message):
            return sent
        return await self._attend(sent, _keep_and_wait(sent, attempt))

    async def _answer(self, handle: TaskHandle, asked: Task, attempt: Attempt) -> Task | Message:
        task = await handle.refresh(history_length=0)
        if not task.state.is_interrupted or _name_question(task) != _name_question(asked):
            return await handle  # an earlier attempt has answered
        key = self._make_key(attempt)
        said = await handle.reply(self._content, metadata={KEY_METADATA: key}, idempotency_key=key)
        return said if isinstance(said, Message) else await said

    async def _attend(self, handle: TaskHandle, waiting: Coroutine[Any, Any, T]) -> T:
        try:
            return await waiting
        except asyncio.CancelledError:
            if _is_given_up(self._turn):
                await _cancel(handle, self._called)
            raise

    async def _call_back(self, sending: asyncio.Task[TaskHandle | Message]) -> None:
        """Cancel what is being sent, which may have begun there already; unless ours goes on elsewhere, and will ask for it."""
        if _is_given_up(self._turn):
            await asyncio.wait({sending}, timeout=_CANCEL_SECONDS)
            if _is_sent(sending) and isinstance(handle := sending.result(), TaskHandle):
                await _cancel(handle, self._called)
        sending.cancel()
        await asyncio.wait({sending})

    def _make_key(self, attempt: Attempt) -> str:
        """The same for every attempt, on every machine, and for nothing else that is ever said."""
        return hashlib.sha256(f"{attempt.key}/{self._digest}".encode()).hexdigest()


def _restate(content: Content, turn: Turn) -> Content:
    """What is said, without ids of our own task: a run that starts again has others in its message than the first had."""
    if not isinstance(content, Message):
        return content
    context_id = "" if content.context_id == turn.context_id else content.context_id
    task_id = "" if content.task_id == turn.task_id else content.task_id
    return replace(content, message_id="", context_id=context_id, task_id=task_id)


def _is_given_up(turn: Turn) -> bool:
    """Whether what was asked for is not wanted any more, by our caller or by our skill."""
    return turn.is_canceled or not turn.is_abandoned


def _is_sent(sending: asyncio.Task[Any]) -> bool:
    return sending.done() and not sending.cancelled() and sending.exception() is None


async def _cancel_theirs(called: Called, task_id: str) -> None:
    async with _open(called.peer) as client:
        await _cancel(client.task(task_id), called)


async def _cancel(handle: TaskHandle, called: Called) -> None:
    try:
        async with asyncio.timeout(_CANCEL_SECONDS):
            await handle.cancel()
    except (DragomanError, TimeoutError) as error:
        logger.warning("task %s of %s could not be canceled: %s", handle.id, called.label, error)


async def _keep_and_wait(handle: TaskHandle, attempt: Attempt) -> Task:
    await attempt.keep(_NOTES.dump(CallNote(task_id=handle.id)))
    return await handle


def _name_question(task: Task) -> str:
    return task.status.message.message_id if task.status.message is not None else ""


@asynccontextmanager
async def _open(peer: Peer) -> AsyncGenerator[Client, None]:
    if isinstance(peer, Client):
        yield peer
        return
    async with Client(peer) as client:
        yield client


def _label(peer: Peer) -> str:
    if isinstance(peer, Client):
        return peer.url
    return peer if isinstance(peer, str) else getattr(peer, "name", "") or type(peer).__qualname__


def _as_message(said: Task | Message) -> Message:
    """What a task has to say as one message; its artifacts, the chunks of a text together, or else its status."""
    if isinstance(said, Message):
        return said
    parts = tuple(part for artifact in said.artifacts or () for part in _join_chunks(artifact))
    if not parts and said.status.message is not None:
        return said.status.message
    return Message(message_id=said.id, role=Role.AGENT, parts=parts)


def _join_chunks(artifact: Artifact) -> tuple[Part, ...]:
    is_text = all(isinstance(part.text, str) for part in artifact.parts)
    return (Part.of_text(read_artifact(artifact)),) if is_text else artifact.parts
