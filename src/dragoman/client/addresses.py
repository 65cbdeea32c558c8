"""URLs that somebody else wrote."""

from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit


def is_http_url(url: str) -> bool:
    """Whether `url` is an absolute http or https URL that a request can go to."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


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
