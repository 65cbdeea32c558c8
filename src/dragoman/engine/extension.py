"""What an extension of the protocol is to an agent: facts for the card, and hooks (SPEC 3.6, 6.11)."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from dragoman.engine.handler import Call
from dragoman.model import JSON, AgentCard, Event, Message, Metadata


class Named(Protocol):
    """Whatever has the URI of an extension; the rest of `Extension` is looked for, and left out where it is missing."""

    @property
    def uri(self) -> str: ...


class Extension:
    """An extension of the protocol that an agent knows; every attribute and method but `uri` may stay as it is.

    `uri` names it and its version: what changes in a way that breaks a peer gets another one. `params` stand on the card.
    Calls are refused that do not activate one that is `required`. `requires` names the extensions that this one is nothing without.

    Hooks are called for calls, and for the tasks of calls, that have activated the extension. They run on the event loop, so they
    do not wait and do not block. One that raises is logged and left out; an A2AError of `activate` or `on_message`
    refuses the call.
    """

    uri: str = ""
    description: str = ""
    required: bool = False
    params: Metadata | None = None
    requires: Sequence[str] = ()

    def activate(self, call: Call) -> bool:  # noqa: ARG002 -- for those that look at it
        """Whether the extension is active for a call that asks for it."""
        return True

    def on_message(self, message: Message) -> Message | None:
        """A message of the caller, before anybody else sees it; a copy with other metadata takes its place."""

    def on_event(self, event: Event) -> Mapping[str, JSON] | None:
        """Metadata for what the agent is about to say, under the extension's URI or a name that begins with it and `/`.

        What is said twice by a skill that starts again is asked for once. Of an event, nothing else can be changed.
        """

    def on_card(self, card: AgentCard) -> AgentCard | None:
        """The card before it is shown; a changed copy takes its place."""
