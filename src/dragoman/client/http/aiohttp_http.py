"""HTTP over sockets with aiohttp, which is imported when the first connection is opened: it costs 110 ms of CPU."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dragoman.client.addresses import is_http_url
from dragoman.client.http.base import Http, HttpRequest, HttpStream
from dragoman.model import BadResponse, NeverSent, TimedOut, Unreachable

if TYPE_CHECKING:
    import aiohttp

KEEPALIVE_SECONDS = 4.0
"""Shorter than the five seconds of uvicorn, so that the peer does not hang up on a request that is under way."""

MAX_CONNECTIONS = 0
"""No limit: every open stream holds a connection, and one that waits for another would never move."""


class AiohttpHttp(Http):
    """Over sockets. `session` is the caller's own, which is used as it is and not closed."""

    def __init__(
        self,
        *,
        connect_seconds: float = 10.0,
        tls: ssl.SSLContext | None = None,
        session: "aiohttp.ClientSession | None" = None,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._tls = tls
        self._borrowed = session
        self._session: aiohttp.ClientSession | None = session
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self, request: HttpRequest) -> HttpStream:
        session = self._ensure_session()
        with _translate(request.url):
            response = await session.request(
                request.verb,
                _as_written(request.url),
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                timeout=self._timeout(request.idle),
            )
        return _AiohttpStream(response, request.url)

    async def close(self) -> None:
        session, self._session = self._session, self._borrowed
        if session is not None and session is not self._borrowed:
            await session.close()

    @property
    def is_open(self) -> bool:
        return self._session is not self._borrowed

    def _ensure_session(self) -> "aiohttp.ClientSession":
        if self._session is None or (self._borrowed is None and self._loop is not asyncio.get_running_loop()):
            self._session = self._make_session()
            self._loop = asyncio.get_running_loop()
        return self._session

    def _make_session(self) -> "aiohttp.ClientSession":
        import aiohttp

        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            ssl=True if self._tls is None else self._tls,
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    def _timeout(self, idle: float | None) -> "aiohttp.ClientTimeout":
        import aiohttp

        return aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds, sock_read=idle)


class _AiohttpStream(HttpStream):
    def __init__(self, response: "aiohttp.ClientResponse", url: str) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._url = url

    async def read(self) -> bytes:
        with _translate(self._url):
            return await self._response.content.readany()

    def close(self) -> None:
        self._response.close()


def _as_written(url: str) -> Any:
    """An id in a path stays percent-encoded: normalising would turn `%2F` or `%3A` into another path."""
    import yarl

    if not is_http_url(url):
        raise BadResponse(f"the address {url!r} is not an http or https URL", url=url)
    return yarl.URL(url, encoded=True)


@contextmanager
def _translate(url: str) -> Generator[None, None, None]:
    import aiohttp

    try:
        yield
    except aiohttp.ClientConnectorCertificateError as failure:
        raise NeverSent(f"cannot connect to {url!r}: {failure.certificate_error}", url=url) from failure
    except aiohttp.ClientConnectorError as failure:
        raise NeverSent(f"cannot connect to {url!r}: {_name_reason(failure.os_error)}", url=url) from failure
    except aiohttp.ConnectionTimeoutError as failure:
        raise NeverSent(f"cannot connect to {url!r}: it does not answer", url=url) from failure
    except TimeoutError as failure:
        if not isinstance(failure, aiohttp.ServerTimeoutError):
            raise
        raise TimedOut(f"{url!r} is silent for too long: {failure}", url=url) from failure
    except aiohttp.ClientResponseError as failure:
        raise BadResponse(f"the answer of {url!r} is not HTTP: {failure.message}", url=url) from failure
    except (aiohttp.ClientError, OSError) as failure:
        raise Unreachable(f"the connection to {url!r} broke: {failure!r}", url=url) from failure


def _name_reason(error: OSError) -> str:
    """Why there is no connection, without the address that asyncio puts before it, once for each address of a name."""
    numbers = [error.errno] if error.errno is not None else map(int, _ERRNO.findall(str(error)))
    if isinstance(error, socket.gaierror | ssl.SSLError):
        return error.strerror or str(error)
    return ", ".join(dict.fromkeys(map(os.strerror, numbers))) or str(error)


_ERRNO = re.compile(r"\[Errno (\d+)\]")
