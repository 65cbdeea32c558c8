"""The agent card: who an agent is, where it answers and what it can do (SPEC 1.6, 4)."""

from typing import Annotated

from msgspec import Meta

from dragoman.model.base import Metadata, Record, RequiredText
from dragoman.model.security_schemes import SecurityRequirement, SecurityScheme


class AgentInterface(Record, frozen=True, kw_only=True):
    """One address. `protocol_binding` is `JSONRPC`, `GRPC`, `HTTP+JSON` or the URI of a custom binding."""

    url: RequiredText
    protocol_binding: RequiredText
    tenant: str = ""
    protocol_version: RequiredText


class AgentProvider(Record, frozen=True, kw_only=True):
    """Who runs the agent."""

    url: RequiredText
    organization: RequiredText


class AgentExtension(Record, frozen=True, kw_only=True):
    """An extension that the agent knows; `required` ones must be activated by every call."""

    uri: str = ""
    description: str = ""
    required: bool = False
    params: Metadata | None = None


class AgentCapabilities(Record, frozen=True, kw_only=True):
    """What is not declared here is refused (CAP-01)."""

    streaming: bool | None = None
    push_notifications: bool | None = None
    extensions: tuple[AgentExtension, ...] = ()
    extended_agent_card: bool | None = None


class AgentSkill(Record, frozen=True, kw_only=True):
    """One thing that the agent can do; its modes override those of the card."""

    id: RequiredText
    name: RequiredText
    description: RequiredText
    tags: tuple[str, ...]
    examples: tuple[str, ...] = ()
    input_modes: tuple[str, ...] = ()
    output_modes: tuple[str, ...] = ()
    security_requirements: tuple[SecurityRequirement, ...] = ()


class AgentCardSignature(Record, frozen=True, kw_only=True):
    """A detached JWS over the canonical card (SPEC 4.5)."""

    protected: RequiredText
    signature: RequiredText
    header: Metadata | None = None


class AgentCard(Record, frozen=True, kw_only=True):
    """The self-description that an agent publishes at `/.well-known/agent-card.json`."""

    name: RequiredText
    description: RequiredText
    supported_interfaces: Annotated[tuple[AgentInterface, ...], Meta(min_length=1)]
    provider: AgentProvider | None = None
    version: RequiredText
    documentation_url: str | None = None
    capabilities: AgentCapabilities
    security_schemes: dict[str, SecurityScheme] = {}  # noqa: RUF012 -- msgspec gives each record its own
    security_requirements: tuple[SecurityRequirement, ...] = ()
    default_input_modes: tuple[str, ...]
    default_output_modes: tuple[str, ...]
    skills: tuple[AgentSkill, ...]
    signatures: tuple[AgentCardSignature, ...] = ()
    icon_url: str | None = None
