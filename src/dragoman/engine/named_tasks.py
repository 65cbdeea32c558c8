"""Tasks that their callers name, as those of A2A 0.1 do (SPEC 7.7)."""

import hashlib

from msgspec.structs import replace

from dragoman.engine.handler import Call
from dragoman.engine.limits import Limits
from dragoman.engine.roster import Roster
from dragoman.model import FieldViolation, InvalidParamsError, SendMessageRequest
from dragoman.store import Scope
from dragoman.wire import codec
from dragoman.wire.dialects.naming import PREFIX_LENGTH, make_id


def id_of(scope: Scope, name: str) -> str:
    """The id of the task that callers of this scope know by the name."""
    owner = codec.encode([scope.agent, scope.tenant, scope.owner])
    return make_id(hashlib.sha256(owner).hexdigest()[:32], name)


def check_name(name: str, limits: Limits) -> None:
    """Raise InvalidParamsError unless the name fits into an id; databases cut text at a NUL, or refuse it."""
    longest = limits.max_id_length - PREFIX_LENGTH
    if len(name) > longest:
        problem = FieldViolation(field="id", description=f"is longer than {longest} characters")
        raise InvalidParamsError(violations=[problem])
    if "\0" in name:
        raise InvalidParamsError(violations=[FieldViolation(field="id", description="must not hold a NUL")])


async def address(call: Call, request: SendMessageRequest, roster: Roster) -> SendMessageRequest:
    """The request, addressed to the task that the call names if there is one; without it, the send begins that task."""
    check_name(call.task_name, roster.limits)
    scope = roster.scope_of(call)
    task_id = id_of(scope, call.task_name)
    is_known = roster.find(scope, task_id) or await roster.store.load(scope, task_id)
    # Somebody may have begun it while this was waiting for the store.
    known_id = task_id if is_known or roster.find(scope, task_id) else ""
    return replace(request, message=replace(request.message, task_id=known_id))
