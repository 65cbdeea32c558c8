"""What authors write agents with: `Agent`, skills, `Context`."""

from typing import TYPE_CHECKING

from dragoman.agent.agent import Agent
from dragoman.agent.context import Context
from dragoman.agent.conversation import ConversationState
from dragoman.agent.errors import AuthoringError, CallFailedError
from dragoman.agent.fetching import FileError, FileOptions
from dragoman.agent.handler import ExtendedCard, SkillHandler
from dragoman.agent.payload import Speech
from dragoman.agent.progress import Progress
from dragoman.agent.skill import Skill
from dragoman.agent.sync_context import SyncArtifactWriter, SyncContext, SyncConversationState
from dragoman.agent.writer import ArtifactWriter
from dragoman.engine.extension import Extension
from dragoman.engine.handler import Attempt

if TYPE_CHECKING:
    from dragoman.agent.agents import Agents

__all__ = [
    "Agent",
    "Agents",
    "ArtifactWriter",
    "Attempt",
    "CallFailedError",
    "Context",
    "ConversationState",
    "ExtendedCard",
    "Extension",
    "FileError",
    "FileOptions",
    "Progress",
    "Skill",
    "AuthoringError",
    "SkillHandler",
    "Speech",
    "SyncArtifactWriter",
    "SyncContext",
    "SyncConversationState",
]

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import what serves several agents, and Starlette's responses with it, when it is asked for (PEP 562)."""
        if name != "Agents":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from dragoman.agent.agents import Agents

        globals()[name] = Agents
        return Agents
