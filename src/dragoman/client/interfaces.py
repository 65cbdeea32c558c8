"""Which of an agent's addresses to use, and so which generation of the protocol (SPEC 3.6, 7.1, CRD-06 to CRD-09, VER-02, AUT-01)."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from dragoman.client.addresses import is_exposed, is_http_url, read_grpc_address
from dragoman.client.options import GENERATIONS
from dragoman.model import AgentCard, AgentInterface, BadResponse, Binding, Generation, VersionMismatch
from dragoman.wire.extras import has_grpc

SPOKEN: Mapping[Generation, frozenset[Binding]] = {
    Generation.V1_0: frozenset(Binding),
    Generation.V0_3: frozenset(Binding),
    Generation.V0_2: frozenset({Binding.JSONRPC}),
    Generation.V0_1: frozenset({Binding.JSONRPC}),
}
"""How each generation can be called."""

_BY_VALUE = {generation.value: generation for generation in Generation}


def generation_of(interface: AgentInterface) -> Generation | None:
    """The generation that the interface names, whatever its patch number; None if it is not known here."""
    return _BY_VALUE.get(".".join(interface.protocol_version.split(".")[:2]))


def choose_interfaces(
    card: AgentCard,
    bindings: Sequence[Binding],
    *,
    generations: Collection[Generation] = GENERATIONS,
    is_mixed: bool = False,
    is_secure: bool = False,
) -> list[AgentInterface]:
    """The interfaces that this client speaks, in the agent's order, which is the order to try them in.

    All are of the generation of the first, unless `is_mixed`. Raises VersionMismatch, which lists what was offered, or BadResponse if no URL
    is one. `is_secure`: the card came over TLS, and so must the calls, because they carry the same credentials.
    """
    spoken = {binding for binding in bindings if binding is not Binding.GRPC or _can_use_grpc(card)}
    fitting = [entry for entry in card.supported_interfaces if _is_spoken(entry, spoken, generations)]
    usable = [entry for entry in fitting if _is_usable(entry)]
    chosen = [entry for entry in usable if not (is_secure and is_exposed(entry.url))]
    if chosen:
        first = generation_of(chosen[0])
        return [entry for entry in chosen if is_mixed or generation_of(entry) is first]
    if fitting and not usable:
        raise BadResponse(
            f"the card of {card.name!r} names {fitting[0].url!r}, which is not an http or https URL"
        )
    raise VersionMismatch(_explain(card, spoken, generations, fitting))


def _is_usable(entry: AgentInterface) -> bool:
    if entry.protocol_binding == Binding.GRPC.value:
        return read_grpc_address(entry.url, is_secure=True) is not None
    return is_http_url(entry.url)


def _can_use_grpc(card: AgentCard) -> bool:
    return not _offers_grpc(card) or has_grpc()


def _offers_grpc(card: AgentCard) -> bool:
    return any(entry.protocol_binding == Binding.GRPC.value for entry in card.supported_interfaces)


def _is_spoken(
    entry: AgentInterface, bindings: Collection[Binding], generations: Collection[Generation]
) -> bool:
    generation = generation_of(entry)
    if generation is None or generation not in generations:
        return False
    return any(
        binding.value == entry.protocol_binding and binding in SPOKEN[generation] for binding in bindings
    )


def _explain(
    card: AgentCard,
    bindings: Collection[Binding],
    generations: Collection[Generation],
    fitting: Sequence[AgentInterface],
) -> str:
    if fitting:
        urls = ", ".join(entry.url for entry in fitting)
        return f"the card of {card.name!r} came over https but offers plain http only: {urls}; ask its operator for https"
    wanted = " or ".join(_list_spoken(bindings, generations)) or "none of its generations"
    hint = "" if _can_use_grpc(card) else "; for gRPC: pip install 'dragoman[grpc]'"
    return (
        f"{card.name!r} offers {', '.join(_describe(card)) or 'nothing'}; this client speaks {wanted}{hint}"
    )


def _list_spoken(bindings: Collection[Binding], generations: Collection[Generation]) -> Iterator[str]:
    """Each binding with its generations, the newest first."""
    for binding in sorted(bindings, key=lambda binding: binding.value):
        versions = [entry.value for entry in GENERATIONS if entry in generations and binding in SPOKEN[entry]]
        if versions:
            yield f"{binding.value} {', '.join(versions)}"


def _describe(card: AgentCard) -> Iterator[str]:
    return (f"{entry.protocol_binding} {entry.protocol_version}" for entry in card.supported_interfaces)
