"""The ids that callers of 0.1 make for their tasks, and the ids that the tasks have (SPEC 7.4, 7.7).

A caller's id is good among its own tasks only. The id of the task holds it, behind a digest of whose it is: so two callers may make the
same id and get tasks of their own, nobody gets at another's by guessing, and what a caller of 0.1 is shown can be read out of it.
"""

import re

_FORM = re.compile(r"v01\.[0-9a-f]{32}\.(.+)", re.DOTALL)

PREFIX_LENGTH = len("v01..") + 32


def make_id(digest: str, name: str) -> str:
    """The id of the task that the caller with this digest, of 32 hexadecimal digits, calls `name`."""
    return f"v01.{digest}.{name}"


def name_in(task_id: str) -> str:
    """What a caller of 0.1 calls the task: the name that it has made, or the id of a task that was made otherwise."""
    found = _FORM.fullmatch(task_id)
    return found[1] if found else task_id
