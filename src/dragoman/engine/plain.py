"""What is known to be sound at a glance: messages that hold text and nothing else.

The records of the protocol are checked when they are decoded, not when they are made in Python, and what hangs on them as
metadata or data can be changed later. For the first message of a task, which lies on the log with a timestamp, both can
be ruled out for a third of what decoding costs; for an artifact it would cost as much.
"""

from msgspec import UNSET

from dragoman.model import Message, Part, Role


def is_plain_message(message: Message) -> bool:
    """Whether decoding what the message is encoded as would give one that is equal, and no more lasting."""
    if type(message) is not Message or message.metadata is not None or type(message.role) is not Role:
        return False
    if message.extensions != () or message.reference_task_ids != () or type(message.parts) is not tuple:
        return False
    are_texts = type(message.message_id) is type(message.context_id) is type(message.task_id) is str
    return are_texts and message.message_id != "" and message.parts != () and _are_plain(message.parts)


def _are_plain(parts: tuple[Part, ...]) -> bool:
    for part in parts:
        is_plain = type(part) is Part and part.metadata is None and part.data is UNSET
        if not (is_plain and type(part.text) is type(part.filename) is type(part.media_type) is str):
            return False
    return True
