"""The caller's name for a send: the same send twice is one (SND-15)."""

import hashlib

from dragoman.engine.handler import Call
from dragoman.engine.roster import Roster
from dragoman.model import InvalidParamsError, SendMessageRequest
from dragoman.store import IdempotencyKey
from dragoman.wire import codec


def key_of(call: Call, request: SendMessageRequest, roster: Roster) -> IdempotencyKey | None:
    """The key under which the request is made, if it has one."""
    if not call.idempotency_key:
        return None
    expires_at = roster.clock() + roster.limits.idempotency_window
    digest = hashlib.sha256(codec.encode(request)).digest()
    return IdempotencyKey(call.idempotency_key, digest, round(expires_at.timestamp() * 1000))


async def find_task(call: Call, key: IdempotencyKey, roster: Roster) -> str | None:
    """The task that was sent for under the key; InvalidParamsError if that was another request."""
    record = await roster.store.find_key(roster.scope_of(call), key.key, roster.clock().millis)
    if record is not None and record.digest != key.digest:
        raise InvalidParamsError(
            "this Idempotency-Key was used for another request; use a new one for each send"
        )
    return record.task_id if record is not None else None
