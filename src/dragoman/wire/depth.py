"""How deep the JSON of a request may be nested.

What is read must be printed again, in other places and at other depths of the stack, for as long as the task lives;
and protobuf peers refuse more than this anyway.
"""

import re
from itertools import accumulate

from dragoman.model import ParseError

MAX_DEPTH = 100

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKETS = b"{[]}"
_OTHER = bytes(set(range(256)) - set(_BRACKETS))
_STEPS = bytes.maketrans(_BRACKETS, b"\1\1\xff\xff")


def check_depth(body: bytes) -> None:
    """ParseError if `body`, which must be known to be JSON, is nested deeper than `MAX_DEPTH`."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", body).translate(_STEPS, _OTHER)
    if max(accumulate(memoryview(brackets).cast("b")), default=0) > MAX_DEPTH:
        raise ParseError(f"invalid JSON payload: it is nested deeper than {MAX_DEPTH} levels")
