"""How what a skill says and makes reaches its task, in order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from dragoman.agent.fetching import FileFetcher
from dragoman.agent.payload import Speech, choose_media_type, make_part, make_parts, read_file, write_out
from dragoman.agent.progress import Progress, check_fraction
from dragoman.engine.errors import RunEndedError
from dragoman.engine.handler import Turn
from dragoman.model import (
    AgentSkill,
    Artifact,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    Task,
    TaskState,
)
from dragoman.wire.media import JSON_TYPE, matches

TEXT_TYPE = "text/plain"


class Delivery:
    """Puts values into the task of a turn, and numbers the artifacts that they become.

    Artifact ids are numbers, so that a run repeated after a crash replaces what the first one left.
    """

    def __init__(
        self, turn: Turn, skill: AgentSkill, *, files: FileFetcher, may_reply: bool, max_file_bytes: int
    ) -> None:
        self.skill = skill
        self.files = files
        self.turn = turn
        self._may_reply = may_reply
        self._max_file_bytes = max_file_bytes
        self._media_type = choose_media_type(skill.output_modes)
        self.accepted = _list_accepted(turn.request.configuration)
        self._takes_text = not self.accepted or self.accepts(TEXT_TYPE)
        self._takes_data = not self.accepted or self.accepts(JSON_TYPE)
        self._made = 0
        self._stream_id = ""

    @property
    def is_canceled(self) -> bool:
        return self.turn.is_canceled

    def accepts(self, media_type: str) -> bool:
        """Whether the caller takes results of this type; one that has not said takes all."""
        return not self.accepted or any(matches(mode, media_type) for mode in self.accepted)

    def task(self) -> Task:
        return self.turn.task()

    def compose(self, speech: Speech) -> Message:
        return self.turn.compose(make_parts(speech))

    def progress(self, speech: Speech = "", fraction: float | None = None) -> None:
        check_fraction(fraction)
        message = self.compose(speech) if speech else None
        self.turn.status(
            TaskState.WORKING, message, metadata=None if fraction is None else {"progress": fraction}
        )

    async def put(self, artifact: Artifact, *, append: bool = False, last_chunk: bool = True) -> None:
        self.turn.artifact(artifact, append=append, last_chunk=last_chunk)
        await self.turn.room()

    async def finish(self, value: Any) -> None:
        """What the skill returned."""
        match value:
            case None:
                return
            case Message():
                self._answer(value)
            case str():
                await self._put_parts(self._make_text(value))
            case _:
                await self.add(value)

    async def add(self, value: Any) -> None:
        """What the skill yielded."""
        match value:
            case None:
                return
            case str():
                await self._stream(value)
            case Progress(message=text, fraction=fraction):
                self.progress(text, fraction)
            case Message():
                self.turn.status(TaskState.WORKING, self._own(value))
            case Artifact():
                await self.put(value)
            case Path():
                await self._put_parts(await asyncio.to_thread(read_file, value, self._max_file_bytes))
            case list() | tuple():
                await self._add_all(cast("Sequence[Any]", value))
            case _:
                await self._put_parts(self._make_part(value))

    async def close(self) -> None:
        """Mark the streamed text as complete; a part is REQUIRED, so that the last chunk is an empty text (JSN-14)."""
        if self._stream_id:
            await self._put_chunk("", is_last=True)

    def name_artifact(self) -> str:
        """The id of the next artifact."""
        self._made += 1
        return f"artifact-{self._made}"

    def _make_part(self, value: Any) -> Part:
        part = make_part(value, media_type=self._media_type)
        is_unwanted = self._takes_text and not self._takes_data
        return write_out(part) if is_unwanted and part is not value else part

    def _make_text(self, text: str) -> Part:
        """A text that was returned whole; as a JSON string for a caller that takes data and no text (SND-13)."""
        if type(text) is str and not self.accepted and not self._media_type:
            return Part.of_text(text)
        part = self._make_part(text)
        is_fit = self.accepts(part.media_type) if part.media_type else self._takes_text
        return Part.of_data(str.__str__(text)) if self._takes_data and not is_fit else part

    async def _add_all(self, values: Sequence[Any]) -> None:
        if values and all(isinstance(value, Artifact) for value in values):
            for artifact in values:
                await self.put(artifact)
        elif values and all(isinstance(value, Part) for value in values):
            await self._put_parts(*values)
        else:
            await self._put_parts(self._make_part(values))

    async def _put_parts(self, *parts: Part) -> None:
        await self.put(Artifact(artifact_id=self.name_artifact(), name=self.skill.id, parts=parts))

    async def _stream(self, text: str) -> None:
        if not text:
            return
        if not self._stream_id:
            self._stream_id = self.name_artifact()
            part = self._make_part(text)
            first = Artifact(artifact_id=self._stream_id, name=self.skill.id, parts=(part,))
            await self.put(first, last_chunk=False)
        else:
            await self._put_chunk(text)

    async def _put_chunk(self, text: str, *, is_last: bool = False) -> None:
        part = self._make_part(text)
        await self.put(Artifact(artifact_id=self._stream_id, parts=(part,)), append=True, last_chunk=is_last)

    def _answer(self, message: Message) -> None:
        """Answer without a task if there is none yet, else complete it with the message."""
        if self._may_reply:
            try:
                self.turn.reply(self._own(message, task_id=""))
                return
            except (RunEndedError, RuntimeError):
                pass  # a task exists: the skill touched it, or an earlier run did
        self.turn.status(TaskState.COMPLETED, self._own(message))

    def _own(self, message: Message, *, task_id: str | None = None) -> Message:
        """The message in this conversation, whatever its author left out (D-16)."""
        task_id = self.turn.task_id if task_id is None else task_id
        return replace(message, role=Role.AGENT, context_id=self.turn.context_id, task_id=task_id)


def _list_accepted(configuration: SendMessageConfiguration | None) -> tuple[str, ...]:
    return configuration.accepted_output_modes if configuration is not None else ()
