"""The operations of one agent: card, interface, headers and retries (SPEC 2, 3.6)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec.structs import replace

from dragoman.client.cards import CardKeeper
from dragoman.client.credentials import Credentials, Headers
from dragoman.client.http import Http
from dragoman.client.interfaces import choose_interfaces
from dragoman.client.options import Options
from dragoman.client.retrying import get_wanted_delay, may_repeat
from dragoman.client.transport import EventSource, JsonRpcTransport, RestTransport, Transport
from dragoman.model import (
    LATEST,
    AgentCard,
    AgentInterface,
    Binding,
    DragomanError,
    NeverSent,
    Operation,
    PushNotificationNotSupportedError,
    Record,
    UnsupportedOperationError,
)
from dragoman.resilience import Backoff
from dragoman.wire.parameters import ServiceParameters, dump_parameters

T = TypeVar("T")
R = TypeVar("R", bound=Record)

_NONE: Headers = {}


class _Line:
    """The interfaces that can be used, and the one that is."""

    def __init__(self, card: AgentCard, interfaces: list[AgentInterface], transport: Transport) -> None:
        self.card = card
        self.interfaces = interfaces
        self.transport = transport
        self.index = 0

    @property
    def interface(self) -> AgentInterface:
        return self.interfaces[self.index]


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
        self._is_closed = False
        parameters = ServiceParameters(LATEST.value, options.extensions)
        self._parameters = {name.lower(): value for name, value in dump_parameters(parameters)}

    def reopen(self) -> None:
        self._is_closed = False

    async def close(self) -> None:
        """Give up every connection; what is asked from now on is a RuntimeError."""
        self._is_closed = True
        await self._http.close()

    async def card(self) -> AgentCard:
        return await self._retrying(None, self._keeper.get, self.options.retry)

    def pin_card(self, card: AgentCard) -> None:
        self._keeper.pin(card)

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
        headers = {**self._parameters, **headers}
        idle = None if waits else self.options.timeout.idle_seconds

        async def send() -> Record:
            line = await self._get_line()
            return await self._credentials.send(
                lambda added: line.transport.call(
                    operation, self._address(request, line), headers={**headers, **added}, idle=idle
                )
            )

        return await self._retrying(operation, send, self.options.retry)

    async def open(
        self,
        operation: Operation,
        request: Record,
        *,
        headers: Headers = _NONE,
        backoff: Backoff | None = None,
    ) -> EventSource:
        """Ask for a stream. `headers` go with every attempt."""
        headers = {**self._parameters, **headers}

        async def send() -> EventSource:
            line = await self._get_line()
            return await self._credentials.send(
                lambda added: line.transport.open(
                    operation,
                    self._address(request, line),
                    headers={**headers, **added},
                    idle=self.options.timeout.stream_idle_seconds,
                )
            )

        return await self._retrying(operation, send, backoff or self.options.retry)

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
            is_secure = urlsplit(self.url).scheme == "https"
            interfaces = choose_interfaces(card, self.options.bindings, is_secure=is_secure)
            self._line = _Line(card, interfaces, self._make_transport(interfaces[0]))
        return self._line

    def _make_transport(self, interface: AgentInterface) -> Transport:
        kind = JsonRpcTransport if interface.protocol_binding == Binding.JSONRPC.value else RestTransport
        return kind(self._http, interface.url, self.options.limits)

    def _try_next_interface(self, error: DragomanError) -> bool:
        """Go on to the next interface if the one in use cannot be reached (BND-07)."""
        line = self._line
        if line is None or not isinstance(error, NeverSent) or line.index + 1 >= len(line.interfaces):
            return False
        if not error.url.startswith(line.interface.url.rstrip("/")):
            return True  # another call has gone on already
        line.index += 1
        line.transport = self._make_transport(line.interface)
        return True

    async def _retrying(
        self, operation: Operation | None, send: Callable[[], Awaitable[T]], backoff: Backoff
    ) -> T:
        attempt = 0
        while True:
            attempt += 1
            if self._is_closed:
                raise RuntimeError("the client is closed; enter it again with 'async with' to use it again")
            try:
                return await send()
            except DragomanError as error:
                delay = self._choose_delay(operation, error, attempt, backoff)
                if delay is None:
                    raise
            await self.options.world.sleep(delay)

    def _choose_delay(
        self, operation: Operation | None, error: DragomanError, attempt: int, backoff: Backoff
    ) -> float | None:
        if not may_repeat(operation, error):
            return None
        if operation is not None and self._try_next_interface(error):
            return 0.0
        return backoff.delay(attempt, at_least=get_wanted_delay(error), draw=self.options.world.draw)
