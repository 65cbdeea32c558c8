"""Where callers reach the gRPC side of an agent (D-20, CRD-10)."""

from urllib.parse import urlsplit

from dragoman.server.grpc_options import GrpcOptions

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 — compared, not bound


class GrpcPlace:
    """Knows the port, once there is one."""

    def __init__(self, options: GrpcOptions) -> None:
        self.port = options.port
        self._host = options.host
        self._public_address = options.public_address

    def address_beside(self, url: str) -> str:
        """`host:port`, on the host that `url` names, "" while there is no port."""
        if self._public_address:
            return self._public_address
        return _join(urlsplit(url).hostname or "localhost", self.port) if self.port else ""

    @property
    def address(self) -> str:
        """`host:port` for whoever calls from this machine."""
        if self._public_address:
            return self._public_address
        return _join("localhost" if self._host in _EVERYWHERE else self._host, self.port)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
