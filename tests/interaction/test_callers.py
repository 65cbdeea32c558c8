"""Who calls, and what is theirs (SPEC 6.13, 6.19, invariant I11)."""

import pytest

from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.requirements import requirement
from tests.interaction.wires import REST_PATHS, send_params, state_of

ALICE = {"authorization": "Bearer alice"}
BOB = {"authorization": "Bearer bob"}
GUEST = {"authorization": "Bearer guest"}
NOWHERE = "http://127.0.0.1:9/hook"


@pytest.fixture
def parrot():
    return Parrot(authenticator=admit_by_name)


def every_operation(task_id="t1"):
    config = {"taskId": task_id, "url": NOWHERE}
    params = {
        "SendMessage": send_params("x", "listen"),
        "SendStreamingMessage": send_params("x", "listen"),
        "ListTasks": {},
        "GetExtendedAgentCard": {},
        "CreateTaskPushNotificationConfig": config,
        "GetTaskPushNotificationConfig": {"taskId": task_id, "id": "c1"},
        "ListTaskPushNotificationConfigs": {"taskId": task_id},
        "DeleteTaskPushNotificationConfig": {"taskId": task_id, "id": "c1"},
    }
    return {operation: params.get(operation, {"id": task_id}) for operation in REST_PATHS}


@requirement(
    "ERR-03", "ERR-04", "ERR-05", "AUT-04", "AUT-05", "AUT-06", "BND-04", "ENT-02", "ENT-03", "IAN-05"
)
@requirement("SEC-02")
async def test_a_stranger_is_challenged_at_every_operation_and_reaches_no_skill(wire, parrot):
    for operation, params in every_operation().items():
        for headers in ({}, {"authorization": "Bearer mallory"}, {"authorization": "Basic YWxpY2U6"}):
            answer = await wire.call(operation, params, **headers)
            assert (answer.status, answer.error.reason) == (401, "UNAUTHENTICATED"), operation
            assert answer.headers["www-authenticate"] == 'Bearer realm="parrot"'
    assert parrot.heard == []


@requirement("ERR-06", "ERR-07", "ENT-02", "ENT-03", "AUT-05", "SEC-02")
async def test_a_caller_without_the_right_is_told_what_is_missing_and_reaches_no_skill(wire, parrot):
    for operation, params in every_operation().items():
        answer = await wire.call(operation, params, **GUEST)
        assert (answer.status, answer.error.reason) == (403, "PERMISSION_DENIED"), operation
        assert answer.error.message == "the scope 'talk' is missing"
    assert parrot.heard == []


@requirement("SEC-04", "AUT-04")
async def test_a_known_caller_is_served_and_the_skill_knows_who_it_is(wire):
    answer = await wire.call("SendMessage", send_params(), **ALICE)
    assert state_of(answer.task) == "COMPLETED"


@requirement("ERR-08", "ERR-12", "ERR-13", "IAN-06", "SEC-01", "SEC-05", "SEC-06")
async def test_another_s_task_looks_exactly_like_one_that_does_not_exist(wire):
    task = (await wire.call("SendMessage", send_params("", "ask"), **ALICE)).task
    config = {"taskId": task["id"], "url": NOWHERE, "id": "c1"}
    assert (await wire.call("CreateTaskPushNotificationConfig", config, **ALICE)).is_result
    theirs, nobodys = every_operation(task["id"]), every_operation("nobody")
    for operations, task_id in ((theirs, task["id"]), (nobodys, "nobody")):
        operations["SendMessage"] = send_params("x", task_id=task_id)
        operations["SendStreamingMessage"] = send_params("x", task_id=task_id)
    for operation in set(theirs) - {"ListTasks", "GetExtendedAgentCard"}:
        foreign = await wire.call(operation, theirs[operation], **BOB)
        missing = await wire.call(operation, nobodys[operation], **BOB)
        assert foreign.error.reason == "TASK_NOT_FOUND", operation
        assert foreign.body == missing.body, operation
    assert (await wire.call("GetTask", {"id": task["id"]}, **ALICE)).task == task


@requirement("LST-06", "LST-10", "SEC-03", "SEC-05")
async def test_a_list_holds_the_caller_s_own_tasks_with_and_without_a_filter(wire):
    mine = (await wire.call("SendMessage", send_params("x", context_id="shared"), **ALICE)).task
    await wire.call("SendMessage", send_params("x", context_id="shared"), **BOB)
    for query in ({}, {"contextId": "shared"}, {"status": "TASK_STATE_COMPLETED"}):
        page = (await wire.call("ListTasks", query, **ALICE)).result
        assert [task["id"] for task in page["tasks"]] == [mine["id"]]
        assert page["totalSize"] == 1


@requirement("SEC-01")
async def test_callers_who_name_the_same_context_do_not_share_its_memory(wire):
    for headers in (ALICE, BOB):
        task = (
            await wire.call("SendMessage", send_params("x", "remember", context_id="shared"), **headers)
        ).task
        assert task["artifacts"][0]["parts"] == [{"data": ["x"]}]


@requirement("SEC-01", "SEC-03")
async def test_a_tenant_s_tasks_are_not_another_s(wire):
    task = (await wire.call("SendMessage", {**send_params(), "tenant": "acme"}, **ALICE)).task
    assert (await wire.call("GetTask", {"id": task["id"], "tenant": "acme"}, **ALICE)).task == task
    for tenant in ({}, {"tenant": "other"}):
        answer = await wire.call("GetTask", {"id": task["id"], **tenant}, **ALICE)
        assert answer.error.reason == "TASK_NOT_FOUND"


@requirement("SEC-13", "SEC-17")
async def test_credentials_are_neither_logged_nor_echoed(wire, caplog):
    caplog.set_level("DEBUG")
    authentication = {"scheme": "Bearer", "credentials": "hook-s3cret"}
    push = {"url": NOWHERE, "token": "hook-t0ken", "authentication": authentication}
    params = send_params("", "crash", taskPushNotificationConfig=push)
    bodies = [
        (await wire.call("SendMessage", params, **ALICE)).body,
        (await wire.call("GetTask", {"id": "nobody"}, **ALICE)).body,
        (await wire.call("GetTask", {"id": "nobody"}, authorization="Bearer m4llory")).body,
    ]
    told = caplog.text.encode() + b"".join(bodies)
    assert [
        secret for secret in (b"alice", b"m4llory", b"hook-s3cret", b"hook-t0ken") if secret in told
    ] == []
