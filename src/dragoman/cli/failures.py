"""What went wrong, in words, and the exit code for it."""

from dataclasses import dataclass

from dragoman.cli.exits import Exit
from dragoman.cli.output import Output
from dragoman.model import (
    A2AError,
    CircuitOpen,
    DragomanError,
    FieldViolation,
    InputRequiredError,
    PeerError,
    Rejected,
    TaskFailedError,
    TimedOut,
    UnauthenticatedError,
    Unreachable,
    UntrustedCard,
)
from dragoman.model.errors import row_of


class CommandError(DragomanError):
    """A command cannot go on; the message is for the person who typed it."""

    def __init__(self, message: str, *, exit: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.exit = exit


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure, for a person and for a program. `reason` is the protocol's word for it where there is one."""

    exit: Exit
    message: str
    reason: str = ""
    hint: str = ""
    violations: tuple[FieldViolation, ...] = ()

    def to_json(self) -> dict[str, dict[str, object]]:
        error: dict[str, object] = {"reason": self.reason or self.exit.name, "message": self.message}
        if self.violations:
            error["fieldViolations"] = self.violations
        return {"error": error}


def report(error: Exception, out: Output) -> Exit:
    """Say what went wrong: to a person in words, to a program as `{"error": ...}`."""
    failure = explain(error)
    out.cross(failure.message)
    for violation in failure.violations:
        out.note(f"  {violation.field or 'the request'}: {violation.description}")
    if failure.hint:
        out.note(f"  {failure.hint}")
    out.line(failure.to_json())
    return failure.exit


def explain(error: Exception) -> Failure:
    """The failure that an error is."""
    match error:
        case CommandError():
            return Failure(error.exit, str(error))
        case A2AError():
            return _explain_refusal(error)
        case PeerError():
            return _explain_peer(error)
        case TaskFailedError():
            return Failure(Exit.FAILED, str(error))
        case InputRequiredError():
            return Failure(Exit.WAITING, str(error))
        case _:
            return Failure(Exit.USAGE, str(error))


def _explain_refusal(error: A2AError) -> Failure:
    hint = ""
    if isinstance(error, UnauthenticatedError):
        hint = "give credentials with --header 'Authorization: Bearer ...'"
    reason = error.reason or row_of(error).reason
    return Failure(Exit.REFUSED, error.message, reason, hint, error.violations)


def _explain_peer(error: PeerError) -> Failure:
    match error:
        case TimedOut():
            return Failure(Exit.TIMED_OUT, str(error))
        case Unreachable() | CircuitOpen():
            hint = "is the agent running, and is the address right?"
            return Failure(Exit.UNREACHABLE, str(error), hint=hint)
        case UntrustedCard():
            return Failure(Exit.FAILED, str(error), reason=error.reason.value)
        case Rejected():
            hint = "something answers there, but not an A2A agent; is the address right?"
            return Failure(Exit.UNREACHABLE, str(error), hint=hint)
        case _:
            return Failure(Exit.UNREACHABLE, str(error), reason="BAD_RESPONSE")
