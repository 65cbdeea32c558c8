"""The operations of one agent: card, interface, headers and retries (SPEC 2, 3.6)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec.structs import replace

from dragoman.client.cards import CardKeeper
from dragoman.client.credentials import Credentials, Headers
from dragoman.client.dialing import make_older_headers, open_grpc, open_jsonrpc, open_older, open_rest
from dragoman.client.extensions import ExtensionWatch, choose_extensions
from dragoman.client.http import Http
from dragoman.client.interfaces import choose_interfaces, generation_of
from dragoman.client.options import Options
from dragoman.client.retrying import get_wanted_delay, may_repeat
from dragoman.client.transport import EventSource, Transport
from dragoman.model import (
    LATEST,
    AgentCard,
    AgentInterface,
    Binding,
    DragomanError,
    Generation,
    NeverSent,
    Operation,
    PushNotificationNotSupportedError,
    Record,
    UnsupportedOperationError,
)
from dragoman.model.extensions import IDEMPOTENCY_KEY
from dragoman.resilience import Backoff
from dragoman.wire.parameters import ServiceParameters, dump_parameters

T = TypeVar("T")
R = TypeVar("R", bound=Record)

IDEMPOTENCY_HEADER = "idempotency-key"

_NONE: Headers = {}


class _Line:
    """The interfaces that can be used, and the one that is."""

    def __init__(
        self,
        card: AgentCard,
        interfaces: list[AgentInterface],
        extensions: tuple[str, ...],
        make_transport: Callable[[AgentInterface], Transport],
    ) -> None:
        self.card = card
        self.interfaces = interfaces
        self._extensions = extensions
        self._make_transport = make_transport
        self._use(0)

    def go_on(self) -> None:
        """Use the next interface from now on."""
        self._use(self.index + 1)

    def _use(self, index: int) -> None:
        self.index = index
        self.interface = self.interfaces[index]
        self.generation = generation_of(self.interface) or LATEST
        self.parameters = _make_headers(self.generation, self._extensions)
        self.transport = self._make_transport(self.interface)


def _make_headers(generation: Generation, extensions: tuple[str, ...]) -> Headers:
    if generation is not LATEST:
        return make_older_headers(generation, extensions)
    parameters = dump_parameters(ServiceParameters(LATEST.value, extensions))
    return {name.lower(): value for name, value in parameters}


class Session:
    """Carries out operations on one agent. Raises what `Transport` does, after retries where they are safe."""

    def __init__(
        self, url: str, http: Http, keeper: CardKeeper, credentials: Credentials, options: Options
    ) -> None:
        self.url = url
        self.options = options
        self._http = http
        self._keeper = keeper
        self._credentials = credentials
        self._line: _Line | None = None
        self._transports: list[Transport] = []
        self._is_closed = False
        self._watch = ExtensionWatch(http)
        self._known_generation = LATEST

    def reopen(self) -> None:
        self._is_closed = False

    async def close(self) -> None:
        """Give up every connection; what is asked from now on is a RuntimeError."""
        self._is_closed = True
        self._keeper.unpin()
        transports, self._transports = self._transports, []
        self._line = None
        for transport in transports:
            await transport.close()
        await self._http.close()

    @property
    def active_extensions(self) -> frozenset[str]:
        """The extensions that the agent's last answer says are active."""
        return self._watch.active

    @property
    def interface(self) -> AgentInterface | None:
        """The interface that is called; None before the first call."""
        return None if self._line is None else self._line.interface

    @property
    def generation(self) -> Generation | None:
        """The generation that is spoken; None before the first call."""
        return None if self._line is None else self._line.generation

    async def is_older(self) -> bool:
        """Whether the agent is called in a generation before 1.0."""
        return (await self._get_line()).generation is not LATEST

    async def card(self) -> AgentCard:
        return await self._retrying(None, self._keeper.get, self.options.retry)

    async def pin_card(self, card: AgentCard) -> None:
        """Use the extended card for as long as the client is open; UntrustedCard if it does not prove who wrote it."""
        await self._keeper.pin(card, self.url)

    async def offers(self, capability: str) -> bool:
        """Whether the card declares a member of its capabilities (CAP-07)."""
        return bool(getattr((await self.card()).capabilities, capability))

    async def call(
        self, operation: Operation, request: Record, *, headers: Headers = _NONE, waits: bool = False
    ) -> Record:
        """Ask for one answer. A capability that the card does not declare is refused without asking the agent.

        `headers` go with every attempt. `waits`: the agent may be silent for as long as the task takes.
        """
        await self._require(operation)
        idle = None if waits else self.options.timeout.idle_seconds

        async def send() -> Record:
            line = await self._get_line()
            return await self._credentials.send(
                lambda added: line.transport.call(
                    operation,
                    self._address(request, line),
                    headers={**line.parameters, **headers, **added},
                    idle=idle,
                )
            )

        return await self._retrying(
            operation, send, self.options.retry, is_keyed=await self._is_keyed(headers)
        )

    async def open(
        self,
        operation: Operation,
        request: Record,
        *,
        headers: Headers = _NONE,
        backoff: Backoff | None = None,
    ) -> EventSource:
        """Ask for a stream. `headers` go with every attempt."""

        async def send() -> EventSource:
            line = await self._get_line()
            return await self._credentials.send(
                lambda added: line.transport.open(
                    operation,
                    self._address(request, line),
                    headers={**line.parameters, **headers, **added},
                    idle=self.options.timeout.stream_idle_seconds,
                )
            )

        return await self._retrying(
            operation, send, backoff or self.options.retry, is_keyed=await self._is_keyed(headers)
        )

    async def _is_keyed(self, headers: Headers) -> bool:
        """Whether the agent does the request once, however often it gets it: it has a key, and the card says that it counts."""
        return IDEMPOTENCY_HEADER in headers and await self.declares(IDEMPOTENCY_KEY)

    async def declares(self, extension: str) -> bool:
        """Whether the card declares the extension with that URI."""
        return any(entry.uri == extension for entry in (await self.card()).capabilities.extensions)

    async def _require(self, operation: Operation) -> None:
        if operation.capability and not await self.offers(operation.capability):
            is_push = operation.capability == "push_notifications"
            kind = PushNotificationNotSupportedError if is_push else UnsupportedOperationError
            raise kind(f"the card does not declare '{operation.capability}', which {operation.name} needs")

    def _address(self, request: R, line: _Line) -> R:
        """Every request names the tenant of the interface that it goes to (CRD-09)."""
        wanted = self.options.tenant
        tenant = line.interface.tenant if wanted is None else wanted
        return replace(request, tenant=tenant) if tenant else request

    async def _get_line(self) -> _Line:
        card = await self._keeper.get()
        if self._line is None or self._line.card is not card:
            interfaces = choose_interfaces(
                card,
                self.options.bindings,
                generations=self.options.generations,
                is_mixed=self.options.crosses_generations,
                is_secure=self._is_secure,
            )
            extensions = choose_extensions(card, self.options.extensions)
            self._line = _Line(card, interfaces, extensions, self._make_transport)
            self._tell_generation(self._line)
        return self._line

    def _tell_generation(self, line: _Line) -> None:
        """Another generation than before, or than 1.0, is nothing that happens in silence (MIG-01)."""
        if line.generation is not self._known_generation:
            import logging

            self._known_generation = line.generation
            logging.getLogger("dragoman.client").warning(
                "%r is called in A2A %s", line.card.name, line.generation.value
            )

    def _make_transport(self, interface: AgentInterface) -> Transport:
        transport = self._choose_transport(interface)
        self._transports.append(transport)
        return transport

    def _choose_transport(self, interface: AgentInterface) -> Transport:
        generation = generation_of(interface) or LATEST
        is_over_http = interface.protocol_binding != Binding.GRPC.value
        if generation is not LATEST and is_over_http:
            return open_older(self._watch, interface, generation, self.options)
        match interface.protocol_binding:
            case Binding.JSONRPC.value:
                return open_jsonrpc(self._watch, interface.url, self.options)
            case Binding.REST.value:
                return open_rest(self._watch, interface.url, self.options)
            case _:
                is_secure = self._is_secure or self.options.tls is not None
                return open_grpc(
                    interface.url,
                    self.options,
                    is_secure=is_secure,
                    note=self._watch.note,
                    generation=generation,
                )

    @property
    def _is_secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    def _try_next_interface(self, error: DragomanError) -> bool:
        """Go on to the next interface if the one in use cannot be reached (BND-07)."""
        line = self._line
        if line is None or not self.options.fallback or not isinstance(error, NeverSent):
            return False
        if line.index + 1 >= len(line.interfaces):
            return False
        if not error.url.startswith(line.interface.url.rstrip("/")):
            return True  # another call has gone on already
        line.go_on()
        self._tell_generation(line)
        return True

    async def _retrying(
        self,
        operation: Operation | None,
        send: Callable[[], Awaitable[T]],
        backoff: Backoff,
        *,
        is_keyed: bool = False,
    ) -> T:
        attempt = 0
        while True:
            attempt += 1
            if self._is_closed:
                raise RuntimeError("the client is closed; enter it again with 'async with' to use it again")
            try:
                return await send()
            except DragomanError as error:
                if not may_repeat(operation, error, is_keyed=is_keyed):
                    raise
                delay = self._choose_delay(operation, error, attempt, backoff)
                if delay is None:
                    raise
            await self.options.world.sleep(delay)

    def _choose_delay(
        self, operation: Operation | None, error: DragomanError, attempt: int, backoff: Backoff
    ) -> float | None:
        if operation is not None and self._try_next_interface(error):
            return 0.0
        return backoff.delay(attempt, at_least=get_wanted_delay(error), draw=self.options.world.draw)
