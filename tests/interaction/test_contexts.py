"""Contexts, ids and conversations (SPEC 2.1, 6.7)."""

from tests.interaction.requirements import requirement
from tests.interaction.wires import Json, send_params, state_of


@requirement("CTX-01", "CTX-02", "CTX-12")
async def test_a_message_without_ids_starts_a_context_of_its_own(wire):
    one, two = (await wire.send()).task, (await wire.send()).task
    assert one["contextId"] != two["contextId"]
    assert one["id"] != two["id"]


@requirement("CTX-03", "CTX-08", "CTX-17", "CTX-19")
async def test_a_context_that_the_caller_names_is_kept_and_shared_by_its_tasks(wire):
    one = (await wire.send("hello", context_id="trip-to-rome")).task
    two = (await wire.send("hello", context_id="trip-to-rome")).task
    assert one["contextId"] == two["contextId"] == "trip-to-rome"
    assert one["id"] != two["id"]


@requirement("CTX-04", "CTX-05", "ERR-10")
async def test_a_context_that_is_not_taken_is_refused_and_not_replaced(wire):
    answer = await wire.send("hello", context_id="x" * 5000)
    assert answer.error.reason == "INVALID_PARAMS"
    assert answer.error.fields == ["message.contextId"]


@requirement("CTX-08", "CTX-09")
async def test_an_agent_remembers_within_a_context_and_not_beyond(wire):
    first = (await wire.send("one", "remember")).task
    second = (await wire.send("two", "remember", context_id=first["contextId"])).task
    other = (await wire.send("three", "remember")).task
    said = [task["artifacts"][0]["parts"][0]["data"] for task in (first, second, other)]
    assert said == [["one"], ["one", "two"], ["three"]]


@requirement("CTX-18", "CTX-20")
async def test_a_task_id_alone_continues_its_task_in_its_context(wire):
    asked = (await wire.send("", "ask")).task
    answered = (await wire.send("red", task_id=asked["id"])).task
    assert (answered["id"], answered["contextId"]) == (asked["id"], asked["contextId"])
    assert state_of(answered) == "COMPLETED"
    assert {message["contextId"] for message in answered["history"]} == {asked["contextId"]}


@requirement("CTX-18", "CTX-21", "ERR-10")
async def test_a_task_and_a_context_must_belong_together(wire):
    asked = (await wire.send("", "ask")).task
    stranger = await wire.send("red", task_id=asked["id"], context_id="elsewhere")
    assert stranger.error.reason == "INVALID_PARAMS"
    assert stranger.error.fields == ["message.contextId"]
    together = await wire.send("red", task_id=asked["id"], context_id=asked["contextId"])
    assert state_of(together.task) == "COMPLETED"


@requirement("CTX-25", "STR-02")
async def test_what_the_agent_says_names_its_context_and_its_task(wire):
    events = await wire.stream("", "ask")
    told = [event["statusUpdate"]["status"] for event in events if "statusUpdate" in event]
    message = told[-1]["message"]
    task = events[0]["task"]
    assert (message["contextId"], message["taskId"]) == (task["contextId"], task["id"])
    assert message["role"] == "ROLE_AGENT"


@requirement("CTX-22", "PAR-08", "JSN-12")
async def test_a_skill_sees_the_whole_message(wire, parrot):
    earlier = (await wire.send()).task
    metadata: Json = {"größe": [1, 2.5, None, True, {"deep": {}}], "": "empty"}
    params = send_params(
        "hello",
        "listen",
        message={"referenceTaskIds": [earlier["id"]], "metadata": metadata, "extensions": ["urn:x"]},
    )
    await wire.call("SendMessage", params)
    message = parrot.heard[0]
    assert message.reference_task_ids == (earlier["id"],)
    assert message.metadata == metadata
    assert message.extensions == ("urn:x",)


@requirement("CTX-27")
async def test_the_results_of_a_skill_keep_their_name_from_task_to_task(wire):
    first = (await wire.send("draft")).task
    refined = (await wire.send("better", context_id=first["contextId"])).task
    assert first["artifacts"][0]["name"] == refined["artifacts"][0]["name"]


@requirement("JSN-14", "CTX-12")
async def test_artifact_ids_are_unique_within_a_task(wire):
    task = (await wire.send([{"data": [1]}, {"text": "x"}], "mirror")).task
    ids = [artifact["artifactId"] for artifact in task["artifacts"]]
    assert len(ids) == len(set(ids))
