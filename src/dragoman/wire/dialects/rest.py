"""The REST binding of 0.3: paths below `/v1`, and bodies in two styles (SPEC 7.2, 7.5)."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from dragoman.model import JSON, InvalidParamsError, Operation, Record, operations
from dragoman.wire.codec import decode_json, encode
from dragoman.wire.depth import check_depth
from dragoman.wire.dialects import PLAIN_PROTO, PROTO, Dialect, dialect_named
from dragoman.wire.dialects.members import pick, refuse, require_object, to_json
from dragoman.wire.dialects.packing import came_plain
from dragoman.wire.narrowing import is_object
from dragoman.wire.parameters import MAX_QUERY_MEMBERS
from dragoman.wire.rest import RestRequest

PREFIX = "/v1/"

_TASK, _CONFIG = "id", "pushNotificationConfigId"
_PUSH = ("tasks", _TASK, "pushNotificationConfigs")


class OldRoute(NamedTuple):
    """An operation of 0.3, and what the path says of its request."""

    operation: Operation
    verb: str
    members: Mapping[str, str]


class OldCall(NamedTuple):
    """A request, and the dialect that its answer should have."""

    request: Record
    dialect: Dialect


_LITERALS: Mapping[tuple[str, str], Operation] = {
    ("POST", "message:send"): operations.SEND_MESSAGE,
    ("POST", "message:stream"): operations.SEND_STREAMING_MESSAGE,
    ("GET", "card"): operations.GET_EXTENDED_CARD,
}
_ON_TASK: Mapping[tuple[str, str], Operation] = {
    ("GET", ""): operations.GET_TASK,
    ("POST", "cancel"): operations.CANCEL_TASK,
    ("GET", "subscribe"): operations.SUBSCRIBE_TO_TASK,
    ("POST", "subscribe"): operations.SUBSCRIBE_TO_TASK,
}
_ON_CONFIGS: Mapping[str, Operation] = {
    "POST": operations.CREATE_PUSH_CONFIG,
    "GET": operations.LIST_PUSH_CONFIGS,
}
_ON_CONFIG: Mapping[str, Operation] = {
    "GET": operations.GET_PUSH_CONFIG,
    "DELETE": operations.DELETE_PUSH_CONFIG,
}
_VERBS = ("GET", "POST", "DELETE")


def match(verb: str, path: str) -> OldRoute | None:
    """The operation that `verb` and `path` mean in 0.3, or None; the path is still percent-encoded."""
    if not path.startswith(PREFIX):
        return None
    rest = path[len(PREFIX) :]
    if operation := _LITERALS.get((verb, rest)):
        return OldRoute(operation, verb, {})
    match rest.split("/", 4):
        case ["tasks", task]:
            return _match_task(verb, task)
        case ["tasks", task, "pushNotificationConfigs"]:
            return _route(_ON_CONFIGS.get(verb), verb, {_TASK: task})
        case ["tasks", task, "pushNotificationConfigs", config]:
            return _route(_ON_CONFIG.get(verb), verb, {_TASK: task, _CONFIG: config})
        case _:
            return None


def _match_task(verb: str, segment: str) -> OldRoute | None:
    task, colon, action = segment.rpartition(":")
    if colon and (operation := _ON_TASK.get((verb, action))):
        return _route(operation, verb, {_TASK: task})
    return _route(_ON_TASK.get((verb, "")), verb, {_TASK: segment})


def _route(operation: Operation | None, verb: str, members: Mapping[str, str]) -> OldRoute | None:
    if operation is None:
        return None
    try:
        decoded = {name: unquote(text, errors="strict") for name, text in members.items()}
    except UnicodeDecodeError:
        return None
    return OldRoute(operation, verb, decoded) if all(decoded.values()) else None


def verbs_for(path: str) -> tuple[str, ...]:
    """The verbs that `path` answers to in 0.3; empty if it leads nowhere."""
    return tuple(verb for verb in _VERBS if match(verb, path))


def load_request(route: OldRoute, query: bytes | str, body: bytes) -> OldCall:
    """The request that a path, a query and a body make together, and the dialect to answer it in.

    A body with `kind`, `parts` and lower-case roles is answered like that, every other call as `a2a.v1` prints it, with bytes as they
    came. Raises ParseError for a body that is not JSON, and InvalidParamsError for what does not fit.
    """
    params = _read_body(route, body) if body.strip() else {}
    check_depth(body)
    dialect = _choose_dialect(params)
    if route.verb == "GET":
        params = _read_query(query)
    for name, text in route.members.items():
        if route.operation is operations.CREATE_PUSH_CONFIG:
            name = "taskId"  # noqa: PLW2901 -- `id` is the configuration's own there
        _set_same(params, name, text)
    return OldCall(dialect.load_request(route.operation, params), dialect)


def _read_body(route: OldRoute, body: bytes) -> dict[str, JSON]:
    params = require_object(decode_json(body), "body")
    if route.operation is not operations.CREATE_PUSH_CONFIG:
        return params
    return _flatten(params)


def _flatten(params: dict[str, JSON]) -> dict[str, JSON]:
    """The configuration in any of the shapes in which it comes: bare, in an envelope, or in the request of the rpc."""
    config = require_object(pick(params, "config") or params, "config")
    inner = require_object(pick(config, "pushNotificationConfig") or config, "pushNotificationConfig")
    named = pick(params, "configId")
    return {"pushNotificationConfig": inner | ({"id": named} if named else {})}


def _read_query(query: bytes | str) -> dict[str, JSON]:
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    try:
        pairs = parse_qsl(text, errors="strict", max_num_fields=MAX_QUERY_MEMBERS)
    except ValueError:
        raise InvalidParamsError(
            f"the query must be UTF-8 with at most {MAX_QUERY_MEMBERS} members"
        ) from None
    return {name: value for name, value in pairs if name in {"historyLength", "history_length"}}


def _set_same(params: dict[str, JSON], name: str, text: str) -> None:
    if params.get(name, text) != text:
        refuse(name, "differs from the one in the path")
    params[name] = text


def _choose_dialect(params: Mapping[str, JSON]) -> Dialect:
    if _has_kinds(params):
        return dialect_named("0.3")
    return dialect_named(PLAIN_PROTO if came_plain(params) else PROTO)


def _has_kinds(params: Mapping[str, JSON]) -> bool:
    """Whether the message has the shape of 0.3 over JSON-RPC."""
    message = pick(params, "message")
    if not is_object(message) or "content" in message:
        return False
    return "kind" in message or "parts" in message or message.get("role") in ("user", "agent")


def build_request(operation: Operation, request: Record, *, verb: str = "") -> RestRequest:
    """The request that asks for `operation` in 0.3, in the style of `a2a.v1`; `verb` for one that has two (D-01).

    InvalidParamsError if an id that belongs in the path is empty, UnsupportedOperationError if 0.3 has no such operation.
    """
    dialect = dialect_named(PROTO)
    dialect.method_of(operation)
    value = to_json(request)
    path = _fill_path(operation, value)
    verbs = _verbs_of(operation)
    chosen = verb if verb in verbs else verbs[0]
    if chosen == "POST" and operation is not operations.SUBSCRIBE_TO_TASK:
        return RestRequest(chosen, path, body=encode(dialect.dump_request(operation, request)))
    if chosen == "POST":
        return RestRequest(chosen, path, body=b"{}")
    length = value.get("historyLength")
    return RestRequest(chosen, path, query="" if length is None else f"historyLength={length}")


_PATHS: Mapping[str, tuple[tuple[str, ...], str]] = {
    operations.SEND_MESSAGE.name: (("POST",), "message:send"),
    operations.SEND_STREAMING_MESSAGE.name: (("POST",), "message:stream"),
    operations.GET_TASK.name: (("GET",), "tasks/{id}"),
    operations.CANCEL_TASK.name: (("POST",), "tasks/{id}:cancel"),
    operations.SUBSCRIBE_TO_TASK.name: (("GET", "POST"), "tasks/{id}:subscribe"),
    operations.CREATE_PUSH_CONFIG.name: (("POST",), "tasks/{taskId}/pushNotificationConfigs"),
    operations.GET_PUSH_CONFIG.name: (("GET",), "tasks/{taskId}/pushNotificationConfigs/{id}"),
    operations.LIST_PUSH_CONFIGS.name: (("GET",), "tasks/{taskId}/pushNotificationConfigs"),
    operations.DELETE_PUSH_CONFIG.name: (("DELETE",), "tasks/{taskId}/pushNotificationConfigs/{id}"),
    operations.GET_EXTENDED_CARD.name: (("GET",), "card"),
}


def _verbs_of(operation: Operation) -> tuple[str, ...]:
    return _PATHS[operation.name][0]


def _fill_path(operation: Operation, value: Mapping[str, JSON]) -> str:
    template = PREFIX + _PATHS[operation.name][1]
    members = {name: value.get(name) or "" for name in ("id", "taskId") if f"{{{name}}}" in template}
    for name, text in members.items():
        if not text:
            refuse(name, "is required and missing")
    return template.format_map({name: quote(str(text), safe="") for name, text in members.items()})
