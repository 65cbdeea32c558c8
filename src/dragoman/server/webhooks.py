"""Carrying notifications to webhooks, past nobody's back door."""

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dragoman.engine import DeliveryError
from dragoman.security import EgressDeniedError, EgressPolicy

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """How webhooks are called. Only public addresses are, unless `egress` allows more (PSH-08, PSH-10)."""

    egress: EgressPolicy = field(default_factory=EgressPolicy)
    timeout: timedelta = timedelta(seconds=15)
    max_connections: int = 64


class WebhookSender:
    """A `PushSender` over HTTP: every address is checked where it is dialled, and redirects are refused."""

    def __init__(self, options: WebhookOptions | None = None) -> None:
        self._options = options or WebhookOptions()
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        session = self._session = self._session or _open_session(self._options)
        try:
            async with session.post(url, headers=headers, data=body, allow_redirects=False) as reply:
                status = reply.status
        except EgressDeniedError as error:
            raise DeliveryError(str(error)) from None
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._options.timeout}") from None
        except (OSError, ValueError, _client_error()) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from None
        if not 200 <= status < 300:
            raise DeliveryError(f"the receiver answered with HTTP {status}")

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)  # lets the connections notice


def _open_session(options: WebhookOptions) -> "aiohttp.ClientSession":
    import aiohttp  # not needed by an agent without webhooks, and slow to import

    def checked_socket(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, sockaddr = address
        options.egress.check(str(sockaddr[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    connector = aiohttp.TCPConnector(
        limit=options.max_connections, use_dns_cache=False, socket_factory=checked_socket, force_close=True
    )
    timeout = aiohttp.ClientTimeout(total=options.timeout.total_seconds())
    return aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False, trust_env=False)


def _client_error() -> "type[aiohttp.ClientError]":
    import aiohttp

    return aiohttp.ClientError
