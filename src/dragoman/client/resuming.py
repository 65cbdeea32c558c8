"""Which events of a resumed stream its reader has had already. No input or output.

An agent may number its events with the `id:` of SSE; the protocol does not ask for it. Numbers are trusted only if the
snapshot that opens the new stream is not below the last one seen: some agents count anew on every connection.
"""

from dragoman.model import Event, Task


class Cursor:
    """The place in a stream, across its connections."""

    def __init__(self) -> None:
        self.last_id = ""
        self._floor: int | None = None
        self._is_first = False

    def reconnect(self) -> None:
        """What comes next may repeat what was read."""
        self._floor = _read_number(self.last_id)
        self._is_first = True

    def is_repeat(self, id: str, event: Event) -> bool:
        """Whether the reader has had `event`. A snapshot is never one: it is compared with what is known."""
        number = _read_number(id)
        is_own = id != self.last_id or self._is_first
        if isinstance(event, Task) and self._is_first:
            self._floor = number if _is_at_least(number, self._floor) else None
        is_repeat = is_own and not isinstance(event, Task) and _is_at_least(self._floor, number)
        self._is_first = False
        self.last_id = id
        return is_repeat


def is_own_mark(id: str) -> bool:
    """Whether the id is one of Dragoman's, whose snapshots are whole: what is not in them is not on the task's log."""
    return "-" in id and _read_number(id) is not None


def _is_at_least(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one >= other


def _read_number(id: str) -> int | None:
    number = id.partition("-")[0]  # Dragoman's agents add a digest, to tell events of one number apart
    return int(number) if number.isascii() and number.isdecimal() and len(number) <= 18 else None
