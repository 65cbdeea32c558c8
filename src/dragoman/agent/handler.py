"""The agent as the engine sees it."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dragoman.agent.fetching import FileFetcher, FileOptions
from dragoman.agent.job import SkillJob
from dragoman.agent.selection import select_skill
from dragoman.agent.skill import Skill
from dragoman.agent.threads import Threads
from dragoman.engine.handler import Call, Job
from dragoman.engine.limits import Limits
from dragoman.model import AgentCard, SendMessageRequest, UnauthenticatedError
from dragoman.security import Principal

ExtendedCard: TypeAlias = AgentCard | Callable[[Principal], AgentCard | None]
"""A card for callers who have proved who they are, or what makes one for each."""


class SkillHandler:
    """Admits requests to skills: the `Handler` of an agent."""

    def __init__(
        self,
        skills: Mapping[str, Skill],
        *,
        extended_card: ExtendedCard | None,
        limits: Limits,
        files: FileOptions | None = None,
    ) -> None:
        self._skills = skills
        self._extended_card = extended_card
        self._limits = limits
        self._files = FileFetcher(files or FileOptions())
        self._threads = Threads(limits.max_sync_threads)
        # Of their own, for a synchronous skill holds a thread while it waits for its step.
        self._step_threads = Threads(limits.max_sync_threads)

    def admit(self, request: SendMessageRequest, call: Call) -> Job:  # noqa: ARG002 - part of the contract
        skill, arguments = select_skill(self._skills, request)
        return SkillJob(
            skill,
            arguments,
            threads=self._threads,
            step_threads=self._step_threads,
            limits=self._limits,
            files=self._files,
        )

    def extended_card(self, call: Call) -> AgentCard | None:
        card = self._extended_card
        if card is not None and call.principal.is_anonymous:
            raise UnauthenticatedError("the extended card is for callers who say who they are")
        return card if card is None or isinstance(card, AgentCard) else card(call.principal)
