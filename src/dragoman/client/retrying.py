"""What may be asked again after it failed (SPEC 2.9, IDM-01). No input or output."""

from dragoman.model import (
    DragomanError,
    NeverSent,
    Operation,
    Rejected,
    TimedOut,
    UnavailableError,
    Unreachable,
)
from dragoman.model.operations import (
    DELETE_PUSH_CONFIG,
    GET_EXTENDED_CARD,
    GET_PUSH_CONFIG,
    GET_TASK,
    LIST_PUSH_CONFIGS,
    LIST_TASKS,
    SUBSCRIBE_TO_TASK,
)

REPEATABLE = frozenset(
    operation.name
    for operation in (
        GET_TASK,
        LIST_TASKS,
        SUBSCRIBE_TO_TASK,
        GET_PUSH_CONFIG,
        LIST_PUSH_CONFIGS,
        DELETE_PUSH_CONFIG,
        GET_EXTENDED_CARD,
    )
)
"""Operations that do the same however often they are carried out."""

_GATEWAY_FAILURES = frozenset({429, 502, 503, 504})


def may_repeat(operation: Operation | None, error: DragomanError, *, is_keyed: bool = False) -> bool:
    """Whether the same request may go out again. `operation` None is the reading of a card.

    What may not be carried out twice is repeated only if it was not carried out for sure: it never left, or the agent
    said that it cannot take it now; or if the agent knows it again, by a key that it says it heeds (`is_keyed`).
    """
    is_harmless = is_keyed or operation is None or operation.name in REPEATABLE
    match error:
        case NeverSent() | UnavailableError():
            return True
        case Unreachable() | TimedOut():
            return is_harmless
        case Rejected():
            return error.status in _GATEWAY_FAILURES and is_harmless
        case _:
            return False


def get_wanted_delay(error: DragomanError) -> float:
    """Seconds that the agent asked to wait."""
    return error.retry_after.total_seconds() if isinstance(error, UnavailableError) else 0.0
