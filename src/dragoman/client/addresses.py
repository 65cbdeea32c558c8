"""URLs that somebody else wrote."""

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})", re.ASCII)


def is_http_url(url: str) -> bool:
    """Whether `url` is an absolute http or https URL that a request can go to."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class GrpcAddress(NamedTuple):
    """Where a gRPC server listens, and whether with TLS."""

    authority: str
    is_secure: bool


def read_grpc_address(url: str, *, is_secure: bool) -> GrpcAddress | None:
    """`host:port`, which does not say whether there is TLS: then `is_secure` does; or a URL, which says it (D-20).

    None if it is neither.
    """
    if is_http_url(url):
        parts = urlsplit(url)
        with_tls = parts.scheme == "https"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return GrpcAddress(f"{host}:{parts.port or (443 if with_tls else 80)}", with_tls)
    found = _AUTHORITY.fullmatch(url)
    is_port = found is not None and 0 < int(found[1]) < 65536
    return GrpcAddress(url, is_secure) if is_port else None


def is_same_origin(one: str, other: str) -> bool:
    """Whether credentials for one of two http URLs may go to the other."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)


def is_exposed(url: str) -> bool:
    """Whether what is sent to an http URL can be read on its way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def follow(url: str, location: str) -> str:
    """Where a redirect leads; empty if that is not an http URL."""
    try:
        target = urljoin(url, location)
    except ValueError:
        return ""
    return target if is_http_url(target) else ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
