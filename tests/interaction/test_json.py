"""The data model on the wire (SPEC 1.1, 5.5 to 5.7 of the specification)."""

import base64
import re
from typing import Any

import pytest

from tests.interaction.requirements import requirement
from tests.interaction.wires import BINDINGS, over_http, send_params, state_of
from tests.peer.receiver import Receiver

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def walk(value: Any):
    """Every member of every object, as name and value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from walk(member)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


async def everything(wire):
    """Answers that between them have every record in them."""
    return [
        (await wire.send()).result,
        (await wire.send("", "ask")).result,
        (await wire.send("hello", "reply")).result,
        await wire.stream("", "chunks"),
        (await wire.call("ListTasks", {"includeArtifacts": True})).result,
    ]


@requirement("JSN-02", "MIG-03", "RST-05")
async def test_members_are_in_camel_case_and_none_is_called_kind(wire):
    names = {name for name, _ in walk(await everything(wire))}
    assert names
    assert "kind" not in names
    assert "final" not in names
    assert [name for name in names if "_" in name or not name[0].islower()] == []


@requirement("JSN-03")
async def test_enums_are_printed_by_their_names(wire):
    members = list(walk(await everything(wire)))
    states = {value for name, value in members if name == "state"}
    roles = {value for name, value in members if name == "role"}
    assert all(state.startswith("TASK_STATE_") for state in states)
    assert roles == {"ROLE_USER", "ROLE_AGENT"}


@requirement("JSN-04", "JSN-05", "JSN-06", "JSN-08")
async def test_timestamps_are_utc_with_milliseconds(wire):
    stamps = [value for name, value in walk(await everything(wire)) if name == "timestamp"]
    assert stamps
    assert all(STAMP.fullmatch(stamp) for stamp in stamps)


@requirement("JSN-06", "JSN-07")
@pytest.mark.parametrize(
    "stamp", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.123456789Z"]
)
async def test_timestamps_are_read_with_any_fraction(wire, stamp):
    task = (await wire.send()).task
    page = (await wire.call("ListTasks", {"statusTimestampAfter": stamp})).result
    assert [found["id"] for found in page["tasks"]] == [task["id"]]


@requirement("JSN-09", "JSN-13", "LST-03")
async def test_required_members_are_printed_even_when_they_are_empty(wire):
    assert (await wire.call("ListTasks")).result == {
        "tasks": [],
        "nextPageToken": "",
        "pageSize": 50,
        "totalSize": 0,
    }


@requirement("JSN-10", "JSN-11", "JSN-14")
@pytest.mark.parametrize(
    "parts, field",
    [
        ([], "message.parts"),
        ([{}], "message.parts[0]"),
        ([{"text": "x"}, {"filename": "alone"}], "message.parts[1]"),
    ],
)
async def test_a_message_has_parts_and_each_has_one_content(wire, parts, field):
    error = (await wire.send(parts)).error
    assert error.reason == "INVALID_PARAMS"
    assert error.fields == [field]


@over_http
@requirement("JSN-14")
async def test_a_part_with_two_contents_is_refused(wire):
    error = (await wire.send([{"text": "x", "url": "http://example.org"}])).error
    assert (error.reason, error.fields) == ("INVALID_PARAMS", ["message.parts[0]"])


@over_http
@requirement("JSN-12")
async def test_members_that_nobody_knows_are_ignored(wire):
    params = send_params([{"text": "x", "colour": "red"}])
    params["message"]["mood"] = {"deep": [1]}
    params["season"] = "winter"
    assert state_of((await wire.call("SendMessage", params)).task) == "COMPLETED"


@requirement("JSN-01", "JSN-13")
@pytest.mark.parametrize(
    "part",
    [
        {"text": ""},
        {"text": "Grüße 👩‍🚀 \u2028 \u0000 \U0010ffff"},
        {"data": None},
        {"data": {"größe": [1, 2.5, {"deep": [True, None]}], "": 0}},
        {"data": 2**53},
        {
            "raw": base64.b64encode(bytes(range(256))).decode(),
            "mediaType": "application/x-test",
            "filename": "größe",
        },
        {"url": "https://example.org/a?b=c#d", "mediaType": "image/png", "metadata": {"a": None}},
    ],
    ids=["empty", "unicode", "null", "nested", "large", "bytes", "url"],
)
async def test_a_part_comes_back_as_it_went(wire, parrot, part):
    await wire.call("SendMessage", send_params([part], "listen"))
    task = (await wire.call("ListTasks", {"includeArtifacts": True})).result["tasks"][0]
    assert task["history"][0]["parts"] == [part]


@over_http
async def test_json_keeps_an_integer_that_no_double_equals(wire):
    await wire.call("SendMessage", send_params([{"data": 2**53 + 1}], "listen"))
    task = (await wire.call("ListTasks")).result["tasks"][0]
    assert task["history"][0]["parts"] == [{"data": 2**53 + 1}]


@requirement("JSN-01")
async def test_proto_names_numbers_of_enums_and_url_safe_base64_are_understood(wire):
    message = {"message_id": "m1", "role": 1, "parts": [{"raw": "_-8", "media_type": "a/b"}]}
    task = (await wire.call("SendMessage", {"message": message, "metadata": {"skill": "file"}})).task
    assert task["artifacts"][0]["parts"] == [{"raw": "/+8=", "mediaType": "a/b"}]


@requirement("JSN-01", "BND-01", "BND-02")
async def test_a_task_looks_the_same_in_every_binding(connect, parrot):
    wire = await connect(parrot)
    task = (await wire.send("", "ask")).task
    wires = [wire, *(kind(parrot) for kind in BINDINGS.values())]
    reads = [await one.call("GetTask", {"id": task["id"]}) for one in wires]
    lists = [await one.call("ListTasks") for one in wires]
    assert [answer.result for answer in reads] == [task] * 3
    assert [answer.result for answer in lists] == [lists[0].result] * 3


@over_http
@requirement("RPC-01", "RST-01", "IAN-01")
async def test_bodies_are_utf_8_in_the_media_type_of_the_binding(wire):
    answer = await wire.send("Grüße 👩‍🚀")
    assert answer.headers["content-type"] == wire.media_type
    assert "Grüße 👩‍🚀".encode() in answer.body
    assert (await wire.call("GetTask", {"id": "nobody"})).headers["content-type"] == wire.media_type


@requirement("RPC-01", "RST-01")
@pytest.mark.parametrize(
    "media_type", ["application/json", "application/a2a+json", "application/json; charset=utf-8"]
)
async def test_both_media_types_are_taken(wire, media_type):
    answer = await wire.call("SendMessage", send_params(), content_type=media_type)
    assert answer.is_result


@requirement("IAN-04")
async def test_a_file_that_is_named_by_its_url_is_not_fetched_by_the_framework(wire, parrot):
    async with Receiver() as receiver:
        answer = await wire.send([{"url": receiver.url, "mediaType": "text/plain"}], "file")
        refused = await wire.send([{"url": receiver.url}], "letters")
        assert answer.task["artifacts"][0]["parts"][0]["url"] == receiver.url
        assert refused.error.reason == "CONTENT_TYPE_NOT_SUPPORTED"
        assert receiver.taken == []


@requirement("RST-04", "RST-05", "RST-08")
async def test_rest_reads_the_query_in_camel_case_and_percent_encoded(parrot):
    await parrot.start()
    wire = BINDINGS["rest"](parrot)
    try:
        task = (await wire.send("x", context_id="a b/c&d=é")).task
        found = await wire.call(
            "ListTasks", {"contextId": "a b/c&d=é", "includeArtifacts": True, "pageSize": 1}
        )
        assert [entry["id"] for entry in found.result["tasks"]] == [task["id"]]
        assert found.result["tasks"][0]["artifacts"]
        assert (await wire.call("GetTask", {"id": "a/b:c"})).error.reason == "TASK_NOT_FOUND"
    finally:
        await parrot.stop()
