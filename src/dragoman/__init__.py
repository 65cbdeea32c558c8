"""Dragoman: agents that speak A2A."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragoman.agent import (
        Agent,
        Agents,
        ArtifactWriter,
        Attempt,
        CallFailedError,
        Context,
        FileError,
        FileOptions,
        Progress,
        SyncContext,
    )
    from dragoman.client import Client, TaskHandle
    from dragoman.engine import Limits
    from dragoman.engine.errors import RunEndedError, StepFailedError
    from dragoman.engine.extension import Extension
    from dragoman.model import (
        AgentCard,
        AgentProvider,
        AgentSkill,
        Artifact,
        BadResponse,
        CircuitOpen,
        DragomanError,
        InputRequiredError,
        Message,
        NeverSent,
        NoTaskError,
        NoTextError,
        Part,
        PeerError,
        Rejected,
        Role,
        SkillError,
        Task,
        TaskFailedError,
        TaskState,
        TimedOut,
        Unreachable,
        UntrustedCard,
        VersionMismatch,
    )
    from dragoman.security import Principal
    from dragoman.security.cards import CardSigner, CardVerifier

__version__ = "0.1.0"

_HOMES = {
    "dragoman.agent": (
        "Agent",
        "Agents",
        "ArtifactWriter",
        "Attempt",
        "CallFailedError",
        "Context",
        "FileError",
        "FileOptions",
        "Progress",
        "SyncContext",
    ),
    "dragoman.client": ("Client", "TaskHandle"),
    "dragoman.engine": ("Limits",),
    "dragoman.engine.errors": ("RunEndedError", "StepFailedError"),
    "dragoman.engine.extension": ("Extension",),
    "dragoman.model": (
        "AgentCard",
        "AgentProvider",
        "AgentSkill",
        "Artifact",
        "BadResponse",
        "CircuitOpen",
        "DragomanError",
        "InputRequiredError",
        "Message",
        "NeverSent",
        "NoTaskError",
        "NoTextError",
        "Part",
        "PeerError",
        "Rejected",
        "Role",
        "SkillError",
        "Task",
        "TaskFailedError",
        "TaskState",
        "TimedOut",
        "Unreachable",
        "UntrustedCard",
        "VersionMismatch",
    ),
    "dragoman.security": ("Principal",),
    "dragoman.security.cards": ("CardSigner", "CardVerifier"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Agent",
    "AgentCard",
    "AgentProvider",
    "AgentSkill",
    "Agents",
    "Artifact",
    "ArtifactWriter",
    "Attempt",
    "BadResponse",
    "CallFailedError",
    "CardSigner",
    "CardVerifier",
    "CircuitOpen",
    "Client",
    "Context",
    "DragomanError",
    "Extension",
    "FileError",
    "FileOptions",
    "InputRequiredError",
    "Limits",
    "Message",
    "NeverSent",
    "NoTaskError",
    "NoTextError",
    "Part",
    "PeerError",
    "Principal",
    "Progress",
    "Rejected",
    "Role",
    "RunEndedError",
    "SkillError",
    "StepFailedError",
    "SyncContext",
    "Task",
    "TaskFailedError",
    "TaskHandle",
    "TaskState",
    "TimedOut",
    "Unreachable",
    "UntrustedCard",
    "VersionMismatch",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that a client loads nothing of a server (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
