"""HTTP to addresses that somebody else wrote: each is judged where it is dialled (PSH-10, IAN-04)."""

import errno
import socket
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dragoman.security.egress import EgressDeniedError, EgressPolicy

if TYPE_CHECKING:
    import aiohttp


def open_guarded_session(
    egress: EgressPolicy,
    *,
    timeout: timedelta,
    max_connections: int = 8,
    tls: ssl.SSLContext | None = None,
) -> "aiohttp.ClientSession":
    """A session that dials only what `egress` lets it, whatever a name resolves to, and keeps no cookie and no connection.

    A forbidden address is an OSError. Redirects are the user's business: refuse them.
    """
    import aiohttp  # not needed by an agent that dials nobody, and slow to import

    def checked_socket(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, sockaddr = address
        try:
            egress.check(str(sockaddr[0]))
        except EgressDeniedError as error:
            # The library goes on to the next address of the name only after an OSError, and breaks on any other.
            raise PermissionError(errno.EACCES, str(error)) from None
        return socket.socket(family=family, type=kind, proto=protocol)

    connector = aiohttp.TCPConnector(
        limit=max_connections,
        use_dns_cache=False,
        socket_factory=checked_socket,
        force_close=True,
        ssl=True if tls is None else tls,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),  # what one address sets is not for another, nor kept for ever
    )


def describe_failure(error: Exception) -> str:
    """In words for the operator; what went wrong below is told without the library's wrapping, which may lose it."""
    cause = getattr(error, "os_error", error)
    return f"{type(cause).__name__}: {cause}"
