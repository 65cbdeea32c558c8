"""Page tokens: opaque to callers, a position in the order of the list to us (LST-07, D-22)."""

import base64
import binascii

from dragoman.model import FieldViolation, InvalidParamsError


def dump_cursor(status_at: int, task_id: str) -> str:
    """The token of the page that begins after this task."""
    return base64.urlsafe_b64encode(f"{status_at} {task_id}".encode()).decode().rstrip("=")


def load_cursor(token: str) -> tuple[int, str]:
    """Read a token of ours; InvalidParamsError if it is none."""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        status_at, task_id = text.split(" ", 1)
        position = int(status_at), task_id
    except (ValueError, binascii.Error):
        raise _invalid() from None
    if not 0 <= position[0] < 2**53 or dump_cursor(*position) != token:
        raise _invalid()
    return position


def _invalid() -> InvalidParamsError:
    violation = FieldViolation(field="pageToken", description="is not a token that this agent gave out")
    return InvalidParamsError(violations=[violation])
