"""What a run says that an earlier run of the same task has said already."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from dragoman.engine.entries import LogEntry
from dragoman.engine.extensions import is_own
from dragoman.model import (
    Artifact,
    Message,
    Metadata,
    Part,
    TaskArtifactUpdateEvent,
    TaskState,
)
from dragoman.wire import codec


class Repeats:
    """Keeps a run that starts again from the top from telling everything twice (I2).

    A status is told once if it was told before in the same words. The pieces of an artifact are compared in their order: what
    is the same is not written again; where the new run parts from the old, the artifact is begun anew. What `extensions` have
    added was not said by the run. A mere change of state is the engine's own to tell.
    """

    def __init__(self, said: Iterable[LogEntry], extensions: Sequence[str] = ()) -> None:
        self._statuses: defaultdict[bytes, int] = defaultdict(int)
        self._pieces: defaultdict[str, deque[TaskArtifactUpdateEvent]] = defaultdict(deque)
        self._repeated: defaultdict[str, list[Part]] = defaultdict(list)
        for entry in said:
            if (update := entry.status_update) is not None:
                metadata = _without(update.metadata, extensions)
                if update.status.message is not None or metadata:
                    self._statuses[_words(update.status.state, update.status.message, metadata)] += 1
            elif entry.artifact_update is not None:
                self._pieces[entry.artifact_update.artifact.artifact_id].append(entry.artifact_update)

    def is_told(self, state: TaskState, message: Message | None, metadata: Metadata | None) -> bool:
        """Whether an earlier run has told this, and this one not yet."""
        if not self._statuses:
            return False
        words = _words(state, message, metadata)
        if self._statuses[words] <= 0:
            return False
        self._statuses[words] -= 1
        return True

    def remainder(
        self, artifact: Artifact, *, append: bool, last_chunk: bool
    ) -> tuple[Artifact, bool] | None:
        """The piece that is to be written, and whether to append it; None if it lies on the log already."""
        earlier = self._pieces.get(artifact.artifact_id)
        if not earlier:
            return artifact, append
        piece = earlier[0]
        if (piece.artifact, piece.append, piece.last_chunk) == (artifact, append, last_chunk):
            earlier.popleft()
            self._repeated[artifact.artifact_id].extend(artifact.parts)
            return None
        del self._pieces[artifact.artifact_id]
        told = self._repeated.pop(artifact.artifact_id, []) if append else []
        return replace(artifact, parts=(*told, *artifact.parts)), False


NOTHING_SAID = Repeats(())
"""What the first run of a task has to compare with; it stays empty."""


def _words(state: TaskState, message: Message | None, metadata: Metadata | None) -> bytes:
    parts = message.parts if message is not None else ()
    return codec.encode([state, parts, metadata])


def _without(metadata: Metadata | None, extensions: Sequence[str]) -> Metadata | None:
    if not metadata or not extensions:
        return metadata
    return {name: value for name, value in metadata.items() if not is_own(name, extensions)} or None
