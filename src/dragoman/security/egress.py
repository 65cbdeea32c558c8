"""Which addresses the agent may dial on behalf of somebody else (PSH-10, IAN-04).

A URL from a caller must not lead into the operator's own network. Names say nothing, so the address is what is judged, and it
is judged where the socket is made: the address that was checked is the address dialled.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# What `is_global` calls public in some releases of Python and not in others; RFC 6890 and its registries do not.
_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "fec0::/10",
        "100::/64",
        "5f00::/16",
    )
)
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_V4_COMPATIBLE = ipaddress.ip_network("::/96")


class EgressDeniedError(Exception):
    """The address is none that the policy lets the agent dial. The text is for the operator, not for the caller."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Public addresses only, save for the networks in `allowed`."""

    allowed: tuple[IPNetwork, ...] = ()

    @classmethod
    def allowing(cls, networks: Iterable[str]) -> Self:
        """Public addresses, and these networks or single addresses besides; ValueError if one is neither."""
        return cls(tuple(ipaddress.ip_network(network) for network in networks))

    def check(self, address: str) -> None:
        """Raise EgressDeniedError unless the agent may dial this IP address."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            raise EgressDeniedError(f"{address!r} is not an IP address") from None
        if not self._is_allowed(ip):
            raise EgressDeniedError(
                f"{address} is not a public address; allow its network if it is meant to be reached"
            )

    def _is_allowed(self, ip: IPAddress) -> bool:
        plain = _unwrap(ip)
        if any(candidate in network for network in self.allowed for candidate in (ip, plain)):
            return True
        return _is_public(plain) and _is_public(ip)


def _is_public(ip: IPAddress) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and _embedded(ip) is not None:
        return True  # the address inside was judged; the wrapping itself has no owner
    return (
        ip.is_global
        and not ip.is_multicast
        and not ip.is_reserved
        and not any(ip in network for network in _FORBIDDEN)
    )


def _unwrap(ip: IPAddress) -> IPAddress:
    """The IPv4 address inside an IPv6 one that only carries it, else the address itself."""
    if isinstance(ip, ipaddress.IPv6Address):
        return _embedded(ip) or ip
    return ip


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in network for network in _NAT64) or (ip in _V4_COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None
