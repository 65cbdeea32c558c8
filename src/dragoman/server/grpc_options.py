"""What an operator may set about the gRPC side of an agent, with its defaults."""

from dataclasses import dataclass
from datetime import timedelta

DEFAULT_PORT = 50051


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcOptions:
    """Where and how one agent listens for gRPC. What it takes on at all stands in `dragoman.engine.limits.Limits`."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0 takes any that is free."""
    public_address: str = ""
    """`host:port` as callers reach it, if that is another: the card names it."""
    certificate: str = ""
    """A PEM file with the server's certificate and what leads to its root. Without it there is no TLS."""
    key: str = ""
    """A PEM file with the key of the certificate."""
    client_ca: str = ""
    """A PEM file with the roots of client certificates: a client must have one, and the authenticator sees it."""
    shares_port: bool = False
    """Whether other processes of this machine may listen at the same port, each taking some of the connections."""
    keepalive: timedelta = timedelta(seconds=30)
    """A connection that was silent for this long is asked for a sign of life, and given up if there is none."""
    write_timeout: timedelta = timedelta(minutes=2)
    """How long a reader of a stream may take nothing before its stream is given up."""
    reflection: bool = True
    """Whether the server describes its services to tools such as grpcurl."""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("TLS needs both, a certificate and its key")
        if self.client_ca and not self.certificate:
            raise ValueError("client certificates need TLS: give a certificate and its key as well")
