"""What every call passes on its way to the engine, whatever binding carries it."""

from collections.abc import Container
from dataclasses import replace as change

from msgspec.structs import replace
from starlette.types import Receive, Scope

from dragoman.engine.extensions import Extensions
from dragoman.engine.handler import Call
from dragoman.engine.limits import Limits
from dragoman.model import (
    LATEST,
    FieldViolation,
    Generation,
    InvalidParamsError,
    InvalidRequestError,
    SendMessageRequest,
    SubscribeToTaskRequest,
    UnavailableError,
)
from dragoman.model.base import Record
from dragoman.security import ANONYMOUS, Authenticator, Principal, admit_everyone
from dragoman.server.asked import Asked, choose_tenant, find_tenants, list_extensions
from dragoman.server.body import BodyReader
from dragoman.server.failures import UnsupportedMediaTypeError
from dragoman.server.headers import RawHeaders, get_text, load_credentials
from dragoman.server.startup import Startup
from dragoman.wire.media import is_json
from dragoman.wire.parameters import ServiceParameters, load_parameters, negotiate

MAX_EXTENSIONS_CHARS = 8 * 1024
"""They are kept with the task, and not every server bounds the headers."""

_ANONYMOUS_CALL = Call()
_NOTHING = Asked()
_LATEST_ALONE = frozenset({LATEST})
_PLAIN = ServiceParameters("1.0")
_CURRENT = b"1.0"
_JSON = b"application/json"
_LAST_EVENT_ID = b"last-event-id"
_IDEMPOTENCY_KEY = b"idempotency-key"
_NO_TENANT = "is none of this agent's"


class Gate:
    """Admits callers, reads bodies and negotiates versions."""

    def __init__(
        self,
        *,
        startup: Startup,
        authenticator: Authenticator,
        limits: Limits,
        body_seconds: float,
        strict_versions: bool,
        generations: frozenset[Generation] = _LATEST_ALONE,
        extensions: Extensions | None = None,
        tenants: Container[str] | None = None,
    ) -> None:
        self._startup = startup
        self._authenticator = None if authenticator is admit_everyone else authenticator
        self._max_id_length = limits.max_id_length
        self._strict_versions = strict_versions
        self._supported = generations & _LATEST_ALONE
        self._plain = _PLAIN if self._supported else None
        self._extensions = extensions
        self._tenants = tenants
        self._bodies = BodyReader(max_bytes=limits.max_body_bytes, seconds=body_seconds)

    async def admit(self, scope: Scope, headers: RawHeaders) -> Principal:
        """Who calls. This comes before the body is read, so that a stranger costs nothing (AUT-04)."""
        if not self._startup.is_running:
            await self._startup.ensure()
        if self._authenticator is None:
            return ANONYMOUS
        return await self._authenticator(load_credentials(scope, headers))

    async def read_body(self, headers: RawHeaders, receive: Receive) -> bytes:
        """The body, which must be JSON if there is one.

        A body of another type or of none is refused: a page of any origin can send those without asking the browser's leave.
        """
        body = await self._bodies.read(headers, receive)
        if body and headers.get(b"content-type") != _JSON:
            _check_type(headers)
        if b"content-encoding" in headers:
            _check_encoding(headers)
        return body

    def negotiate(self, scope: Scope, headers: RawHeaders) -> Asked:
        """What the call asks for; VersionNotSupportedError if it wants a version that is not served."""
        parameters = _load_parameters(scope, headers)
        if parameters is not self._plain:
            negotiate(parameters.version, strict=self._strict_versions, supported=self._supported)
        return _load_asked(parameters, scope, headers)

    def find_version(self, scope: Scope, headers: RawHeaders) -> str:
        """The version that the call names, "" if it names none."""
        return _load_parameters(scope, headers).version

    def load_asked(self, scope: Scope, headers: RawHeaders) -> Asked:
        """What a call asks for whose version is known to be served."""
        return _load_asked(_load_parameters(scope, headers), scope, headers)

    def make_call(self, principal: Principal, headers: RawHeaders, asked: Asked, request: Record) -> Call:
        """What the engine learns about the call, with the one tenant that it names, and the extensions that are active for it."""
        if self._startup.is_draining:
            _check_not_new(request)
        tenant = choose_tenant(asked, request, principal, max_length=self._max_id_length)
        if tenant and self._tenants is not None and tenant not in self._tenants:
            raise InvalidParamsError(violations=[FieldViolation(field="tenant", description=_NO_TENANT)])
        if tenant != principal.tenant:
            principal = replace(principal, tenant=tenant)
        call = _ANONYMOUS_CALL if principal is ANONYMOUS else Call(principal)
        if _LAST_EVENT_ID in headers or _IDEMPOTENCY_KEY in headers:
            call = self._read_own_headers(principal, headers)
        if extensions := list_extensions(asked, request, call):
            call = change(call, extensions=extensions)
            return call if self._extensions is None else self._extensions.activate(call)
        return call

    def _read_own_headers(self, principal: Principal, headers: RawHeaders) -> Call:
        """The call with what the headers of our own extensions say."""
        key = get_text(headers, _IDEMPOTENCY_KEY)
        if len(key) > self._max_id_length:
            raise InvalidParamsError(f"an Idempotency-Key has at most {self._max_id_length} characters")
        return Call(principal, (), get_text(headers, _LAST_EVENT_ID)[: self._max_id_length], key)


def _load_parameters(scope: Scope, headers: RawHeaders) -> ServiceParameters:
    is_plain = headers.get(b"a2a-version") == _CURRENT and b"a2a-extensions" not in headers
    if is_plain and not scope["query_string"] and b"x-a2a-extensions" not in headers:
        return _PLAIN
    return load_parameters(headers.items(), scope["query_string"])


def _load_asked(parameters: ServiceParameters, scope: Scope, headers: RawHeaders) -> Asked:
    tenants = find_tenants(scope, headers)
    if not parameters.extensions and not tenants:
        return _NOTHING
    if sum(map(len, parameters.extensions)) > MAX_EXTENSIONS_CHARS:
        raise InvalidRequestError(f"the extensions have more than {MAX_EXTENSIONS_CHARS} characters")
    return Asked(parameters.extensions, tenants)


def _check_type(headers: RawHeaders) -> None:
    content_type = get_text(headers, b"content-type")
    if not is_json(content_type):
        named = f"{content_type[:60]!r} is not JSON" if content_type else "the body has no content type"
        raise UnsupportedMediaTypeError(f"{named}; send the header 'Content-Type: application/json'")


def _check_encoding(headers: RawHeaders) -> None:
    encoding = get_text(headers, b"content-encoding").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaTypeError(
            f"the content encoding {encoding[:60]!r} is not supported; send it as it is"
        )


def _check_not_new(request: Record) -> None:
    """What an agent that is about to stop does not begin: a task, or a stream that the server would wait for."""
    is_new = isinstance(request, SendMessageRequest) and not request.message.task_id
    if is_new or isinstance(request, SubscribeToTaskRequest):
        raise UnavailableError("the agent is about to stop; try again later")
