"""What every store does alike with a commit."""

from collections.abc import Sequence

from dragoman.store.records import Commit

SEPARATOR = b"\n"


def check_batch(batch: Sequence[Commit]) -> None:
    """Refuse what no store can keep."""
    for commit in batch:
        _check_entries(commit)
        if commit.key is not None and commit.new is None:
            raise ValueError(
                f"a commit to task {commit.task_id!r} has a key and creates nothing; use the key of a `post`"
            )


def _check_entries(commit: Commit) -> None:
    """Entries with a line feed would be torn apart where the log is written as lines."""
    if SEPARATOR not in b"".join(commit.entries):
        return
    for number, entry in enumerate(commit.entries, commit.first):
        if SEPARATOR in entry:
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
