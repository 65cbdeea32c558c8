"""Requests of the HTTP+JSON binding, read and written (SPEC 3.5, RST-01 to RST-08, D-30)."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from dragoman.model import JSON, FieldViolation, InvalidParamsError, Operation, Record
from dragoman.wire.codec import convert, decode, decode_json, encode
from dragoman.wire.depth import check_depth
from dragoman.wire.narrowing import is_object
from dragoman.wire.parameters import MAX_QUERY_MEMBERS
from dragoman.wire.routes import RouteMatch, match, verbs_for
from dragoman.wire.schema import FLAG, Enumeration, Items, Member, Shape, fields_of

__all__ = ["RestRequest", "RouteMatch", "build_request", "load_request", "match", "verbs_for"]

R = TypeVar("R", bound=Record)

_TENANT = "tenant"
_SHOWN = 60
_FLAGS = {"true": True, "false": False}


class RestRequest(NamedTuple):
    """What to send. `path` is relative to the interface's URL; `path` and `query` are percent-encoded."""

    verb: str
    path: str
    query: str = ""
    body: bytes | None = None


def load_request(route: RouteMatch, query: bytes | str, body: bytes) -> Record:
    """The request that a path, a query and a body make together.

    Raises ParseError for a body that is not JSON, and InvalidParamsError for members that are missing, wrong, or
    given in two places with different values.
    """
    pairs = _parse_query(query)
    tenants = [("query", value) for name, value in pairs if name == _TENANT and value]
    request = _load_body(route, body) if route.verb == "POST" else _load_query(route, pairs)
    if in_path := route.members.get(_TENANT, ""):
        tenants.insert(0, ("path", in_path))
    return _with_tenant(request, tenants)


def _parse_query(query: bytes | str) -> list[tuple[str, str]]:
    if not query:
        return []
    try:
        text = query.decode() if isinstance(query, bytes) else query
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_MEMBERS)
    except ValueError:
        problem = f"the query must be UTF-8 with at most {MAX_QUERY_MEMBERS} members"
        raise InvalidParamsError(problem) from None


def _load_body(route: RouteMatch, body: bytes) -> Record:
    kind = route.operation.request
    if route.members.keys() <= {_TENANT} and body:
        request = decode(kind, body)
    else:
        value: JSON = decode_json(body) if body.strip() else {}
        request = convert(kind, _merge(kind, value, route.members))
    check_depth(body)
    return request


def _load_query(route: RouteMatch, pairs: list[tuple[str, str]]) -> Record:
    kind = route.operation.request
    return convert(kind, _merge(kind, _read_pairs(kind, pairs), route.members))


def _merge(kind: type[Record], value: JSON, members: dict[str, str]) -> JSON:
    if not is_object(value):
        return value
    merged: dict[str, JSON] = dict(value)
    fields = fields_of(kind)
    for proto_name, text in members.items():
        name = fields.by_name[proto_name].name
        if proto_name != _TENANT:
            given = [merged.pop(spelling, None) for spelling in {name, proto_name}]
            _check_same(name, text, given)
            merged[name] = text
    return merged


def _check_same(name: str, text: str, given: Iterable[JSON]) -> None:
    if any(value not in (None, "", text) for value in given):
        raise _violate(name, "differs from the one in the path")


def _violate(name: str, description: str) -> InvalidParamsError:
    return InvalidParamsError(violations=[FieldViolation(field=name, description=description)])


def _with_tenant(request: R, tenants: list[tuple[str, str]]) -> R:
    if not tenants:
        return request
    own = str(getattr(request, _TENANT))
    named = [*tenants, ("body", own)] if own else tenants
    place, tenant = named[0]
    for other_place, other in named[1:]:
        if other != tenant:
            words = f"is {tenant[:_SHOWN]!r} in the {place} and {other[:_SHOWN]!r} in the {other_place}"
            raise _violate(_TENANT, words)
    return request if own else msgspec.structs.replace(request, tenant=tenant)


def _read_pairs(kind: type[Record], pairs: list[tuple[str, str]]) -> dict[str, JSON]:
    """The query as JSON. Unknown members are ignored, among them the service parameters (D-13)."""
    fields = fields_of(kind)
    grouped: dict[str, list[str]] = {}
    for name, text in pairs:
        member = fields.by_name.get(name)
        if member is not None and member.name != _TENANT:
            grouped.setdefault(member.name, []).append(text)
    return {name: _read_texts(name, fields.by_name[name].shape, texts) for name, texts in grouped.items()}


def _read_texts(name: str, shape: Shape, texts: list[str]) -> JSON:
    if isinstance(shape, Items):
        return [_read_text(shape.item, entry) for text in texts for entry in text.split(",")]
    if len(set(texts)) > 1:
        raise _violate(name, "is given several times, with different values")
    return _read_text(shape, texts[0])


def _read_text(shape: Shape, text: str) -> JSON:
    if shape is FLAG:
        return _FLAGS.get(text, text)
    if isinstance(shape, Enumeration) and text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    return text


def build_request(operation: Operation, request: Record, *, verb: str = "") -> RestRequest:
    """The request that asks for `operation`, by its preferred verb or by another one of its own (D-01).

    The tenant becomes the first segment of the path, and stays in the body too where there is one (D-30).
    InvalidParamsError if an id that belongs in the path is empty.
    """
    chosen = verb or operation.verbs[0]
    tenant = quote(str(getattr(request, _TENANT)), safe="")
    path = (f"/{tenant}" if tenant else "") + _fill_path(operation, request)
    if chosen == "POST":
        return RestRequest(chosen, path, body=encode(request))
    return RestRequest(chosen, path, query=_dump_query(operation, request))


@cache
def _members_in_path(operation: Operation) -> tuple[Member, ...]:
    members = fields_of(operation.request).members
    return tuple(member for member in members if f"{{{member.proto_name}}}" in operation.path)


def _fill_path(operation: Operation, request: Record) -> str:
    values: dict[str, str] = {}
    for member in _members_in_path(operation):
        text = str(getattr(request, member.proto_name))
        if not text:
            raise _violate(member.name, "is required and missing")
        values[member.proto_name] = quote(text, safe="")
    return operation.path.format_map(values)


def _dump_query(operation: Operation, request: Record) -> str:
    members: dict[str, JSON] = decode_json(encode(request))
    elsewhere = {_TENANT, *(member.name for member in _members_in_path(operation))}
    pairs = [(name, value) for name, value in members.items() if name not in elsewhere]
    return urlencode([(name, _dump_text(value)) for name, value in pairs], doseq=True, quote_via=quote)


def _dump_text(value: JSON) -> JSON:
    return str(value).lower() if isinstance(value, bool) else value
