"""What is known to be sound at a glance: messages that hold text and nothing else.

The records of the protocol are checked when they are decoded, not when they are made in Python, and what hangs on them as
metadata or data can be changed later. For the first message of a task, which lies on the log with a timestamp, both can
be ruled out for a third of what decoding costs; for an artifact it would cost as much.
"""

from msgspec import UNSET

from dragoman.model import Message, Part, Role


def is_plain_message(message: Message) -> bool:
    """Whether decoding what the message is encoded as would give one that is equal, and no more lasting."""
    return (
        type(message) is Message
        and message.metadata is None
        and message.extensions == message.reference_task_ids == ()
        and type(message.role) is Role
        and _is_text(message.message_id, message.context_id, message.task_id)
        and message.message_id != ""
        and _are_plain(message.parts)
    )


def _are_plain(parts: tuple[Part, ...]) -> bool:
    if type(parts) is not tuple:
        return False
    for part in parts:
        is_plain = type(part) is Part and part.metadata is None and part.data is UNSET
        if not (is_plain and type(part.text) is type(part.filename) is type(part.media_type) is str):
            return False
    return bool(parts)


def _is_text(*values: object) -> bool:
    """Whether they are texts; a class derived from `str` may be anything besides."""
    return {*map(type, values)} == {str}
