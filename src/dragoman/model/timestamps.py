"""Points in time as the protocol writes them."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self, TypeAlias

from dragoman.model.base import JSON

# ISO 8601, which `fromisoformat` reads, allows much more: week dates, no separators, commas.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,18})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)


class Timestamp(datetime):
    """An instant in UTC that prints as RFC 3339 with milliseconds and `Z` (JSN-04, JSN-05, JSN-08).

    It is a `datetime` in every other respect, always aware and always UTC. Finer than a millisecond is cut
    off, so that what was sent compares equal to what was kept.
    """

    __slots__ = ("_millis", "_text")
    _text: str
    _millis: int

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """The same instant as the aware `moment`; ValueError if it is naive, or outside of the years 1 to 9999."""
        if moment.tzinfo is None:
            raise ValueError("a timestamp needs a UTC offset, such as the final 'Z'")
        try:
            utc = moment.astimezone(UTC)
        except OverflowError:
            raise ValueError("a timestamp lies between the years 1 and 9999 in UTC") from None
        whole = utc.microsecond - utc.microsecond % 1000
        return cls(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, whole, UTC)

    @classmethod
    def from_millis(cls, millis: int) -> Self:
        """The instant `millis` milliseconds after 1970-01-01T00:00:00Z."""
        seconds, rest = divmod(millis, 1000)
        timestamp = cls.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
        timestamp._millis = millis  # noqa: SLF001 — one of its own
        return timestamp

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read RFC 3339 with any offset; ValueError if there is none or the text is not a timestamp."""
        if not _RFC_3339.fullmatch(text):
            raise ValueError("a timestamp looks like 2026-11-22T15:04:05.123Z")
        return cls.at(datetime.fromisoformat(text.upper()))

    @property
    def millis(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        try:
            return self._millis
        except AttributeError:
            self._millis = round(self.timestamp() * 1000)
            return self._millis

    @property
    def text(self) -> str:
        """`2026-11-22T15:04:05.123Z`."""
        try:
            return self._text
        except AttributeError:
            self._text = self.isoformat(timespec="milliseconds")[:23] + "Z"  # without the offset, which is 0
            return self._text


Clock: TypeAlias = Callable[[], Timestamp]
"""Where the time comes from: injected, so that a test can move it."""


def utc_now() -> Timestamp:
    """The time of the machine, to the millisecond."""
    return _from_millis(time.time_ns() // 1_000_000)


# What happens within one millisecond shares a timestamp, which keeps its text.
_from_millis = lru_cache(maxsize=1)(Timestamp.from_millis)


def encode_extra(value: object) -> JSON:
    """`enc_hook` for msgspec: how the types that JSON lacks are printed."""
    if isinstance(value, Timestamp):
        return value.text
    raise TypeError(f"{type(value).__name__} is not JSON; return a model, a dict, a list or a scalar")


def decode_extra(kind: type, value: JSON) -> object:
    """`dec_hook` for msgspec: how they are read."""
    if kind is Timestamp and isinstance(value, str):
        return Timestamp.parse(value)
    raise ValueError(f"expected an RFC 3339 timestamp, got {type(value).__name__}")
