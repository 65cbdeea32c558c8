"""Extensions, over every binding (SPEC 3.6, 6.11)."""

import re
from typing import Any

import pytest
from pydantic import BaseModel

from dragoman import Agent, Client, Context, Extension, TaskHandle
from dragoman.client.http import HttpRequest
from dragoman.engine.handler import Call
from dragoman.model import (
    AgentExtension,
    Event,
    ExtensionSupportRequiredError,
    InvalidParamsError,
    Message,
    TaskStatusUpdateEvent,
)
from dragoman.model.extensions import IDEMPOTENCY_KEY, OWN_EXTENSIONS, QUESTION_SCHEMA, STREAM_RESUMPTION
from dragoman.server import GrpcOptions
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.requirements import requirement
from tests.interaction.test_client import KINDS
from tests.interaction.wires import kinds, over_http, send_params, state_of

URI = "https://example.com/extensions/stamps/v1"


class Stamps(Extension):
    """Numbers what the agent says, and wants the caller to have paid."""

    uri = URI
    description = "Stamps every event"
    params = {"currency": "EUR"}  # noqa: RUF012 -- as an author would write it

    def __init__(self, *, required: bool = False, is_broken: bool = False) -> None:
        self.required = required
        self.is_broken = is_broken
        self.calls: list[Call] = []
        self.heard: list[Message] = []

    def activate(self, call: Call) -> bool:
        self.calls.append(call)
        return True

    def on_message(self, message: Message) -> None:
        self.heard.append(message)
        if (message.metadata or {}).get(URI) == "forged":
            raise InvalidParamsError("this stamp is forged")

    def on_event(self, event: Event) -> dict[str, Any] | None:
        if self.is_broken:
            raise RuntimeError("the password is hunter2")
        return {URI: type(event).__name__} if isinstance(event, TaskStatusUpdateEvent) else None


def stamp_of(event: dict[str, Any]) -> Any:
    return next(iter(event.values())).get("metadata", {}).get(URI)


@requirement("XTN-06", "XTN-07")
async def test_what_is_active_is_said_in_the_header(connect):
    stamps = Stamps()
    wire = await connect(Parrot(extensions=[stamps, AgentExtension(uri="urn:other/v1")]))
    plain = await wire.send("hello")
    assert "a2a-extensions" not in plain.headers
    assert URI not in str(plain.task)
    assert not stamps.calls
    assert not stamps.heard
    answer = await wire.call(
        "SendMessage", send_params("hello"), a2a_extensions=f"urn:nobody/v1, {URI},urn:other/v1"
    )
    assert answer.headers["a2a-extensions"] == f"{URI}, urn:other/v1"
    assert [call.extensions for call in stamps.calls] == [("urn:nobody/v1", URI, "urn:other/v1")]
    assert len(stamps.heard) == 1
    read = await wire.call("GetTask", {"id": answer.task["id"]}, a2a_extensions=URI)
    assert read.headers["a2a-extensions"] == URI


async def test_a_message_that_uses_an_extension_asks_for_it(connect):
    stamps = Stamps()
    wire = await connect(Parrot(extensions=[stamps]))
    answer = await wire.send("hello", message={"extensions": [URI], "metadata": {URI: "paid"}})
    assert answer.headers["a2a-extensions"] == URI
    assert stamps.heard[0].metadata == {URI: "paid"}


@requirement("XTN-03", "XTN-05", "XTN-02", "XTN-01")
async def test_another_version_is_not_the_one_that_was_asked_for(connect):
    stamps = Stamps()
    wire = await connect(Parrot(extensions=[stamps]))
    answer = await wire.call("SendMessage", send_params(), a2a_extensions=URI.replace("/v1", "/v2"))
    assert answer.is_result
    assert "a2a-extensions" not in answer.headers
    assert not stamps.calls
    assert all(re.search(r"/v\d+$", uri) for uri in OWN_EXTENSIONS)


@requirement("XTN-04", "CAP-06")
async def test_a_required_extension_is_asked_for_before_a_handler_runs(connect):
    parrot = Parrot(extensions=[Stamps(required=True)])
    wire = await connect(parrot)
    for operation, params in (("SendMessage", send_params("hello", "listen")), ("ListTasks", {})):
        refused = (await wire.call(operation, params)).error
        assert refused.reason == "EXTENSION_SUPPORT_REQUIRED"
        assert URI in refused.message
    assert parrot.heard == []
    assert (await wire.call("SendMessage", send_params("hello", "listen"), a2a_extensions=URI)).is_result
    assert len(parrot.heard) == 1


@requirement("XTN-08", "STR-07")
async def test_a_hook_adds_metadata_that_every_reader_sees_alike(connect):
    wire = await connect(Parrot(extensions=[Stamps()]))
    async with wire.open(
        "SendStreamingMessage", send_params("hello", "chunks"), a2a_extensions=URI
    ) as stream:
        events = await stream.rest()
    assert stream.events.headers["a2a-extensions"] == URI
    assert {kind: stamp_of(event) for kind, event in zip(kinds(events), events, strict=True)} == {
        "task": None,
        "statusUpdate": "TaskStatusUpdateEvent",
        "artifactUpdate": None,
    }
    members = {"taskId", "contextId", "status", "metadata"}
    assert all(event["statusUpdate"].keys() <= members for event in events if "statusUpdate" in event)


async def test_a_hook_that_raises_harms_no_task(connect, caplog):
    wire = await connect(Parrot(extensions=[Stamps(is_broken=True)]))
    answer = await wire.call("SendMessage", send_params("hello"), a2a_extensions=URI)
    assert state_of(answer.task) == "COMPLETED"
    assert b"hunter2" not in answer.body
    assert "on_event of the extension" in caplog.text


@requirement("XTN-09")
async def test_an_extension_refuses_what_does_not_fit_it_and_lets_nobody_past_the_door(connect):
    stamps = Stamps()
    wire = await connect(Parrot(extensions=[stamps], authenticator=admit_by_name))
    params = send_params("hello", message={"metadata": {URI: "forged"}})
    stranger = await wire.call("SendMessage", params, a2a_extensions=URI)
    assert stranger.error.reason == "UNAUTHENTICATED"
    assert not stamps.calls
    forged = await wire.call("SendMessage", params, a2a_extensions=URI, authorization="Bearer alice")
    assert (forged.error.reason, forged.error.message) == ("INVALID_PARAMS", "this stamp is forged")


@requirement("XTN-12", "XTN-11")
async def test_our_own_extensions_are_declared_but_neither_required_nor_on_the_wire_unasked(connect):
    wire = await connect(Parrot())
    declared = (await wire.http.request(HttpRequest("GET", f"{wire.base}/.well-known/agent-card.json"))).body
    for uri in OWN_EXTENSIONS:
        assert uri.encode() in declared
    assert b'"required"' not in declared
    async with wire.open("SendStreamingMessage", send_params("hello", "ask")) as stream:
        await stream.rest()
    assert b"urn:dragoman" not in stream.events.raw
    assert "a2a-extensions" not in stream.events.headers


@over_http
async def test_events_have_ids_that_number_them(connect):
    wire = await connect(Parrot())
    async with wire.open(
        "SendStreamingMessage", send_params("hello"), a2a_extensions=STREAM_RESUMPTION
    ) as stream:
        first = await stream.next()
        await stream.rest()
    assert stream.events.headers["a2a-extensions"] == STREAM_RESUMPTION
    marks = re.findall(rb"^id: (\d+-[0-9a-f]{8}(?:-\d+)?)$", stream.events.raw, re.MULTILINE)
    assert [int(mark.partition(b"-")[0]) for mark in marks] == list(range(1, len(marks) + 1))
    assert first["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"


@requirement("SND-15")
async def test_a_send_that_is_made_twice_under_one_key_is_done_once(connect):
    parrot = Parrot()
    wire = await connect(parrot)
    params = send_params("hello", "listen")
    once, again = [await wire.call("SendMessage", params, idempotency_key="key-1") for _ in range(2)]
    assert once.task["id"] == again.task["id"]
    assert once.headers["a2a-extensions"] == IDEMPOTENCY_KEY
    assert len(parrot.heard) == 1
    other = await wire.call("SendMessage", send_params("bye", "listen"), idempotency_key="key-1")
    assert other.error.reason == "INVALID_PARAMS"


class Trip(BaseModel):
    city: str
    days: int = 3


def make_asker() -> Agent:
    agent = Agent("Asker", "Asks back", grpc=GrpcOptions(port=0))

    @agent.skill
    async def plan(ctx: Context) -> str:
        """Plan a trip."""
        trip = await ctx.ask("where to?", Trip)
        is_sure = await ctx.confirm("sure?")
        seat = await ctx.choose("which seat?", ["aisle", "window"])
        return f"{trip.city} {trip.days} {is_sure} {seat} {QUESTION_SCHEMA in ctx.extensions}"

    return agent


async def test_a_question_brings_the_schema_of_its_answer_to_who_asked_for_it(connect):
    wire = await connect(make_asker())
    asked = (await wire.call("SendMessage", send_params(), a2a_extensions=QUESTION_SCHEMA)).task["status"][
        "message"
    ]
    assert asked["extensions"] == [QUESTION_SCHEMA]
    schema = asked["metadata"][QUESTION_SCHEMA]["schema"]
    assert (schema["type"], schema["required"], set(schema["properties"])) == (
        "object",
        ["city"],
        {"city", "days"},
    )
    plain = (await wire.send()).task["status"]["message"]
    assert "metadata" not in plain
    assert "extensions" not in plain


def get_schema(task: TaskHandle) -> dict[str, Any]:
    assert task.question is not None
    assert task.question.schema is not None
    return task.question.schema


async def test_our_client_shows_the_schema_of_a_question(binding):
    async with Client(make_asker(), bindings=[KINDS[binding]]) as client:
        task = await client.start("")
        await task
        assert get_schema(task)["properties"]["city"]["type"] == "string"
        await task.reply({"city": "Rome"})
        assert get_schema(task) == {"type": "boolean"}
        await task.reply("yes")
        assert get_schema(task) == {"type": "string", "enum": ["aisle", "window"]}
        await task.reply("window")
        assert task.question is None
        assert task.text == "Rome 3 True window True"


@requirement("XTN-10")
async def test_our_client_asks_for_what_an_extension_requires_and_learns_what_is_active(binding):
    class Receipts:
        uri = "urn:receipts/v1"
        requires = (URI,)

    agent = Parrot(extensions=[Stamps(required=True)], grpc=GrpcOptions(port=0))
    async with Client(agent, bindings=[KINDS[binding]], extensions=[Receipts()]) as client:
        assert client.active_extensions == frozenset()
        await client.ask("hello")
        assert client.active_extensions == {URI, *OWN_EXTENSIONS}


async def test_our_client_does_not_call_an_agent_that_requires_what_it_does_not_have(binding):
    stamps = Stamps(required=True)
    async with Client(
        Parrot(extensions=[stamps], grpc=GrpcOptions(port=0)), bindings=[KINDS[binding]]
    ) as client:
        with pytest.raises(ExtensionSupportRequiredError, match=re.escape(f"Client(extensions=['{URI}'])")):
            await client.ask("hello")
    assert not stamps.calls


async def test_a_question_of_another_agent_is_passed_on_with_its_schema(binding):
    asker = make_asker()
    front = Agent("Front", "Passes on", grpc=GrpcOptions(port=0))

    @front.skill
    async def pass_on(ctx: Context) -> str:
        """Ask somebody else."""
        return await ctx.call(asker, "", ask_caller=True)

    async with Client(front, bindings=[KINDS[binding]]) as client:
        task = await client.start("")
        await task
        assert get_schema(task)["required"] == ["city"]
        await task.cancel()
