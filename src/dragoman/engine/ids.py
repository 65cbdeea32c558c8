"""Ids of tasks, contexts and messages."""

import os
import time

_DIGITS = 19
_IDS_AT_ONCE = 64
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class _Randomness:
    """Random hexadecimal digits. They are fetched for many ids at once, for asking the system takes as long as the rest of an id."""

    def __init__(self) -> None:
        self._digits = ""
        self._taken = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)  # or parent and child would give out the same

    def take(self) -> str:
        begin = self._taken
        if begin == len(self._digits):
            self._digits, begin = os.urandom(_IDS_AT_ONCE * _DIGITS // 2).hex(), 0
        self._taken = end = begin + _DIGITS
        return self._digits[begin:end]

    def _forget(self) -> None:
        self._digits, self._taken = "", 0


_randomness = _Randomness()


def new_uuid() -> str:
    """A UUID that is not to be guessed, and that grows with the time (RFC 9562, version 7).

    What is made at the same time lies together in the indexes of a store; ids without order each dirty a page of their own.
    """
    moment = f"{time.time_ns() // 1_000_000:012x}"
    digits = _randomness.take()
    return f"{moment[:8]}-{moment[8:]}-7{digits[:3]}-{_VARIANTS[digits[3]]}{digits[4:7]}-{digits[7:]}"
