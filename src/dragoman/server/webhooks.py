"""Carrying notifications to webhooks, past nobody's back door."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from dragoman.engine import DeliveryError
from dragoman.model import Clock, utc_now
from dragoman.security import EgressPolicy
from dragoman.security.guarded_http import describe_failure, open_guarded_session
from dragoman.security.signatures import (
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    dump_seconds,
    load_keys,
    sign,
)

if TYPE_CHECKING:
    import aiohttp


RESERVED_HEADERS = frozenset(
    {
        TIMESTAMP_HEADER,
        SIGNATURE_HEADER,
        "connection",
        "content-encoding",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""What frames the request, says whence it comes or proves it: nothing that a caller wrote may end up there."""


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """How webhooks are called. Only public addresses are, unless `egress` allows more (PSH-08, PSH-10).

    Every notification is signed with each of `secrets`, which `dragoman.security.make_secret` makes and receivers have to know;
    two of them let receivers change from one to the other. Without any, notifications are not signed.
    """

    egress: EgressPolicy = field(default_factory=EgressPolicy)
    timeout: timedelta = timedelta(seconds=15)
    max_connections: int = 64
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        load_keys(self.secrets)


class WebhookSender:
    """A `PushSender` over HTTP: every address is checked where it is dialled, and redirects are refused.

    Among the headers, `webhook-id` names the notification, and is the same at every attempt. One that has none gets a new id
    each time, with which a receiver cannot tell a repetition from news.
    """

    def __init__(self, options: WebhookOptions | None = None, *, clock: Clock = utc_now) -> None:
        self._options = options or WebhookOptions()
        self._keys = load_keys(self._options.secrets)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        _check_headers(headers)
        await self._post(url, {**headers, **self._stamp(headers, body)}, body)

    def _stamp(self, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """When this attempt is made (PSH-20), and by whom if there is a secret to prove it with."""
        moment = self._clock()
        if not self._keys:
            return {TIMESTAMP_HEADER: dump_seconds(moment)}
        try:
            return sign(self._keys, headers.get(ID_HEADER) or uuid4().hex, moment, body)
        except ValueError as error:
            raise DeliveryError(str(error)) from None

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        session = self._session = self._session or open_guarded_session(
            self._options.egress,
            timeout=self._options.timeout,
            max_connections=self._options.max_connections,
        )
        try:
            async with session.post(url, headers=headers, data=body, allow_redirects=False) as reply:
                status = reply.status
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._options.timeout}") from None
        except (OSError, ValueError, _client_error()) as error:
            raise DeliveryError(describe_failure(error)) from None
        if not 200 <= status < 300:
            raise DeliveryError(f"the receiver answered with HTTP {status}")

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)  # lets the connections notice


def _check_headers(headers: Mapping[str, str]) -> None:
    """DeliveryError if a header is reserved; one that would break out of its line is refused by the HTTP library."""
    if reserved := sorted(RESERVED_HEADERS.intersection(name.lower() for name in headers)):
        raise DeliveryError(f"a notification may not set {', '.join(reserved)}")


def _client_error() -> "type[aiohttp.ClientError]":
    import aiohttp

    return aiohttp.ClientError
