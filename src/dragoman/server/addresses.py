"""Where callers reach this agent: from what the operator said, or from the request (SPEC 4.2)."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from msgspec.structs import replace
from starlette.types import Scope

from dragoman.model import LATEST, AgentCard, AgentInterface, Binding, Generation
from dragoman.server.asked import TENANT_IN_PATH
from dragoman.server.grpc_place import GrpcPlace
from dragoman.server.headers import RawHeaders, get_text, read_headers

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*", re.ASCII)

_ONLY_JSONRPC = frozenset({Binding.JSONRPC})
_BINDINGS = {LATEST: frozenset(Binding), Generation.V0_3: frozenset(Binding)}
"""What is served of the generations that have more than JSON-RPC."""

FORWARDING_HEADERS = b"Host, Forwarded, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Prefix"


class _Forwarded(NamedTuple):
    """What a proxy says about the request that it passes on; "" where it says nothing."""

    scheme: str = ""
    host: str = ""
    prefix: str = ""


_FORWARDING = frozenset({b"forwarded", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix"})
_NOTHING_SAID = _Forwarded()


class Addresses:
    """Knows the public URL. Without `public_url` it is that of the request, as seen by the outermost trusted proxy."""

    def __init__(
        self,
        *,
        public_url: str | None,
        trusted_proxies: Iterable[str],
        generations: frozenset[Generation] = frozenset({LATEST}),
        grpc: GrpcPlace | None = None,
    ) -> None:
        self._versions = _list_versions(generations)
        self._grpc = grpc
        self.is_fixed = public_url is not None
        self._public_url = (public_url or "").rstrip("/")
        trusted = list(trusted_proxies)
        self._trusts_all = "*" in trusted
        self._trusted = [ipaddress.ip_network(entry, strict=False) for entry in trusted if entry != "*"]

    def base_url(self, scope: Scope) -> str:
        """The URL of the place where the app is mounted, or of a tenant's part of it, without a slash at the end."""
        if self.is_fixed:
            tenant = scope.get(TENANT_IN_PATH, "")
            return f"{self._public_url}/{tenant}" if tenant else self._public_url
        return self._read_base_url(scope, read_headers(scope))

    def place_of(self, scope: Scope, headers: RawHeaders) -> tuple[str, ...]:
        """What the interfaces of a card depend on: two requests with the same one are shown the same."""
        tenant: str = scope.get(TENANT_IN_PATH, "")
        base = "" if self.is_fixed else self._read_base_url(scope, headers)
        return base, tenant, self._grpc.address if self._grpc is not None else ""

    def _read_base_url(self, scope: Scope, headers: RawHeaders) -> str:
        is_forwarded = not _FORWARDING.isdisjoint(headers) and self._is_trusted(scope)
        said = _load_forwarded(headers) if is_forwarded else _NOTHING_SAID
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
        if self._grpc is not None and (address := self._grpc.address_beside(base)):
            urls[Binding.GRPC] = address
        return self._with_interfaces(card, urls, scope.get(TENANT_IN_PATH, ""))

    def complete_over_grpc(self, card: AgentCard) -> AgentCard:
        """The card for a caller over gRPC, which does not tell where the agent is reached by other bindings."""
        if card.supported_interfaces:
            return card
        assert self._grpc is not None  # the call came in there
        if not self.is_fixed:
            return self._with_interfaces(card, {Binding.GRPC: self._grpc.address})
        base = self._public_url
        urls = {
            Binding.GRPC: self._grpc.address_beside(base),
            Binding.JSONRPC: base + "/",
            Binding.REST: base,
        }
        return self._with_interfaces(card, urls)

    def _with_interfaces(self, card: AgentCard, urls: Mapping[Binding, str], tenant: str = "") -> AgentCard:
        """`tenant` is the one whose card it is: URLs have it in their path, gRPC needs it named (SPEC 4.7)."""
        interfaces = tuple(
            AgentInterface(
                url=url,
                protocol_binding=binding.value,
                protocol_version=generation.value,
                tenant=tenant if binding is Binding.GRPC else "",
            )
            for generation, bindings in self._versions
            for binding, url in urls.items()
            if binding in bindings
        )
        return replace(card, supported_interfaces=interfaces)

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


def _list_versions(generations: frozenset[Generation]) -> list[tuple[Generation, frozenset[Binding]]]:
    """What the card offers, newest first: of what lies before 0.3, nobody reads interfaces, so that one entry says all."""
    newest_first = sorted(generations, key=lambda generation: generation.value, reverse=True)
    offered = [generation for generation in newest_first if generation in _BINDINGS] or newest_first[:1]
    before = [generation for generation in newest_first if generation is not LATEST]
    if before and before[0] not in offered:
        offered.append(before[0])
    return [(generation, _BINDINGS.get(generation, _ONLY_JSONRPC)) for generation in offered]


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
