"""SendStreamingMessage and SubscribeToTask (SPEC 2.2, 2.6)."""

import asyncio
import re

import pytest

from dragoman.client.http import HttpRequest
from tests.interaction.agents import Parrot
from tests.interaction.requirements import requirement
from tests.interaction.wires import (
    BASE,
    BINDINGS,
    VERSION,
    Events,
    RestWire,
    Stream,
    kinds,
    over_http,
    send_params,
    state_of,
)


def strip(events):
    """The events without what differs from task to task."""
    return [{name: {**event[name], "taskId": "", "contextId": ""} for name in event} for event in events]


@requirement("STR-01", "STR-02", "STR-04", "STR-05", "STR-06", "STR-07", "STR-10", "STR-11", "STR-17")
async def test_a_stream_of_a_task_starts_with_it_and_ends_with_its_terminal_state(wire):
    events = await wire.stream("", "chunks")
    first, *updates = events
    assert kinds(events)[0] == "task"
    assert set(kinds(updates)) == {"statusUpdate", "artifactUpdate"}
    assert state_of(events[-1]) == "COMPLETED"
    assert [state_of(event) for event in updates].count("COMPLETED") == 1
    pieces = [event["artifactUpdate"] for event in updates if "artifactUpdate" in event]
    assert "".join(part["text"] for piece in pieces for part in piece["artifact"]["parts"]) == "one two three"
    assert [piece.get("append", False) for piece in pieces] == [False, *[True] * (len(pieces) - 1)]
    assert [piece.get("lastChunk", False) for piece in pieces] == [*[False] * (len(pieces) - 1), True]
    ids = {(event[kind]["taskId"], event[kind]["contextId"]) for event in updates for kind in event}
    assert ids == {(first["task"]["id"], first["task"]["contextId"])}


@requirement("STR-02", "STR-03", "STR-07")
async def test_a_stream_of_a_message_holds_nothing_else(wire):
    events = await wire.stream("hello", "reply")
    assert kinds(events) == ["message"]


@over_http
@requirement("STR-01", "RPC-01")
async def test_a_stream_is_server_sent_events_of_one_data_line_each(wire):
    async with wire.open("SendStreamingMessage", send_params("hello")) as stream:
        await stream.rest()
    assert stream.events.headers["content-type"] == "text/event-stream"
    blocks = stream.events.raw.split(b"\n\n")
    assert blocks.pop() == b""
    assert all(re.fullmatch(rb"id: \d+-[0-9a-f]{8}(-\d+)?\ndata: {[^\n]*", block) for block in blocks)


@over_http
async def test_a_stream_has_no_sign_that_some_readers_take_for_a_line_end(wire):
    text = "a\u0085b\u2028c\u2029d"
    async with wire.open("SendStreamingMessage", send_params(text)) as stream:
        events = await stream.rest()
    assert stream.events.raw.decode().splitlines() == stream.events.raw.decode().split("\n")[:-1]
    (piece,) = [event["artifactUpdate"]["artifact"] for event in events if "artifactUpdate" in event]
    assert piece["parts"] == [{"text": text}]


async def test_a_subscription_may_be_asked_for_by_get(parrot):
    """The sources disagree on the verb (D-01)."""
    await parrot.start()
    wire = RestWire(parrot)
    task = (await wire.send("door", "hold", returnImmediately=True)).task
    await parrot.gates.reached("door")
    stream = await wire.http.open(HttpRequest("GET", f"{BASE}/tasks/{task['id']}:subscribe", VERSION))
    events = Stream(wire, Events(stream))
    assert (await events.next())["task"]["id"] == task["id"]
    parrot.gates.open("door")
    assert state_of((await events.rest())[-1]) == "COMPLETED"
    await parrot.stop()


@requirement("STR-08")
async def test_what_a_skill_says_arrives_while_it_still_works(wire, parrot):
    async with wire.open("SendStreamingMessage", send_params("door", "drip")) as stream:
        while "artifactUpdate" not in (event := await stream.next()):
            pass
        assert event["artifactUpdate"]["artifact"]["parts"] == [{"text": "drip "}]
        parrot.gates.open("door")
        await stream.rest()


@requirement("STR-09", "CAP-01", "CAP-03", "SUB-03")
@pytest.mark.parametrize(
    "operation, params", [("SendStreamingMessage", send_params()), ("SubscribeToTask", {"id": "any"})]
)
async def test_an_agent_that_does_not_stream_refuses_streams(connect, operation, params):
    wire = await connect(Parrot(streaming=False))
    answer = await wire.call(operation, params)
    assert answer.error.reason == "UNSUPPORTED_OPERATION"
    assert wire.is_plain(answer)


@requirement("STR-10", "STR-11", "STR-12", "STR-13", "STR-14")
async def test_every_reader_of_a_task_sees_the_same_events_in_the_same_order(wire, parrot):
    task = (await wire.send("door", "hold", returnImmediately=True)).task
    await parrot.gates.reached("door")
    async with wire.subscribed(task["id"]) as one, wire.subscribed(task["id"]) as two:
        assert await one.next() == await two.next()
        parrot.gates.open("door")
        events = await one.rest()
        assert await two.rest() == events
    assert kinds(events) == ["artifactUpdate", "statusUpdate"]


@requirement("STR-15", "STR-16")
async def test_a_reader_that_leaves_disturbs_neither_the_others_nor_the_task(wire, parrot):
    async with wire.open("SendStreamingMessage", send_params("door", "hold")) as first:
        task_id = (await first.next())["task"]["id"]
    await parrot.gates.reached("door")
    async with wire.subscribed(task_id) as stays:
        await stays.next()
        async with wire.subscribed(task_id) as leaves:
            await leaves.next()
        parrot.gates.open("door")
        assert state_of((await stays.rest())[-1]) == "COMPLETED"


@requirement("STR-19", "SND-08")
async def test_a_stream_ends_where_the_agent_asks_back_and_the_answer_opens_the_next(wire):
    events = await wire.stream("", "ask")
    assert state_of(events[-1]) == "INPUT_REQUIRED"
    task_id = events[0]["task"]["id"]
    async with wire.open("SendStreamingMessage", send_params("red", task_id=task_id)) as stream:
        answered = await stream.rest()
    assert answered[0]["task"]["id"] == task_id
    assert state_of(answered[-1]) == "COMPLETED"


@requirement("ITA-01", "ITA-02", "ITA-03", "ITA-05", "ITA-07")
async def test_a_stream_stays_open_while_the_agent_waits_for_credentials(wire):
    async with wire.open("SendStreamingMessage", send_params("", "authorise")) as stream:
        task_id = (await stream.next())["task"]["id"]
        while state_of(event := await stream.next()) != "AUTH_REQUIRED":
            pass
        assert event["statusUpdate"]["status"]["message"]["parts"] == [{"text": "sign in at the desk"}]
        answered = (await wire.send("the key", task_id=task_id)).task
        assert state_of((await stream.rest())[-1]) == "COMPLETED"
    assert answered["artifacts"][0]["parts"] == [{"text": "thank you for the key"}]


@requirement("SUB-01", "SUB-02", "MSG-03")
async def test_a_subscription_starts_with_the_task_as_it_is_and_ends_with_it(wire, parrot):
    task = (await wire.send("door", "drip", returnImmediately=True)).task
    await parrot.gates.reached("door")
    async with wire.subscribed(task["id"]) as stream:
        snapshot = (await stream.next())["task"]
        parrot.gates.open("door")
        rest = await stream.rest()
    assert snapshot["artifacts"][0]["parts"] == [{"text": "drip "}]
    pieces = [event["artifactUpdate"]["artifact"] for event in rest if "artifactUpdate" in event]
    assert "".join(part["text"] for piece in pieces for part in piece["parts"]) == "drop"
    assert state_of(rest[-1]) == "COMPLETED"


@requirement("SUB-03")
async def test_a_finished_task_has_nothing_to_subscribe_to(wire):
    task = (await wire.send()).task
    answer = await wire.call("SubscribeToTask", {"id": task["id"]})
    assert answer.error.reason == "UNSUPPORTED_OPERATION"
    assert (await wire.call("SubscribeToTask", {"id": "nobody"})).error.reason == "TASK_NOT_FOUND"


@requirement("STR-14")
async def test_twenty_readers_of_a_task_that_streams_see_one_stream(wire, parrot):
    task = (await wire.send("door", "drip", returnImmediately=True)).task
    await parrot.gates.reached("door")

    async def read(ready: asyncio.Semaphore):
        async with wire.subscribed(task["id"]) as stream:
            await stream.next()
            ready.release()
            return await stream.rest()

    ready = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(read(ready)) for _ in range(20)]
        for _ in readers:
            await ready.acquire()
        parrot.gates.open("door")
    first, *others = [reader.result() for reader in readers]
    assert first
    assert all(other == first for other in others)


@requirement("BND-02", "JSN-01")
async def test_both_bindings_stream_the_same_events(connect, parrot, binding):
    wire = await connect(parrot)
    other = next(kind for name, kind in BINDINGS.items() if name != binding)(parrot)
    ours, theirs = await wire.stream("", "chunks"), await other.stream("", "chunks")
    assert kinds(ours) == kinds(theirs)
    artifacts = [[event for event in events if "artifactUpdate" in event] for events in (ours, theirs)]
    assert strip(artifacts[0]) == strip(artifacts[1])
