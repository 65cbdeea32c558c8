"""Where callers reach this agent: from what the operator said, or from the request (SPEC 4.2)."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

from msgspec.structs import replace
from starlette.types import Scope

from dragoman.model import LATEST, AgentCard, AgentInterface, Binding
from dragoman.server.headers import RawHeaders, get_text, read_headers

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*", re.ASCII)

FORWARDING_HEADERS = b"Host, Forwarded, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Prefix"


class _Forwarded(NamedTuple):
    """What a proxy says about the request that it passes on; "" where it says nothing."""

    scheme: str = ""
    host: str = ""
    prefix: str = ""


class Addresses:
    """Knows the public URL. Without `public_url` it is that of the request, as seen by the outermost trusted proxy."""

    def __init__(self, *, public_url: str | None, trusted_proxies: Iterable[str]) -> None:
        self.is_fixed = public_url is not None
        self._public_url = (public_url or "").rstrip("/")
        trusted = list(trusted_proxies)
        self._trusts_all = "*" in trusted
        self._trusted = [ipaddress.ip_network(entry, strict=False) for entry in trusted if entry != "*"]

    def base_url(self, scope: Scope) -> str:
        """The URL of the place where the app is mounted, without a slash at the end."""
        if self.is_fixed:
            return self._public_url
        headers = read_headers(scope)
        said = _load_forwarded(headers) if self._is_trusted(scope) else _Forwarded()
        root = quote(scope.get("root_path", "").rstrip("/"), safe="/~!$&'()*+,;=:@")
        prefix = "" if root == said.prefix or root.startswith(said.prefix + "/") else said.prefix
        host = said.host or _get_host(scope, headers)
        return f"{said.scheme or scope.get('scheme', 'http')}://{host}{prefix}{root}"

    def complete(self, card: AgentCard, scope: Scope) -> AgentCard:
        """The card with its interfaces, in order of preference (CRD-03); one that has some keeps them."""
        if card.supported_interfaces:
            return card
        base = self.base_url(scope)
        # With the slash, because Starlette, FastAPI and nginx redirect a mount point that is asked for without it.
        urls = {Binding.JSONRPC: base + "/", Binding.REST: base}
        return replace(
            card, supported_interfaces=tuple(_interface(binding, url) for binding, url in urls.items())
        )

    def _is_trusted(self, scope: Scope) -> bool:
        client = scope.get("client")
        # Nobody but a proxy comes through a Unix socket; port 0 is how uvicorn and hypercorn mark a client whose address
        # they took from a proxy that they trust themselves.
        if self._trusts_all or client is None or client[1] == 0:
            return True
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _interface(binding: Binding, url: str) -> AgentInterface:
    return AgentInterface(url=url, protocol_binding=binding.value, protocol_version=LATEST.value)


def _get_host(scope: Scope, headers: RawHeaders) -> str:
    host = _valid(_HOST, get_text(headers, b"host"))
    if host:
        return host
    server = scope.get("server") or ("localhost", None)
    name = f"[{server[0]}]" if ":" in server[0] else server[0]
    return f"{name}:{server[1]}" if server[1] else name


def _load_forwarded(headers: RawHeaders) -> _Forwarded:
    standard = _parse_forwarded(_last(headers, b"forwarded"))
    scheme = (standard.get("proto") or _last(headers, b"x-forwarded-proto")).lower()
    return _Forwarded(
        scheme if scheme in ("http", "https") else "",
        _valid(_HOST, standard.get("host") or _last(headers, b"x-forwarded-host")),
        _valid(_PATH, _last(headers, b"x-forwarded-prefix").rstrip("/")),
    )


def _last(headers: RawHeaders, name: bytes) -> str:
    """The entry that the nearest proxy added; those before it may be anybody's."""
    return get_text(headers, name).rpartition(",")[2].strip()


def _parse_forwarded(element: str) -> Mapping[str, str]:
    pairs = (pair.partition("=") for pair in element.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _valid(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""
