"""Which of an agent's addresses to use (SPEC 3.6, CRD-06 to CRD-09, VER-02, AUT-01)."""

from collections.abc import Iterator, Sequence

from dragoman.client.addresses import is_exposed, is_http_url
from dragoman.model import LATEST, AgentCard, AgentInterface, BadResponse, Binding, VersionMismatch


def choose_interfaces(
    card: AgentCard, bindings: Sequence[Binding], *, is_secure: bool = False
) -> list[AgentInterface]:
    """The interfaces that this client speaks, in the agent's order, which is the order to try them in.

    Raises VersionMismatch, which lists what was offered, or BadResponse if no URL is one. `is_secure`: the card came over TLS, and so must the
    calls, because they carry the same credentials.
    """
    spoken = {binding.value for binding in bindings}
    fitting = [entry for entry in card.supported_interfaces if _is_spoken(entry, spoken)]
    usable = [entry for entry in fitting if is_http_url(entry.url)]
    chosen = [entry for entry in usable if not (is_secure and is_exposed(entry.url))]
    if chosen:
        return chosen
    if fitting and not usable:
        raise BadResponse(
            f"the card of {card.name!r} names {fitting[0].url!r}, which is not an http or https URL"
        )
    raise VersionMismatch(_explain(card, spoken, fitting))


def _is_spoken(entry: AgentInterface, spoken: set[str]) -> bool:
    return entry.protocol_binding in spoken and _drop_patch(entry.protocol_version) == LATEST.value


def _drop_patch(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _explain(card: AgentCard, spoken: set[str], fitting: list[AgentInterface]) -> str:
    if fitting:
        urls = ", ".join(entry.url for entry in fitting)
        return f"the card of {card.name!r} came over https but offers plain http only: {urls}; ask its operator for https"
    wanted = " or ".join(f"{binding} {LATEST.value}" for binding in sorted(spoken))
    return f"{card.name!r} offers {', '.join(_describe(card)) or 'nothing'}; this client speaks {wanted}"


def _describe(card: AgentCard) -> Iterator[str]:
    return (f"{entry.protocol_binding} {entry.protocol_version}" for entry in card.supported_interfaces)
