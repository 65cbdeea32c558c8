"""Defaults, codes and cards, where the generations mean different things by the same words."""

from typing import Any

import pytest

from dragoman.model import (
    GetTaskRequest,
    InvalidParamsError,
    ListTasksRequest,
    PermissionDeniedError,
    SubscribeToTaskRequest,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedOperationError,
    operations,
)
from dragoman.wire.dialects import PROTO, dialect_named, load_card, rest

CARD = {
    "name": "Old",
    "description": "d",
    "url": "http://old.example/",
    "version": "1",
    "capabilities": {},
    "defaultInputModes": ["text"],
    "defaultOutputModes": ["text"],
    "skills": [],
}


def send(name, configuration) -> Any:
    message = {"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "x"}]}
    params: dict[str, Any] = {"message": message, "id": "t"}
    return dialect_named(name).load_request(
        operations.SEND_MESSAGE, params | {"configuration": configuration}
    )


@pytest.mark.parametrize(
    "name, configuration, at_once",
    [
        ("0.3", {}, False),
        ("0.3", {"blocking": True}, False),
        ("0.3", {"blocking": False}, True),
        ("0.3", {"blocking": None}, False),
        (PROTO, {}, True),
        (PROTO, {"blocking": True}, False),
        (PROTO, {"blocking": False}, True),
        ("0.1", {}, False),
    ],
)
def test_whether_a_send_waits(name, configuration, at_once):
    assert send(name, configuration).configuration.return_immediately is at_once


def test_blocking_is_true_or_false():
    with pytest.raises(InvalidParamsError) as caught:
        send("0.3", {"blocking": "yes"})
    assert [one.field for one in caught.value.violations] == ["configuration.blocking"]


@pytest.mark.parametrize("name", ["0.3", "0.2", PROTO, "0.1"])
def test_a_history_of_0_sets_no_limit(name):
    request = dialect_named(name).load_request(operations.GET_TASK, {"id": "t", "historyLength": 0})
    assert request == GetTaskRequest(id="t")


@pytest.mark.parametrize("name", ["0.3", "0.2", PROTO, "0.1"])
def test_nothing_before_1_0_lists_tasks(name):
    with pytest.raises(UnsupportedOperationError, match="ListTasks"):
        dialect_named(name).dump_request(operations.LIST_TASKS, ListTasksRequest())


@pytest.mark.parametrize(
    "code, kind",
    [
        (-32001, TaskNotFoundError),
        (-32006, UnsupportedOperationError),
        (-32007, UnauthenticatedError),
        (-32008, PermissionDeniedError),
        (-32009, UnsupportedOperationError),
        (-32010, UnavailableError),
        (-32011, UnavailableError),
    ],
)
def test_codes_mean_what_0_1_meant_by_them(code, kind):
    error = dialect_named("0.1").load_error({"code": code, "message": "no"})
    assert (type(error), error.message) == (kind, "no")


@pytest.mark.parametrize(
    "missing, named",
    [
        ({"name": None}, "name"),
        ({"capabilities": None}, "capabilities"),
        ({"skills": [{"name": "S"}]}, "skills[0].id"),
        ({"skills": ["S"]}, "skills[0]"),
        ({"url": ""}, "url"),
        ({"url": 7}, "url"),
        ({"protocolVersion": "newest"}, "protocolVersion"),
        ({"preferredTransport": 1}, "preferredTransport"),
        ({"additionalInterfaces": [{"transport": "GRPC"}]}, "additionalInterfaces[0].url"),
        ({"securitySchemes": {"k": {"type": "magic"}}}, "securitySchemes.k.type"),
        ({"securitySchemes": {"k": {"type": "oauth2"}}}, "securitySchemes.k.flows"),
        ({"security": ["k"]}, "security"),
    ],
)
def test_a_broken_card_is_refused_by_the_member_that_is_wrong(missing, named):
    with pytest.raises(InvalidParamsError) as caught:
        load_card(CARD | missing)
    assert named in [one.field for one in caught.value.violations]


def test_flows_that_multiply_have_a_limit():
    flow = {"tokenUrl": "https://a/t", "authorizationUrl": "https://a/a", "scopes": {}}
    scheme = {"type": "oauth2", "flows": dict.fromkeys(["authorizationCode", "clientCredentials"], flow)}
    names = [f"s{index}" for index in range(30)]
    card = CARD | {
        "securitySchemes": dict.fromkeys(names, scheme),
        "security": [{name: [] for name in names}],
    }
    with pytest.raises(InvalidParamsError, match="alternatives"):
        load_card(card)


@pytest.mark.parametrize(
    "more, version",
    [
        ({"protocolVersion": "0.3.0"}, "0.3"),
        ({"protocolVersion": "0.2.6"}, "0.2"),
        ({}, "0.2"),
        ({"authentication": {"schemes": ["Bearer"]}}, "0.1"),
    ],
)
def test_the_generation_of_a_card(more, version):
    [interface] = load_card(CARD | more).supported_interfaces
    assert (interface.protocol_version, interface.protocol_binding) == (version, "JSONRPC")


def test_a_request_for_rest():
    request = rest.build_request(operations.GET_TASK, GetTaskRequest(id="a/b", history_length=2))
    assert tuple(request) == ("GET", "/v1/tasks/a%2Fb", "historyLength=2", None)
    route = rest.match("GET", request.path)
    assert route is not None
    assert rest.load_request(route, request.query, b"").request == GetTaskRequest(id="a/b", history_length=2)
    by_post = rest.build_request(operations.SUBSCRIBE_TO_TASK, SubscribeToTaskRequest(id="t"), verb="POST")
    assert tuple(by_post) == ("POST", "/v1/tasks/t:subscribe", "", b"{}")
    with pytest.raises(InvalidParamsError):
        rest.build_request(operations.CREATE_PUSH_CONFIG, TaskPushNotificationConfig(url="http://x"))
