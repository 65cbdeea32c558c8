"""SendMessage (SPEC 2.1)."""

import asyncio

import pytest

from tests.interaction.requirements import requirement
from tests.interaction.wires import kinds, send_params, state_of


@requirement("SND-01", "SND-08", "SND-09", "CTX-12", "CTX-13", "MSG-01", "MSG-02")
async def test_a_blocking_send_answers_with_the_finished_task_and_its_artifacts(wire):
    task = (await wire.send("hello")).task
    other = (await wire.send("hello")).task
    assert state_of(task) == "COMPLETED"
    assert [artifact["parts"] for artifact in task["artifacts"]] == [[{"text": "hello"}]]
    assert "message" not in task["status"]
    assert task["id"] != other["id"]


@requirement("SND-02", "SND-12", "CTX-25")
@pytest.mark.parametrize("immediately", [False, True])
async def test_a_skill_may_answer_with_a_message_and_no_task(wire, immediately):
    answer = await wire.send("hello", "reply", returnImmediately=immediately)
    message = answer.result["message"]
    assert message["parts"] == [{"text": "hello"}]
    assert message["role"] == "ROLE_AGENT"
    assert message["contextId"]
    assert message["messageId"]
    assert "taskId" not in message
    assert (await wire.call("ListTasks")).result["tasks"] == []


@requirement("SND-03", "SND-04", "SND-10")
async def test_an_immediate_send_answers_while_the_skill_still_works(wire, parrot):
    task = (await wire.send("door", "hold", returnImmediately=True)).task
    assert state_of(task) in {"SUBMITTED", "WORKING"}
    async with wire.subscribed(task["id"]) as stream:
        await stream.next()
        parrot.gates.open("door")
        assert state_of((await stream.rest())[-1]) == "COMPLETED"


@requirement("SND-08")
async def test_a_blocking_send_ends_where_the_agent_asks_back(wire):
    task = (await wire.send("", "ask")).task
    assert state_of(task) == "INPUT_REQUIRED"
    assert task["status"]["message"]["parts"] == [{"text": "which one?"}]


@requirement("SND-08", "SND-09")
async def test_a_blocking_send_waits_as_long_as_the_skill_works(wire, parrot):
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(wire.send("door", "hold"))
        await parrot.gates.reached("door")
        assert not sending.done()
        parrot.gates.open("door")
    assert sending.result().task["artifacts"][0]["parts"] == [{"text": "held"}]


@requirement("SND-12")
async def test_return_immediately_does_not_shorten_a_stream(wire):
    events = await wire.stream("", "chunks", returnImmediately=True)
    assert state_of(events[-1]) == "COMPLETED"


@requirement("SND-05", "SEC-12")
async def test_a_media_type_that_the_skill_does_not_take_is_refused(wire):
    answer = await wire.send([{"raw": "iVBORw==", "mediaType": "image/png"}], "letters")
    assert answer.error.reason == "CONTENT_TYPE_NOT_SUPPORTED"
    assert answer.error.fields == ["message.parts[0]"]


@requirement("SND-06", "CTX-26")
async def test_a_finished_task_takes_no_message_and_stays_as_it_is(wire):
    task = (await wire.send("hello")).task
    answer = await wire.send("more", task_id=task["id"])
    assert answer.error.reason == "UNSUPPORTED_OPERATION"
    assert (await wire.call("GetTask", {"id": task["id"]})).task == task
    follow_up = (await wire.send("more", context_id=task["contextId"])).task
    assert follow_up["contextId"] == task["contextId"]
    assert follow_up["id"] != task["id"]


@requirement("SND-07", "CTX-15", "CTX-16")
@pytest.mark.parametrize("operation", ["SendMessage", "SendStreamingMessage"])
async def test_a_message_to_an_unknown_task_is_not_found_and_creates_none(wire, operation):
    answer = await wire.call(operation, send_params("hello", task_id="my-own-id"))
    assert answer.error.reason == "TASK_NOT_FOUND"
    assert (await wire.call("GetTask", {"id": "my-own-id"})).error.reason == "TASK_NOT_FOUND"


@requirement("SND-16")
async def test_a_message_to_a_working_task_reaches_the_run_that_works_on_it(wire, parrot):
    task = (await wire.send("Ada", "chat", returnImmediately=True)).task
    await parrot.gates.reached("Ada")
    async with wire.open("SendStreamingMessage", send_params("good morning", task_id=task["id"])) as stream:
        assert (await stream.next())["task"]["id"] == task["id"]
        parrot.gates.open("Ada")
        assert state_of((await stream.rest())[-1]) == "COMPLETED"
    done = (await wire.call("GetTask", {"id": task["id"]})).task
    assert done["artifacts"][0]["parts"] == [{"text": "Ada, good morning"}]


@requirement("STR-01", "STR-04")
async def test_a_skill_without_a_result_completes_without_an_artifact(wire):
    events = await wire.stream("", "nothing")
    assert set(kinds(events)) == {"task", "statusUpdate"}
    assert state_of(events[-1]) == "COMPLETED"


async def test_a_skill_that_fails_with_words_fails_its_task_with_them(wire):
    status = (await wire.send("", "fail")).task["status"]
    assert status["state"] == "TASK_STATE_FAILED"
    assert status["message"]["parts"] == [{"text": "no seats"}, {"data": {"row": 7}}]


@requirement("ERR-16", "SEC-17")
async def test_a_skill_that_crashes_tells_its_caller_a_reference_and_the_log_the_rest(wire, caplog):
    task = (await wire.send("", "crash")).task
    words = task["status"]["message"]["parts"][0]["text"]
    assert state_of(task) == "FAILED"
    assert "hunter2" not in str(task)
    reference = words.partition("(ref ")[2].rstrip(")")
    assert any(reference in record.getMessage() and record.exc_info for record in caplog.records)
