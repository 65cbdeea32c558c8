"""What earlier runs of a task have left for the next one."""

from collections.abc import Iterable
from dataclasses import dataclass

from dragoman.engine.entries import LogEntry
from dragoman.engine.journal import StepKind, StepRecord
from dragoman.model import Message


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the caller, with its number on the log."""

    seq: int
    message: Message


@dataclass(frozen=True, slots=True)
class Past:
    """The log of a task, as far as a run that starts again from the top needs it; empty for a first run.

    `has_begun` is false if the task's job has surely not begun yet. `restarts` counts the times that the task was taken over
    from a dead process since its job had begun, or since a step was last finished.
    """

    records: tuple[StepRecord, ...] = ()
    heard: tuple[Heard, ...] = ()
    said: tuple[LogEntry, ...] = ()
    restarts: int = 0
    has_begun: bool = True

    @property
    def unread(self) -> tuple[Heard, ...]:
        """What no earlier run has read."""
        if not self.heard:
            return ()
        read = {
            record.result["received"] for record in self.records if record.is_done and record.kind in _READING
        }
        return tuple(heard for heard in self.heard if heard.seq not in read)

    def message(self, seq: int) -> Message:
        """What was heard as the entry `seq`."""
        return next(heard.message for heard in self.heard if heard.seq == seq)


NO_PAST = Past()
"""That of a task that is new."""


def load_past(entries: Iterable[LogEntry]) -> Past:
    """Read the past from a whole log."""
    records: list[StepRecord] = []
    heard: list[Heard] = []
    said: list[LogEntry] = []
    restarts = 0
    has_begun = True
    for seq, entry in enumerate(entries, 1):
        if entry.recorded is not None:
            records.append(entry.recorded)
            restarts = 0 if entry.recorded.is_done else restarts
        elif entry.received is not None:
            heard.append(Heard(seq, entry.received))
        elif entry.restarted:
            restarts += has_begun
        elif entry.task is not None:
            has_begun = entry.origin is None or not entry.origin.is_announced
        else:
            said.append(entry)
            has_begun = True
    return Past(tuple(records), tuple(heard), tuple(said), restarts, has_begun)


_READING = (StepKind.ASK, StepKind.MESSAGE)
