"""An ASGI app that speaks A2A for an engine."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from dragoman.engine.extensions import Extensions
from dragoman.engine.limits import Limits
from dragoman.model import LATEST, AgentCard, Generation
from dragoman.security import Authenticator, admit_everyone
from dragoman.server.addresses import Addresses
from dragoman.server.card import CardSource
from dragoman.server.dispatch import BoundOperation, Operations, bind_operations
from dragoman.server.exchange import Exchange, conduct
from dragoman.server.gate import Gate
from dragoman.server.grpc_options import GrpcOptions
from dragoman.server.grpc_place import GrpcPlace
from dragoman.server.headers import relative_path
from dragoman.server.issuing import CardIssuer
from dragoman.server.jsonrpc import JsonRpcExchange
from dragoman.server.older import GENERATIONS, Older
from dragoman.server.older_rest import PREFIX, OlderRestExchange, is_older
from dragoman.server.options import HttpOptions
from dragoman.server.pages import ROOT, PageExchange, Pages
from dragoman.server.rest import RestExchange
from dragoman.server.startup import Startup
from dragoman.server.streaming import Streams
from dragoman.server.surroundings import Surroundings
from dragoman.server.tenancy import enter_tenant
from dragoman.server.vigil import StreamTimes
from dragoman.wire.extras import need_grpc

if TYPE_CHECKING:
    from dragoman.security.cards import CardSigner
    from dragoman.server.grpc.endpoint import GrpcEndpoint

_CORS_VERBS = ("GET", "POST", "DELETE")
_CORS_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "A2A-Version",
    "A2A-Extensions",
    "Last-Event-ID",
    "Idempotency-Key",
    "A2A-Tenant",
)
_CORS_RESPONSE_HEADERS = ("A2A-Extensions", "ETag", "Retry-After", "WWW-Authenticate")


class Service:
    """Serves an engine over JSON-RPC and HTTP+JSON, with its card, below wherever it is mounted; over gRPC if there are options for it.

    The engine starts and stops with the server's lifespan. Where the app is mounted and hears of none, the first request
    starts it, and `stop` is for whoever has a lifespan to call it from. Without `extensions`, those that a call asks for are the
    engine's to judge; without `tenants`, any is served.
    """

    def __init__(
        self,
        engine: Operations,
        *,
        card: CardSource,
        authenticator: Authenticator = admit_everyone,
        limits: Limits | None = None,
        public_url: str | None = None,
        strict_versions: bool = True,
        http: HttpOptions | None = None,
        signers: Sequence["CardSigner"] = (),
        grpc: GrpcOptions | None = None,
        extensions: Extensions | None = None,
        tenants: Collection[str] | None = None,
        generations: frozenset[Generation] = GENERATIONS,
    ) -> None:
        options = http or HttpOptions()
        limits = limits or Limits()
        self._engine = engine
        self._startup = Startup(self._start_up, self._shut_down, self._wind_down)
        self._place = place = GrpcPlace(grpc) if grpc else None
        self._tenants = tenants
        addresses = Addresses(
            public_url=public_url,
            trusted_proxies=options.trusted_proxies,
            generations=generations,
            grpc=place,
        )
        issuer = CardIssuer(addresses, signers)
        gate = Gate(
            startup=self._startup,
            authenticator=authenticator,
            limits=limits,
            body_seconds=options.body_timeout.total_seconds(),
            strict_versions=strict_versions,
            generations=generations,
            extensions=extensions,
            tenants=tenants,
        )
        times = StreamTimes(options.heartbeat.total_seconds(), options.write_timeout.total_seconds())
        self._streams = Streams(times)
        operations = bind_operations(engine)
        self._older = _make_older(generations, gate, operations, engine, issuer, streams=self._streams)
        self._around = Surroundings(gate, operations, issuer, self._streams, self._older)
        self._endpoint = _open_endpoint(self._around, grpc, limits, place, generations, card=card)
        max_age = int(options.card_max_age.total_seconds())
        pages = Pages(
            card=card, issuer=issuer, startup=self._startup, card_max_age=max_age, older=self._older
        )
        self._pages = pages.by_path
        self._http: ASGIApp = _allow_origins(self._route, options.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await self._startup.run_lifespan(receive, send)
            case "websocket":
                await send({"type": "websocket.close", "code": 1000})
            case kind:
                raise RuntimeError(f"the ASGI server opened a scope of an unknown type {kind!r}")

    async def start(self) -> None:
        """Start the engine, if it does not run yet."""
        await self._startup.start()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run during an `async with` block; whoever leaves last stops the engine at once, unless `start` was called."""
        return self._startup.hold()

    def complete(self, card: AgentCard, scope: Scope) -> AgentCard:
        """A card without interfaces as whoever sent this request should see it."""
        return self._around.issuer.issue(card, scope)

    @property
    def grpc_address(self) -> str:
        """`host:port` where it answers over gRPC, "" if it does not."""
        return self._place.address if self._place and self._place.port else ""

    @property
    def is_stopped(self) -> bool:
        """Whether it has been stopped. An engine does not start again."""
        return self._startup.is_stopped

    @property
    def is_orphaned(self) -> bool:
        """Whether the event loop that it was started in is gone."""
        return self._startup.is_orphaned

    async def drain(self) -> None:
        """Prepare to stop: `/readyz` says no, new work is refused, and open streams end, so that their readers come back.

        Returns when the runs at work have finished, or when `Limits.drain_timeout` is over. Other calls are still answered.
        """
        await self._startup.drain()

    async def stop(self, *, at_once: bool = False) -> None:
        """Drain, unless it is to be `at_once`, and stop the engine; requests that come later are refused as unavailable."""
        await self._startup.stop(at_once=at_once)

    async def _start_up(self) -> None:
        await self._engine.start()
        if self._endpoint is not None:
            try:
                await self._endpoint.start()
            except BaseException:
                await self._engine.stop()
                raise

    async def _wind_down(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.drain()
        self._streams.end()
        await self._engine.drain()

    async def _shut_down(self) -> None:
        try:
            await self._engine.stop()
        finally:
            if self._endpoint is not None:
                await self._endpoint.stop()

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = enter_tenant(scope, self._tenants)
        await conduct(self._exchange_for(scope), scope, receive, send)

    def _exchange_for(self, scope: Scope) -> Exchange:
        path = relative_path(scope)
        is_root = path in ROOT
        if is_root and scope["method"] == "POST":
            return JsonRpcExchange(self._around)
        if page := self._pages.get(path):
            return PageExchange(page, takes_calls=is_root)
        if path.startswith(PREFIX) and self._older is not None and is_older(self._older, scope):
            return OlderRestExchange(self._older)
        return RestExchange(self._around)


def _open_endpoint(
    around: Surroundings,
    options: GrpcOptions | None,
    limits: Limits,
    place: GrpcPlace | None,
    generations: frozenset[Generation],
    *,
    card: CardSource,
) -> "GrpcEndpoint | None":
    if options is None or place is None:
        return None
    need_grpc("grpc_health", "grpc_reflection")
    from dragoman.server.grpc.dialect import CurrentDialect, OlderDialect
    from dragoman.server.grpc.endpoint import GrpcEndpoint
    from dragoman.server.grpc.service import GrpcService

    write_seconds = options.write_timeout.total_seconds()
    dialects = [
        dialect for dialect in (CurrentDialect(), OlderDialect()) if dialect.generation in generations
    ]
    services = [
        GrpcService(around, dialect, public_card=card, write_seconds=write_seconds) for dialect in dialects
    ]
    return GrpcEndpoint(services, options=options, limits=limits, place=place)


def _allow_origins(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    if not origins:
        return app
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_CORS_VERBS,
        allow_headers=_CORS_REQUEST_HEADERS,
        expose_headers=_CORS_RESPONSE_HEADERS,
    )


def _make_older(
    generations: frozenset[Generation],
    gate: Gate,
    operations: Mapping[str, BoundOperation],
    engine: Operations,
    issuer: CardIssuer,
    *,
    streams: Streams,
) -> Older | None:
    if generations <= {LATEST}:
        return None
    return Older(
        generations,
        gate=gate,
        operations=operations,
        find_name=engine.find_name,
        issuer=issuer,
        streams=streams,
    )
