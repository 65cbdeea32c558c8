"""Dragoman: agents that speak A2A."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragoman.agent import Agent, Agents, ArtifactWriter, Context, Progress, SyncContext
    from dragoman.client import Client
    from dragoman.engine import Limits
    from dragoman.model import (
        AgentCard,
        AgentProvider,
        AgentSkill,
        Artifact,
        DragomanError,
        Message,
        Part,
        PeerError,
        Role,
        SkillError,
        Task,
        TaskState,
    )
    from dragoman.security import Principal

__version__ = "0.1.0"

_HOMES = {
    "dragoman.agent": ("Agent", "Agents", "ArtifactWriter", "Context", "Progress", "SyncContext"),
    "dragoman.client": ("Client",),
    "dragoman.engine": ("Limits",),
    "dragoman.model": (
        "AgentCard",
        "AgentProvider",
        "AgentSkill",
        "Artifact",
        "DragomanError",
        "Message",
        "Part",
        "PeerError",
        "Role",
        "SkillError",
        "Task",
        "TaskState",
    ),
    "dragoman.security": ("Principal",),
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
    "Client",
    "Context",
    "DragomanError",
    "Limits",
    "Message",
    "Part",
    "PeerError",
    "Principal",
    "Progress",
    "Role",
    "SkillError",
    "SyncContext",
    "Task",
    "TaskState",
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
