"""An ASGI app that speaks A2A for an engine."""

from contextlib import AbstractAsyncContextManager

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from dragoman.engine.limits import Limits
from dragoman.security import Authenticator, admit_everyone
from dragoman.server.addresses import Addresses
from dragoman.server.card import CardSource
from dragoman.server.dispatch import Operations, bind_operations
from dragoman.server.exchange import Exchange, conduct
from dragoman.server.gate import Gate
from dragoman.server.headers import relative_path
from dragoman.server.jsonrpc import JsonRpcExchange
from dragoman.server.options import HttpOptions
from dragoman.server.pages import ROOT, PageExchange, Pages
from dragoman.server.rest import RestExchange
from dragoman.server.startup import Startup
from dragoman.server.streaming import Streams, StreamTimes
from dragoman.server.surroundings import Surroundings

_CORS_VERBS = ("GET", "POST", "DELETE")
_CORS_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "A2A-Version",
    "A2A-Extensions",
    "Last-Event-ID",
    "Idempotency-Key",
)
_CORS_RESPONSE_HEADERS = ("A2A-Extensions", "ETag", "Retry-After", "WWW-Authenticate")


class Service:
    """Serves an engine over JSON-RPC and HTTP+JSON, with its card, below wherever it is mounted.

    The engine starts and stops with the server's lifespan. Where the app is mounted and hears of none, the first request
    starts it, and `stop` is for whoever has a lifespan to call it from.
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
    ) -> None:
        options = http or HttpOptions()
        self._engine = engine
        self._startup = Startup(engine.start, self._shut_down, self._wind_down)
        addresses = Addresses(public_url=public_url, trusted_proxies=options.trusted_proxies)
        gate = Gate(
            startup=self._startup,
            authenticator=authenticator,
            limits=limits or Limits(),
            body_seconds=options.body_timeout.total_seconds(),
            strict_versions=strict_versions,
        )
        times = StreamTimes(options.heartbeat.total_seconds(), options.write_timeout.total_seconds())
        self._streams = Streams(times)
        self._around = Surroundings(gate, bind_operations(engine), addresses, self._streams)
        max_age = int(options.card_max_age.total_seconds())
        pages = Pages(card=card, addresses=addresses, startup=self._startup, card_max_age=max_age)
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

    async def _wind_down(self) -> None:
        self._streams.end()
        await self._engine.drain()

    async def _shut_down(self) -> None:
        await self._engine.stop()

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        await conduct(self._exchange_for(scope), scope, receive, send)

    def _exchange_for(self, scope: Scope) -> Exchange:
        path = relative_path(scope)
        is_root = path in ROOT
        if is_root and scope["method"] == "POST":
            return JsonRpcExchange(self._around)
        if page := self._pages.get(path):
            return PageExchange(page, takes_calls=is_root)
        return RestExchange(self._around)


def _allow_origins(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_CORS_VERBS,
        allow_headers=_CORS_REQUEST_HEADERS,
        expose_headers=_CORS_RESPONSE_HEADERS,
    )
