"""Every operation reaches its method of the engine, by either binding."""

import json

import pytest

from dragoman.model import OPERATIONS
from dragoman.server.dispatch import bind_operations
from tests.unit.server.asgi import ask, call
from tests.unit.server.fakes import CONFIG, MESSAGE, TASK, FakeEngine

RPC = {
    "SendMessage": ({"message": MESSAGE}, "send"),
    "SendStreamingMessage": ({"message": MESSAGE}, "stream"),
    "GetTask": ({"id": "t1"}, "get_task"),
    "ListTasks": ({}, "list_tasks"),
    "CancelTask": ({"id": "t1"}, "cancel_task"),
    "SubscribeToTask": ({"id": "t1"}, "subscribe"),
    "CreateTaskPushNotificationConfig": ({"taskId": "t1", "url": CONFIG.url}, "create_push_config"),
    "GetTaskPushNotificationConfig": ({"taskId": "t1", "id": "p1"}, "get_push_config"),
    "ListTaskPushNotificationConfigs": ({"taskId": "t1"}, "list_push_configs"),
    "DeleteTaskPushNotificationConfig": ({"taskId": "t1", "id": "p1"}, "delete_push_config"),
    "GetExtendedAgentCard": (None, "get_extended_card"),
}

SEND = json.dumps({"message": MESSAGE}).encode()

REST = [
    ("POST", "/message:send", SEND, "send"),
    ("POST", "/message:stream", SEND, "stream"),
    ("GET", "/tasks/t1", b"", "get_task"),
    ("GET", "/tasks", b"", "list_tasks"),
    ("POST", "/tasks/t1:cancel", b"", "cancel_task"),
    ("POST", "/tasks/t1:subscribe", b"", "subscribe"),
    ("GET", "/tasks/t1:subscribe", b"", "subscribe"),
    (
        "POST",
        "/tasks/t1/pushNotificationConfigs",
        b'{"url":"https://example.com/hook"}',
        "create_push_config",
    ),
    ("GET", "/tasks/t1/pushNotificationConfigs/p1", b"", "get_push_config"),
    ("GET", "/tasks/t1/pushNotificationConfigs", b"", "list_push_configs"),
    ("DELETE", "/tasks/t1/pushNotificationConfigs/p1", b"", "delete_push_config"),
    ("GET", "/extendedAgentCard", b"", "get_extended_card"),
]


def test_every_operation_is_bound(engine):
    assert list(bind_operations(engine)) == [operation.name for operation in OPERATIONS]


@pytest.mark.parametrize("method", RPC)
async def test_a_jsonrpc_method_reaches_the_engine(app, engine, method):
    params, expected = RPC[method]
    answer = await call(app, method, params)
    assert answer.status == 200
    assert [name for name, _, _ in engine.calls] == [expected]
    assert all("error" not in event for event in answer.events() or [answer.json()])


@pytest.mark.parametrize("row", REST, ids=lambda row: f"{row[0]} {row[1]}")
async def test_a_rest_path_reaches_the_engine(app, engine, row):
    verb, path, body, expected = row
    answer = await ask(app, verb, path, body)
    assert answer.status == 200
    assert [name for name, _, _ in engine.calls] == [expected]


@pytest.mark.parametrize("prefix", ["", "/acme"])
async def test_the_tenant_of_a_path_becomes_that_of_the_caller(app, engine, prefix):
    await ask(app, "GET", f"{prefix}/tasks/t1")
    [(_, made, request)] = engine.calls
    assert made.principal.tenant == request.tenant == prefix.removeprefix("/")


async def test_the_tenant_of_params_becomes_that_of_the_caller(app, engine):
    await call(app, "GetTask", {"id": "t1", "tenant": "acme"})
    assert engine.calls[0][1].principal.tenant == "acme"


async def test_a_tenant_is_bounded(app):
    answer = await call(app, "GetTask", {"id": "t1", "tenant": "x" * 257})
    [_, bad_request] = answer.json()["error"]["data"]
    assert bad_request["fieldViolations"][0]["field"] == "tenant"


async def test_results_have_the_shape_of_the_binding(app):
    task = {"id": "t1", "contextId": "c1", "status": {"state": "TASK_STATE_COMPLETED"}}
    over_rpc = await call(app, "GetTask", {"id": TASK.id})
    over_rest = await ask(app, "GET", "/tasks/t1")
    assert over_rpc.json() == {"jsonrpc": "2.0", "id": 7, "result": task}
    assert over_rpc.headers["content-type"] == "application/json"
    assert over_rest.json() == task
    assert over_rest.headers["content-type"] == "application/a2a+json"


async def test_an_id_may_contain_an_encoded_slash(app, engine):
    await ask(app, "GET", "/tasks/a%2Fb%3Acancel")
    assert engine.calls[0][2].id == "a/b:cancel"


async def test_a_double_slash_before_the_path_is_forgiven(app):
    assert (await ask(app, "GET", "//tasks/t1")).status == 200


async def test_the_extended_card_says_where_the_agent_is(app):
    card = (await ask(app, "GET", "/extendedAgentCard")).json()
    interfaces = card["supportedInterfaces"]
    assert [entry["protocolBinding"] for entry in interfaces] == ["JSONRPC", "HTTP+JSON"] * 2


async def test_extensions_of_several_lines_reach_the_engine(app, engine):
    headers = [("a2a-version", "1.0"), ("a2a-extensions", "urn:a, urn:b"), ("A2A-Extensions", "urn:c")]
    await ask(app, "GET", "/tasks/t1", headers=headers)
    assert engine.calls[0][1].extensions == ("urn:a", "urn:b", "urn:c")


def test_nothing_else_is_in_the_table():
    assert set(RPC) == set(bind_operations(FakeEngine()))
