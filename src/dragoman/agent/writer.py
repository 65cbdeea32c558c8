"""An artifact written piece by piece."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from msgspec import UNSET

from dragoman.agent.delivery import Delivery
from dragoman.agent.payload import make_part
from dragoman.model import Artifact, Metadata, Part


@dataclass(frozen=True, slots=True)
class ArtifactFacts:
    """What an artifact is called, and what its pieces are."""

    artifact_id: str
    name: str = ""
    description: str = ""
    media_type: str = ""
    metadata: Metadata | None = None


class ArtifactWriter:
    """Streams an artifact to whoever watches; leaving the block closes it, leaving it by an error does not.

    ```python
    async with ctx.artifact("report.md", media_type="text/markdown") as out:
        await out.write("# Report")
    ```
    """

    def __init__(self, delivery: Delivery, facts: ArtifactFacts) -> None:
        self._delivery = delivery
        self._facts = facts
        self._held: Part | None = None
        self._last: Part | None = None
        self._is_closed = False

    @property
    def artifact_id(self) -> str:
        return self._facts.artifact_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._finish()
        self._is_closed = True

    async def write(self, piece: Any) -> None:
        """Add a text, bytes, a Part, or anything that becomes data; waits while the log is behind."""
        if self._is_closed:
            raise ValueError(f"artifact {self._facts.name or self.artifact_id!r} is closed")
        part = make_part(piece, media_type=self._facts.media_type)
        await self._flush()
        if _close_with(part) is None:
            self._held = part
        else:
            await self._put(part)

    async def _finish(self) -> None:
        if self._held is not None:
            await self._put(self._held, is_last=True)
        elif self._last is not None and (closing := _close_with(self._last)) is not None:
            await self._put(closing, is_last=True)

    async def _flush(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            await self._put(held)

    async def _put(self, part: Part, *, is_last: bool = False) -> None:
        artifact = self._describe(part)
        is_first, self._last = self._last is None, part
        await self._delivery.put(artifact, append=not is_first, last_chunk=is_last)

    def _describe(self, part: Part) -> Artifact:
        facts = self._facts
        if self._last is not None:
            return Artifact(artifact_id=facts.artifact_id, parts=(part,))
        return Artifact(
            artifact_id=facts.artifact_id,
            name=facts.name,
            description=facts.description,
            metadata=facts.metadata,
            parts=(part,),
        )


def _close_with(part: Part) -> Part | None:
    """An empty piece that can end an artifact after `part`; data and URLs have none, so they are held back instead."""
    if part.text is not UNSET:
        return Part.of_text("", media_type=part.media_type)
    if part.raw is not UNSET:
        return Part.of_bytes(b"", media_type=part.media_type)
    return None
