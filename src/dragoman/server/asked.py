"""What a call asks for beside its request: extensions, and the tenant where the transport names one."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.types import Scope

from dragoman.engine.handler import Call
from dragoman.model import FieldViolation, InvalidParamsError, SendMessageRequest
from dragoman.model.base import Record
from dragoman.model.extensions import IDEMPOTENCY_KEY, STREAM_RESUMPTION
from dragoman.security import Principal
from dragoman.server.headers import RawHeaders, get_text
from dragoman.wire.parameters import EXTENSIONS_HEADER, MAX_QUERY_MEMBERS

TENANT_HEADER = b"a2a-tenant"
TENANT_IN_PATH = "dragoman.tenant"
"""Where the scope says which tenant's prefix the path had."""

_MAX_SHOWN_CHARS = 60


class Asked(NamedTuple):
    """`extensions` in the order of the header; `tenants` by where each was named."""

    extensions: tuple[str, ...] = ()
    tenants: tuple[tuple[str, str], ...] = ()


def find_tenants(scope: Scope, headers: RawHeaders) -> tuple[tuple[str, str], ...]:
    """The tenants that the transport names: by the prefix of the path, the query, or the header `A2A-Tenant`."""
    if not (TENANT_IN_PATH in scope or scope["query_string"] or TENANT_HEADER in headers):
        return ()
    found = [("path", scope.get(TENANT_IN_PATH, ""))]
    if query := scope["query_string"]:
        found += [("query", tenant) for tenant in _read_query(query)]
    if TENANT_HEADER in headers:
        found += [("header", tenant.strip()) for tenant in get_text(headers, TENANT_HEADER).split(",")]
    return tuple((place, tenant) for place, tenant in found if tenant)


def choose_tenant(asked: Asked, request: Record, principal: Principal, *, max_length: int) -> str:
    """The one tenant that a call is for, wherever it is named (SPEC 4.7, D-30).

    InvalidParamsError that names both if two places disagree. A caller whose credentials are a tenant's own is in that one.
    """
    own = str(getattr(request, "tenant", ""))
    if not (own or asked.tenants or principal.tenant):
        return ""
    named = [*asked.tenants, ("request", own), ("caller's credentials", principal.tenant)]
    chosen = ("", "")
    for place, tenant in named:
        if not tenant:
            continue
        if len(tenant) > max_length:
            raise _refuse(f"must have at most {max_length} characters")
        if chosen[1] not in ("", tenant):
            raise _refuse(f"is {_quote(chosen[1])} in the {chosen[0]} and {_quote(tenant)} in the {place}")
        chosen = chosen if chosen[1] else (place, tenant)
    return chosen[1]


def list_extensions(asked: Asked, request: Record, call: Call) -> tuple[str, ...]:
    """The extensions that a call asks for: by the header, by using them in its message, or by the headers that are theirs."""
    listed = asked.extensions
    if isinstance(request, SendMessageRequest):
        listed += request.message.extensions
    if call.last_event_id:
        listed += (STREAM_RESUMPTION,)
    if call.idempotency_key:
        listed += (IDEMPOTENCY_KEY,)
    return listed


@lru_cache(maxsize=256)
def make_echo(
    extensions: tuple[str, ...], header: str = EXTENSIONS_HEADER
) -> tuple[tuple[bytes, bytes], ...]:
    """The header that tells a caller which extensions are active (XTN-06)."""
    shown = [uri for uri in extensions if uri.isascii() and uri.isprintable()]
    return ((header.lower().encode(), ", ".join(shown).encode()),) if shown else ()


def _read_query(query: bytes) -> list[str]:
    if b"tenant" not in query.lower():
        return []
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MAX_QUERY_MEMBERS)
    except ValueError:
        return []
    return [value for name, value in pairs if name == "tenant"]


def _quote(tenant: str) -> str:
    return repr(tenant[:_MAX_SHOWN_CHARS])


def _refuse(problem: str) -> InvalidParamsError:
    return InvalidParamsError(violations=[FieldViolation(field="tenant", description=problem)])
