"""Transports, each with its modules and libraries loaded when it is first used: a client seldom speaks more than one."""

from collections.abc import Callable

from dragoman.client.addresses import read_grpc_address
from dragoman.client.http import Http
from dragoman.client.options import Options
from dragoman.client.transport import Transport
from dragoman.model import LATEST, AgentInterface, BadResponse, Generation
from dragoman.wire.extras import need_grpc


def open_jsonrpc(http: Http, url: str, options: Options) -> Transport:
    """A transport to what a card names for JSON-RPC."""
    from dragoman.client.transport.jsonrpc import JsonRpcTransport

    return JsonRpcTransport(http, url, options.limits)


def open_rest(http: Http, url: str, options: Options) -> Transport:
    """A transport to what a card names for HTTP+JSON."""
    from dragoman.client.transport.rest import RestTransport

    return RestTransport(http, url, options.limits)


def open_grpc(
    url: str,
    options: Options,
    *,
    is_secure: bool,
    note: Callable[[str], None],
    generation: Generation = LATEST,
) -> Transport:
    """A transport to what a card names; `note` is told which extensions an answer says are active.

    MissingExtraError without the extra, BadResponse if it is no address.
    """
    need_grpc()
    from dragoman.client.transport.channel import GrpcLink
    from dragoman.client.transport.grpc import GrpcTransport
    from dragoman.client.transport.grpc_dialect import grpc_dialect_of

    address = read_grpc_address(url, is_secure=is_secure)
    if address is None:
        raise BadResponse(f"{url!r} is no address for gRPC; it looks like 'agent.example.com:443'", url=url)
    link = GrpcLink(
        address,
        url=url,
        tls=options.tls,
        connect_seconds=options.timeout.connect_seconds,
        max_bytes=options.limits.max_response_bytes,
    )
    return GrpcTransport(link, url, options.limits, note=note, dialect=grpc_dialect_of(generation))


def open_older(http: Http, interface: AgentInterface, generation: Generation, options: Options) -> Transport:
    """A transport to an agent of a generation before 1.0."""
    from dragoman.client.transport.older import open_older as open_transport

    return open_transport(http, interface, generation, options.limits)


def make_older_headers(generation: Generation, extensions: tuple[str, ...]) -> dict[str, str]:
    """The service parameters as a generation before 1.0 has them."""
    from dragoman.client.transport.older import make_headers

    return make_headers(generation, extensions)
