"""What every store does alike with a commit."""

from collections.abc import Sequence

from dragoman.store.records import Commit

SEPARATOR = b"\n"


def check_entries(batch: Sequence[Commit]) -> None:
    """Refuse entries that would be torn apart where the log is written as lines."""
    for commit in batch:
        for position, entry in enumerate(commit.entries):
            if SEPARATOR in entry:
                number = commit.first + position
                raise ValueError(
                    f"entry {number} of task {commit.task_id!r} has a raw line feed; encode it as compact JSON"
                )


def join_entries(entries: Sequence[bytes]) -> bytes:
    """A segment of the log."""
    return SEPARATOR.join(entries)


def split_entries(body: bytes) -> list[bytes]:
    """The entries of a segment."""
    return body.split(SEPARATOR)


def holder_after(commit: Commit) -> str:
    """Who runs the task once the commit is accepted."""
    return "" if commit.header.state.is_terminal else commit.holder
