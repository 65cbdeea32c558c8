"""GetTask, ListTasks and CancelTask (SPEC 2.3 to 2.5)."""

import asyncio

import pytest

from tests.interaction.requirements import requirement
from tests.interaction.wires import state_of


async def converse(wire):
    """A task with three messages in its history: the question, the answer and what the agent said between."""
    task = (await wire.send("", "ask")).task
    return (await wire.send("red", task_id=task["id"])).task


@requirement("TSK-01", "IDM-01")
async def test_a_task_can_be_read_as_often_as_one_likes(wire):
    task = (await wire.send()).task
    reads = [(await wire.call("GetTask", {"id": task["id"]})).result for _ in range(3)]
    assert reads == [task] * 3
    assert (await wire.call("GetTask", {"id": "nobody"})).error.reason == "TASK_NOT_FOUND"


@requirement("PAR-01", "PAR-02", "PAR-04", "MSG-04")
async def test_history_is_as_long_as_asked_for_and_ends_with_the_latest(wire):
    task = await converse(wire)
    whole = task["history"]
    assert [message["parts"][0]["text"] for message in whole] == ["", "which one?", "red"]

    async def read(length):
        return (await wire.call("GetTask", {"id": task["id"], "historyLength": length})).task

    assert "history" not in await read(0)
    assert (await read(1))["history"] == whole[-1:]
    assert (await read(100))["history"] == whole


@requirement("PAR-01", "PAR-02")
async def test_history_length_trims_the_answer_of_a_send(wire):
    task = (await wire.send("", "ask", historyLength=0)).task
    assert "history" not in task
    page = (await wire.call("ListTasks", {"historyLength": 0})).result
    assert all("history" not in task for task in page["tasks"])


@requirement("LST-01", "LST-02", "JSN-13")
async def test_a_list_has_artifacts_only_where_they_are_asked_for(wire):
    echoed = (await wire.send("hello")).task
    empty = (await wire.send("", "nothing")).task
    plain = (await wire.call("ListTasks")).result["tasks"]
    unasked = (await wire.call("ListTasks", {"includeArtifacts": False})).result["tasks"]
    full = (await wire.call("ListTasks", {"includeArtifacts": True})).result["tasks"]
    assert all("artifacts" not in task for task in plain + unasked)
    assert {task["id"]: task.get("artifacts", []) for task in full} == {
        echoed["id"]: echoed["artifacts"],
        empty["id"]: [],
    }


@requirement("LST-03", "LST-04", "LST-07", "LST-08", "LST-09")
async def test_pages_follow_a_cursor_from_the_newest_to_the_oldest(wire):
    made = [(await wire.send(str(number))).task["id"] for number in range(5)]
    seen, token, sizes = [], "", []
    while True:
        page = (await wire.call("ListTasks", {"pageSize": 2, "pageToken": token})).result
        seen += page["tasks"]
        sizes.append((len(page["tasks"]), page["pageSize"], page["totalSize"]))
        token = page["nextPageToken"]
        if token == "":
            break
    stamps = [task["status"]["timestamp"] for task in seen]
    assert sorted(task["id"] for task in seen) == sorted(made)
    assert stamps == sorted(stamps, reverse=True)
    assert sizes == [(2, 2, 5), (2, 2, 5), (1, 2, 5)]


@requirement("LST-07")
async def test_tasks_that_are_made_while_paging_hide_and_repeat_none(wire):
    made = {(await wire.send(str(number))).task["id"] for number in range(4)}
    seen, token = [], ""
    while True:
        page = (await wire.call("ListTasks", {"pageSize": 1, "pageToken": token})).result
        seen += [task["id"] for task in page["tasks"]]
        token = page["nextPageToken"]
        if token == "":
            break
        await wire.send("one more")
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


@requirement("LST-11")
async def test_a_page_has_fifty_tasks_unless_it_is_asked_for_one_to_a_hundred(wire):
    assert (await wire.call("ListTasks")).result["pageSize"] == 50
    for size in (1, 100):
        assert (await wire.call("ListTasks", {"pageSize": size})).result["pageSize"] == size
    for size in (0, 101, -1):
        answer = await wire.call("ListTasks", {"pageSize": size})
        assert answer.error.reason == "INVALID_PARAMS"
        assert answer.error.fields == ["pageSize"]


@requirement("LST-12")
async def test_the_time_filter_keeps_what_happened_at_that_time_or_later(wire):
    tasks = [(await wire.send(str(number))).task for number in range(3)]
    stamp = tasks[1]["status"]["timestamp"]
    found = (await wire.call("ListTasks", {"statusTimestampAfter": stamp})).result["tasks"]
    assert {task["id"] for task in tasks if task["status"]["timestamp"] >= stamp} == {
        task["id"] for task in found
    }


async def test_a_list_can_be_narrowed_to_a_context_and_a_state(wire):
    done = (await wire.send("hello")).task
    asking = (await wire.send("", "ask", context_id=done["contextId"])).task
    await wire.send("elsewhere")
    query = {"contextId": done["contextId"]}
    both = (await wire.call("ListTasks", query)).result
    waiting = (await wire.call("ListTasks", {**query, "status": "TASK_STATE_INPUT_REQUIRED"})).result
    assert {task["id"] for task in both["tasks"]} == {done["id"], asking["id"]}
    assert both["totalSize"] == 2
    assert [task["id"] for task in waiting["tasks"]] == [asking["id"]]


@requirement("LST-07", "ERR-10")
@pytest.mark.parametrize("token", ["nonsense", "e30=", "a" * 5000])
async def test_a_cursor_that_the_agent_did_not_make_is_refused(wire, token):
    answer = await wire.call("ListTasks", {"pageToken": token})
    assert answer.error.reason == "INVALID_PARAMS"
    assert answer.error.fields == ["pageToken"]


@requirement("CAN-01")
async def test_cancel_stops_the_skill_and_answers_with_the_canceled_task(wire, parrot):
    task = (await wire.send("door", "hold", returnImmediately=True)).task
    await parrot.gates.reached("door")
    async with wire.subscribed(task["id"]) as stream:
        await stream.next()
        canceled = (await wire.call("CancelTask", {"id": task["id"]})).result
        assert state_of((await stream.rest())[-1]) == "CANCELED"
    assert canceled["id"] == task["id"]
    assert state_of(canceled) == "CANCELED"
    assert parrot.canceled == ["door"]


@requirement("CAN-01")
async def test_a_task_that_waits_for_its_caller_can_be_canceled(wire):
    task = (await wire.send("", "ask")).task
    assert state_of((await wire.call("CancelTask", {"id": task["id"]})).result) == "CANCELED"


@requirement("CAN-02", "CAN-03")
async def test_what_has_ended_cannot_be_canceled_again(wire):
    done = (await wire.send()).task
    canceled = (await wire.send("", "ask")).task
    await wire.call("CancelTask", {"id": canceled["id"]})
    for task in (done, canceled):
        before = (await wire.call("GetTask", {"id": task["id"]})).result
        assert (await wire.call("CancelTask", {"id": task["id"]})).error.reason == "TASK_NOT_CANCELABLE"
        assert (await wire.call("GetTask", {"id": task["id"]})).result == before
    assert (await wire.call("CancelTask", {"id": "nobody"})).error.reason == "TASK_NOT_FOUND"


@requirement("CAN-03")
async def test_cancels_at_the_same_time_have_one_effect(wire, parrot):
    task = (await wire.send("door", "hold", returnImmediately=True)).task
    await parrot.gates.reached("door")
    async with wire.subscribed(task["id"]) as stream, asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(wire.call("CancelTask", {"id": task["id"]}))
        events = await stream.rest()
    assert [state_of(event) for event in events].count("CANCELED") == 1
    assert parrot.canceled == ["door"]
