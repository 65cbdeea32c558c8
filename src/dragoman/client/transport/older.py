"""Transports to agents of the generations before 1.0. Imported when such an agent is first called."""

from dragoman.client.http import Http
from dragoman.client.transport.base import AnswerLimits, Transport
from dragoman.client.transport.older_rest import OlderRestTransport
from dragoman.client.transport.older_rpc import OlderRpcTransport
from dragoman.model import AgentInterface, Binding, Generation
from dragoman.wire.parameters import OLD_EXTENSIONS_HEADER, VERSION_HEADER


def open_older(
    http: Http, interface: AgentInterface, generation: Generation, limits: AnswerLimits
) -> Transport:
    """A transport to what a card names, over HTTP."""
    if interface.protocol_binding == Binding.REST.value:
        return OlderRestTransport(http, interface.url, limits)
    return OlderRpcTransport(http, interface.url, limits, generation)


def make_headers(generation: Generation, extensions: tuple[str, ...]) -> dict[str, str]:
    """What goes with every call: 0.2 and 0.1 know of no version, and 0.1 of no extensions (SPEC 7.1)."""
    headers: dict[str, str] = {}
    if generation is Generation.V0_3:
        headers[VERSION_HEADER.lower()] = generation.value
    if extensions and generation is not Generation.V0_1:
        headers[OLD_EXTENSIONS_HEADER.lower()] = ",".join(extensions)
    return headers
