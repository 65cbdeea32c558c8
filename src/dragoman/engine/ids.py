"""Ids of tasks, contexts and messages."""

import os

_DIGITS = 32
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
    """A random UUID (RFC 9562, version 4): not to be guessed."""
    digits = _randomness.take()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
