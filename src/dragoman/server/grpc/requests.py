"""What a gRPC call brings beside its message, in the words that the gate knows from HTTP (GRP-02, GRP-03, GRP-05)."""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dragoman.security import PeerCertificate
from dragoman.server.headers import RawHeaders
from dragoman.server.tls import CLIENT_CERTIFICATE

if TYPE_CHECKING:
    import grpc.aio


def read_metadata(context: "grpc.aio.ServicerContext[bytes, bytes]") -> RawHeaders:
    """The metadata as headers; several entries of one key are joined, as lines of one header are."""
    headers: RawHeaders = {}
    for key, value in context.invocation_metadata() or ():
        name = key.lower().encode("latin-1", "replace")
        data = value if isinstance(value, bytes) else value.encode("latin-1", "replace")
        headers[name] = headers[name] + b", " + data if name in headers else data
    return headers


def make_scope(context: "grpc.aio.ServicerContext[bytes, bytes]") -> dict[str, Any]:
    """Who calls from where, like the scope of an HTTP request; gRPC has no path and no query."""
    return {
        "type": "grpc",
        "query_string": b"",
        "client": _read_peer(context.peer()),
        CLIENT_CERTIFICATE: _read_certificate(context.auth_context()),
    }


def _read_peer(peer: str) -> tuple[str, int] | None:
    """From `ipv4:127.0.0.1:4711` or `ipv6:%5B::1%5D:4711`."""
    kind, _, address = unquote(peer).partition(":")
    host, _, port = address.rpartition(":")
    if kind not in ("ipv4", "ipv6") or not port.isdecimal():
        return None
    return host.strip("[]"), int(port)


def _read_certificate(found: Any) -> PeerCertificate | None:
    def read(name: str) -> tuple[str, ...]:
        return tuple(value.decode("utf-8", "replace") for value in found.get(name, ()))

    pem = "".join(read("x509_pem_cert"))
    if not pem:
        return None
    common = read("x509_common_name")
    subject = "".join(read("x509_subject")) or "".join(f"CN={name}" for name in common)
    return PeerCertificate(subject=subject, names=(*common, *read("x509_subject_alternative_name")), pem=pem)
