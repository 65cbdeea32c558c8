"""How the generations before 1.0 spell roles and states, and write bytes (SPEC 7.3, 7.5)."""

import binascii
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime

from dragoman.model import JSON, Timestamp

ROLES = {"user": "ROLE_USER", "agent": "ROLE_AGENT"}
OLD_ROLES = {new: old for old, new in ROLES.items()}

STATES = {
    "unknown": "TASK_STATE_UNSPECIFIED",
    "submitted": "TASK_STATE_SUBMITTED",
    "working": "TASK_STATE_WORKING",
    "completed": "TASK_STATE_COMPLETED",
    "failed": "TASK_STATE_FAILED",
    "canceled": "TASK_STATE_CANCELED",
    "input-required": "TASK_STATE_INPUT_REQUIRED",
    "rejected": "TASK_STATE_REJECTED",
    "auth-required": "TASK_STATE_AUTH_REQUIRED",
}
OLD_STATES = {new: old for old, new in STATES.items()}

PROTO_CANCELED = "TASK_STATE_CANCELLED"
"""The proto of 0.3 has two Ls where everything else has one."""

_FIRST_STATES = {"rejected": "failed", "auth-required": "input-required"}

_ENDS = frozenset(
    {
        "TASK_STATE_COMPLETED",
        "TASK_STATE_FAILED",
        "TASK_STATE_CANCELED",
        "TASK_STATE_REJECTED",
        "TASK_STATE_INPUT_REQUIRED",
    }
)

_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_URL_SAFE = str.maketrans("-_", "+/")


def load_role(value: JSON) -> JSON:
    """The role as 1.0 spells it; what is none stays as it is."""
    return ROLES.get(value, value) if isinstance(value, str) else value


def load_state(value: JSON) -> JSON:
    """The state as 1.0 spells it; what is none stays as it is."""
    if not isinstance(value, str):
        return value
    return "TASK_STATE_CANCELED" if value == PROTO_CANCELED else STATES.get(value, value)


def dump_proto_state(state: str) -> str:
    """The state as `a2a.v1` spells it."""
    return PROTO_CANCELED if state == "TASK_STATE_CANCELED" else state


def dump_first_state(state: str) -> str:
    """The state as 0.1 spells it, or the nearest that it knows (SPEC 7.7)."""
    old = OLD_STATES[state]
    return _FIRST_STATES.get(old, old)


def is_final(state: JSON) -> bool:
    """Whether a stream ends with this state (D-03)."""
    return state in _ENDS


def load_timestamp(value: JSON) -> JSON:
    """Any ISO 8601 date with a time as RFC 3339 in UTC; without an offset it is UTC. What is none stays as it is."""
    if not isinstance(value, str) or len(value) > 64:
        return value
    try:
        moment = datetime.fromisoformat(value)
        return Timestamp.at(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).text
    except (ValueError, OverflowError):
        return value


def load_proto_bytes(value: JSON, media_type: JSON) -> JSON:
    """The bytes of an `a2a.v1` file as plain base64.

    The Python SDK of 0.3 puts base64 text where the proto has bytes, so that its JSON is base64 of base64; others put the
    bytes there. What decodes to base64 text is therefore decoded once more, except where a text would turn into
    something that is none. Over gRPC they come as bytes.
    """
    if isinstance(value, bytes):
        value = b64encode(value).decode()
    if not isinstance(value, str):
        return value
    inner = _decode(value)
    if not inner or not _BASE64.fullmatch(inner):
        return value
    if _is_text(media_type) and not _is_utf8(b64decode(inner)):
        return value
    return inner.decode()


def is_surely_plain(value: JSON) -> bool:
    """Whether these are the bytes of an `a2a.v1` file as base64, and not base64 of base64."""
    inner = _decode(value) if isinstance(value, str) else b""
    return bool(inner) and not _BASE64.fullmatch(inner)


def dump_proto_bytes(value: str) -> str:
    """Base64 of base64: the Python SDK of 0.3 reads nothing else (SPEC 7.5)."""
    return b64encode(value.encode()).decode()


def _decode(value: str) -> bytes:
    try:
        text = value.translate(_URL_SAFE)
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_text(media_type: JSON) -> bool:
    return isinstance(media_type, str) and media_type.startswith(("text/", "application/json"))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
