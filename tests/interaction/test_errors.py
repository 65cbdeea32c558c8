"""Errors: what they carry, and what each is called in each binding (SPEC 3.2)."""

import grpc
import pytest

from dragoman import Limits
from dragoman.model import AgentExtension, UnavailableError
from dragoman.model.errors import ERROR_TABLE
from tests.interaction.agents import Parrot
from tests.interaction.requirements import requirement
from tests.interaction.wires import ERROR_INFO, over_http, send_params

# What SPEC §3.2 says, written down once more: reason, JSON-RPC code, HTTP status, gRPC status.
TABLE = [
    ("TASK_NOT_FOUND", -32001, 404, "NOT_FOUND"),
    ("TASK_NOT_CANCELABLE", -32002, 400, "FAILED_PRECONDITION"),
    ("PUSH_NOTIFICATION_NOT_SUPPORTED", -32003, 400, "FAILED_PRECONDITION"),
    ("UNSUPPORTED_OPERATION", -32004, 400, "FAILED_PRECONDITION"),
    ("CONTENT_TYPE_NOT_SUPPORTED", -32005, 400, "INVALID_ARGUMENT"),
    ("INVALID_AGENT_RESPONSE", -32006, 500, "INTERNAL"),
    ("EXTENDED_AGENT_CARD_NOT_CONFIGURED", -32007, 400, "FAILED_PRECONDITION"),
    ("EXTENSION_SUPPORT_REQUIRED", -32008, 400, "FAILED_PRECONDITION"),
    ("VERSION_NOT_SUPPORTED", -32009, 400, "FAILED_PRECONDITION"),
    ("INVALID_REQUEST", -32600, 400, "INVALID_ARGUMENT"),
    ("INVALID_PARAMS", -32602, 400, "INVALID_ARGUMENT"),
    ("INTERNAL_ERROR", -32603, 500, "INTERNAL"),
]


def refusing(error):
    """An agent whose authenticator raises `error`: the shortest way to any answer."""

    async def refuse(credentials):
        raise error

    return Parrot(authenticator=refuse)


@requirement(
    "ERR-01", "ERR-17", "ERR-18", "ERR-19", "ERR-20", "ERR-21", "BND-03", "RPC-05", "RPC-06", "RPC-07"
)
@requirement("RST-09", "RST-10")
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
async def test_every_error_has_its_name_in_each_binding(connect, binding, row):
    reason, code, http_status, grpc_status = row
    kind = next(entry.error for entry in ERROR_TABLE if entry.reason == reason)
    wire = await connect(refusing(kind("what went wrong", metadata={"taskId": "t1"})))
    answer = await wire.call("GetTask", {"id": "t1"})
    error = answer.error
    assert error.message == "what went wrong"
    assert error.info == {
        "@type": ERROR_INFO,
        "reason": reason,
        "domain": "a2a-protocol.org",
        "metadata": {"taskId": "t1"},
    }
    assert all("@type" in detail for detail in error.details)
    if binding == "jsonrpc":
        assert (answer.status, error.code) == (200, code)
    elif binding == "grpc":
        assert (error.code, error.status) == (grpc.StatusCode[grpc_status].value[0], grpc_status)
    else:
        assert (answer.status, error.code, error.status) == (http_status, http_status, grpc_status)


@requirement(
    "ERR-02", "ERR-09", "ERR-10", "ERR-11", "ERR-19", "JSN-10", "RPC-07", "RST-11", "SEC-10", "IAN-02"
)
@pytest.mark.parametrize(
    "operation, params, field",
    [
        ("SendMessage", {"message": {"role": "ROLE_USER", "parts": [{"text": "x"}]}}, "message.messageId"),
        ("SendMessage", {"message": {"messageId": "m", "role": 7, "parts": [{"text": "x"}]}}, "message.role"),
        ("SendMessage", {"message": {"messageId": "m", "role": "ROLE_USER", "parts": []}}, "message.parts"),
        ("SendMessage", {}, "message"),
        ("GetTask", {"id": "t1", "historyLength": -1}, "historyLength"),
        ("ListTasks", {"pageSize": 500}, "pageSize"),
        ("ListTasks", {"status": 77}, "status"),
    ],
)
async def test_a_request_that_does_not_validate_is_told_which_member_and_why(wire, operation, params, field):
    error = (await wire.call(operation, params)).error
    assert error.reason == "INVALID_PARAMS"
    assert error.fields == [field]
    assert all(violation["description"] for violation in error.details[1]["fieldViolations"])


@over_http
@requirement("ERR-10", "ERR-11")
@pytest.mark.parametrize(
    "operation, params, field",
    [
        ("ListTasks", {"status": "TASK_STATE_ASLEEP"}, "status"),
        ("ListTasks", {"statusTimestampAfter": "yesterday"}, "statusTimestampAfter"),
    ],
)
async def test_a_name_or_time_that_only_json_can_write_wrong_is_told(wire, operation, params, field):
    error = (await wire.call(operation, params)).error
    assert (error.reason, error.fields) == ("INVALID_PARAMS", [field])


@requirement("ERR-09")
async def test_a_request_that_is_refused_leaves_no_task_behind(wire):
    await wire.send([], "echo")
    await wire.send("x", "juggle")
    assert (await wire.call("ListTasks")).result["totalSize"] == 0


@requirement("ERR-11")
async def test_a_skill_that_does_not_exist_is_answered_with_those_that_do(wire):
    error = (await wire.send("x", "juggle")).error
    assert error.reason == "INVALID_PARAMS"
    assert "echo: Say it again." in error.message
    assert error.fields == ["metadata.skill"]


@requirement("ERR-14", "ERR-15", "RPC-08", "RST-12")
async def test_what_will_pass_is_told_from_what_will_not(connect):
    wire = await connect(refusing(UnavailableError()))
    answer = await wire.call("GetTask", {"id": "t1"})
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.error.reason == "UNAVAILABLE"
    assert answer.error.details[1] == {
        "@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": "1s",
    }


@requirement("ERR-14", "SEC-11")
async def test_an_agent_that_is_full_says_so_and_goes_on(connect):
    wire = await connect(agent := Parrot(limits=Limits(max_runs=1, max_waiting_runs=1)))
    await wire.send("door", "hold", returnImmediately=True)
    await agent.gates.reached("door")
    waiting = (await wire.send("waits", returnImmediately=True)).task
    answer = await wire.send("one too many", returnImmediately=True)
    assert (answer.status, answer.error.reason) == (503, "UNAVAILABLE")
    async with wire.subscribed(waiting["id"]) as stream:
        agent.gates.open("door")
        await stream.rest()
    assert stream.seen[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


@requirement("ERR-16", "ERR-17")
async def test_an_unforeseen_error_is_told_by_reference_and_logged_in_full(connect, caplog):
    wire = await connect(refusing(RuntimeError("the password is hunter2")))
    answer = await wire.call("GetTask", {"id": "t1"})
    assert answer.error.reason == "INTERNAL_ERROR"
    assert b"hunter2" not in answer.body
    reference = answer.error.info["metadata"]["ref"]
    assert any(reference in record.getMessage() for record in caplog.records)


@requirement("SEC-11")
async def test_a_body_over_the_limit_is_refused(connect):
    wire = await connect(Parrot(limits=Limits(max_body_bytes=1000)))
    answer = await wire.send("x" * 1000)
    assert answer.status == 413
    assert "1000" in answer.error.message
    assert (await wire.send("x")).is_result


@requirement("ERR-01")
async def test_an_error_before_the_first_event_is_no_stream(wire):
    answer = await wire.call("SendStreamingMessage", send_params("x", task_id="nobody"))
    assert wire.is_plain(answer)
    assert answer.error.reason == "TASK_NOT_FOUND"


@requirement("CAP-06", "XTN-04")
@pytest.mark.parametrize("operation", ["SendMessage", "SendStreamingMessage", "GetTask", "ListTasks"])
async def test_an_extension_that_the_agent_requires_has_to_be_asked_for(connect, operation):
    uri = "https://example.com/extensions/receipts/v1"
    wire = await connect(Parrot(extensions=[AgentExtension(uri=uri, required=True)]))
    params = {"id": "t1"} if operation == "GetTask" else send_params("hello") if "Send" in operation else {}
    refused = await wire.call(operation, params)
    assert refused.error.reason == "EXTENSION_SUPPORT_REQUIRED"
    assert uri in refused.error.message
    answer = await wire.call("SendMessage", send_params("hello"), a2a_extensions=uri)
    assert answer.task["status"]["state"] == "TASK_STATE_COMPLETED"
