"""The card of an agent, from its facts and its skills."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from dragoman.agent.skill import DATA, TEXT, Skill
from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    AgentExtension,
    AgentProvider,
    AgentSkill,
    SecurityRequirement,
    SecurityScheme,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """What an author says about an agent."""

    name: str
    description: str
    version: str
    provider: AgentProvider | None = None
    documentation_url: str | None = None
    icon_url: str | None = None
    streaming: bool = True
    push_notifications: bool = True
    has_extended_card: bool = False
    extensions: Sequence[AgentExtension] = ()
    security_schemes: Mapping[str, SecurityScheme] = field(default_factory=dict[str, SecurityScheme])
    security_requirements: Sequence[SecurityRequirement] = ()


def build_card(facts: AgentFacts, skills: Sequence[Skill]) -> AgentCard:
    """Everything but `supported_interfaces`, which depends on where the agent is reached."""
    inputs = _merge(skill.takes for skill in skills)
    outputs = _merge(skill.gives for skill in skills)
    return AgentCard(
        name=facts.name,
        description=facts.description or _describe(facts.name, skills),
        supported_interfaces=(),
        provider=facts.provider,
        version=facts.version,
        documentation_url=facts.documentation_url,
        capabilities=AgentCapabilities(
            streaming=facts.streaming,
            push_notifications=facts.push_notifications,
            extensions=tuple(facts.extensions),
            extended_agent_card=facts.has_extended_card,
        ),
        security_schemes=dict(facts.security_schemes),
        security_requirements=tuple(facts.security_requirements),
        default_input_modes=inputs,
        default_output_modes=outputs,
        skills=tuple(_list_skill(skill, inputs, outputs) for skill in skills),
        icon_url=facts.icon_url,
    )


def _list_skill(skill: Skill, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> AgentSkill:
    """The skill, with its modes where they differ from those of the agent."""
    takes, gives = set(skill.takes), set(skill.gives)
    return replace(
        skill.facts,
        input_modes=() if takes == set(inputs) else skill.takes,
        output_modes=() if gives == set(outputs) else skill.gives,
    )


def _merge(modes: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mode for some in modes for mode in some)) or (TEXT, DATA)


def _describe(name: str, skills: Sequence[Skill]) -> str:
    names = ", ".join(skill.facts.name for skill in skills)
    return f"{name}: {names}" if names else name
