"""The caller, as every operation and every query of the store knows it (invariant I11)."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from dragoman.model import JSON


class Principal(Struct, frozen=True, kw_only=True):
    """A caller. Two calls with the same `subject` and `tenant` see the same tasks; nobody else does.

    The anonymous caller has the empty subject: on an agent without authentication all callers are that one.
    """

    subject: str = ""
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    claims: dict[str, JSON] = {}

    @property
    def is_anonymous(self) -> bool:
        return not self.subject


ANONYMOUS = Principal()


class PeerCertificate(Struct, frozen=True, kw_only=True):
    """A client certificate that TLS has checked. `names` are the common name, then the alternative ones."""

    subject: str = ""
    names: tuple[str, ...] = ()
    pem: str = ""


class Credentials(Struct, frozen=True, kw_only=True):
    """What a request brought to prove who sends it: its headers, by lower-case name, and the peer's address.

    Over gRPC the headers are the call's metadata, and `certificate` is there if the server demands one.
    """

    headers: Mapping[str, str]
    peer: str = ""
    certificate: PeerCertificate | None = None


class Authenticator(Protocol):
    """Turns credentials into a principal.

    Raises UnauthenticatedError where they are missing or bad, PermissionDeniedError where they do not suffice. It sets `tenant` only
    for credentials that are a tenant's own: such a caller is refused in any other. Else the tenant is the one that the call names.
    """

    async def __call__(self, credentials: Credentials) -> Principal: ...


async def admit_everyone(credentials: Credentials) -> Principal:  # noqa: ARG001 -- it is an Authenticator
    """The authenticator of an agent that asks for none: every caller is the anonymous one."""
    return ANONYMOUS
