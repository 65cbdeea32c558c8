"""Calls of 0.3, 0.2 and 0.1, as they stand on the wire (SPEC 7)."""

import asyncio
import json
from base64 import b64encode
from typing import Any

import grpc.aio
import pytest
from google.protobuf.json_format import MessageToDict
from msgspec.structs import replace

from dragoman import Agent
from dragoman.agent.errors import AuthoringError
from dragoman.client.http import AsgiHttp, HttpReply, HttpRequest
from dragoman.model import AgentCapabilities, AgentCard, Generation, TaskNotFoundError
from dragoman.server import GrpcOptions
from dragoman.wire.grpc.schema import OLD_SERVICE, find_old_classes
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.requirements import requirement
from tests.peer.receiver import Receiver

BASE = "http://agent.test"


EXTENDED = AgentCard(
    name="Parrot for friends",
    description="Says more",
    supported_interfaces=(),
    version="2",
    capabilities=AgentCapabilities(extended_agent_card=True),
    default_input_modes=("text/plain",),
    default_output_modes=("text/plain",),
    skills=(),
)


class Raw:
    """JSON to an agent and back, without a client in between."""

    def __init__(self, app) -> None:
        self.app = app
        self.http = AsgiHttp(app)

    async def ask(self, verb, path, value=None, **headers) -> tuple[HttpReply, Any]:
        reply = await self.send(verb, path, value, headers)
        return reply, json.loads(reply.body) if reply.body else None

    async def rpc(self, method, params, **headers):
        call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        reply, answer = await self.ask("POST", "/", call, **headers)
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
        assert reply.headers["content-type"] == "application/json"
        return answer

    async def events(self, verb, path, value=None, **headers):
        """A whole stream; the results of JSON-RPC's are unwrapped."""
        reply = await self.send(verb, path, value, headers)
        assert reply.headers["content-type"] == "text/event-stream"
        blocks = [block for block in reply.body.split(b"\n\n") if b"data:" in block]
        read = [json.loads(block.partition(b"data: ")[2]) for block in blocks]
        return [event.get("result", event) for event in read]

    async def send(self, verb, path, value, headers):
        body = None if value is None else json.dumps(value).encode()
        lines = {"content-type": "application/json"} if body else {}
        lines |= {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.http.request(HttpRequest(verb, BASE + path, lines, body))

    async def rpc_events(self, method, params, **headers):
        call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        return await self.events("POST", "/", call, **headers)


@pytest.fixture
async def parrot():
    agent = Parrot()
    async with agent.running():
        yield agent


@pytest.fixture
def raw(parrot):
    return Raw(parrot)


def say_03(text="hello", skill="echo", **message):
    said = {
        "kind": "message",
        "messageId": "m-1",
        "role": "user",
        "parts": [{"kind": "text", "text": text}],
        **message,
    }
    return {"message": said, "metadata": {"skill": skill}}


def say_01(task_id, text="hello", skill="echo", **params):
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    return {"id": task_id, "sessionId": "s-1", "message": message, "metadata": {"skill": skill}, **params}


@requirement("V03-02", "V03-06", "VER-07")
async def test_0_3_sends_and_reads(raw):
    task = (await raw.rpc("message/send", say_03()))["result"]
    assert (task["kind"], task["status"]["state"]) == ("task", "completed")
    assert task["artifacts"][0]["parts"] == [{"kind": "text", "text": "hello"}]
    assert [(said["kind"], said["role"]) for said in task["history"]] == [("message", "user")]
    read = (await raw.rpc("tasks/get", {"id": task["id"]}))["result"]
    assert (read["kind"], read["id"], read["contextId"]) == ("task", task["id"], task["contextId"])


async def test_0_3_returns_at_once_when_told_not_to_block(raw, parrot):
    params = say_03("gate", "hold") | {"configuration": {"blocking": False}}
    task = (await raw.rpc("message/send", params))["result"]
    assert task["status"]["state"] in {"submitted", "working"}
    parrot.gates.open("gate")


@requirement("V03-07", "V03-06")
async def test_errors_have_the_codes_of_0_3(raw):
    unknown = await raw.rpc("tasks/get", {"id": "nobody"})
    assert (unknown["error"]["code"], "result" in unknown) == (-32001, False)
    assert (await raw.rpc("message/send", {"message": {"role": "user"}}))["error"]["code"] == -32602
    assert (await raw.rpc("message/unheard", {}))["error"]["code"] == -32601
    contradicting = await raw.rpc("message/send", say_03(), a2a_version="1.0")
    assert contradicting["error"]["code"] == -32601
    assert contradicting["error"]["data"][0]["reason"] == "METHOD_NOT_FOUND"


@pytest.mark.parametrize(
    "method, params, code",
    [
        ("tasks/resubscribe", {"id": "nobody"}, -32001),
        ("tasks/resubscribe", {"id": "no\u2028body"}, -32001),
        ("message/stream", {"message": {"role": "user"}}, -32602),
        ("tasks/sendSubscribe", {}, -32602),
    ],
)
async def test_a_stream_that_does_not_begin_says_so_in_an_event(raw, method, params, code):
    """Clients of 0.3 read plain JSON there for a broken stream."""
    call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    reply = await raw.send("POST", "/", call, {})
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream")
    head, _, rest = reply.body.decode().partition("data: ")
    assert (head, rest[-2:], len(rest.splitlines())) == ("", "\n\n", 2)
    answer = json.loads(rest)
    assert (answer["jsonrpc"], answer["id"], answer["error"]["code"]) == ("2.0", 7, code)


async def test_an_agent_that_fails_before_its_stream_begins_says_so_in_an_event(raw, parrot, monkeypatch):
    async def fail(*_):
        raise RuntimeError("a secret")

    bound = parrot.app._around.operations["SubscribeToTask"]
    monkeypatch.setitem(parrot.app._around.older._operations, "SubscribeToTask", replace(bound, run=fail))
    call = {"jsonrpc": "2.0", "id": 7, "method": "tasks/resubscribe", "params": {"id": "t"}}
    reply = await raw.send("POST", "/", call, {})
    assert reply.headers["content-type"] == "text/event-stream"
    assert json.loads(reply.body.removeprefix(b"data: "))["error"]["code"] == -32603
    assert b"secret" not in reply.body


async def test_who_may_not_stream_is_told_by_the_status(connect_as_alice):
    raw, _ = connect_as_alice
    call = {"jsonrpc": "2.0", "id": 7, "method": "message/stream", "params": say_03()}
    reply = await raw.send("POST", "/", call, {})
    assert (reply.status, reply.headers["content-type"]) == (401, "application/json")


async def test_0_3_streams_and_says_which_event_is_the_last(raw):
    events = await raw.rpc_events("message/stream", say_03("", "chunks"))
    assert events[0]["kind"] == "task"
    assert [event["final"] for event in events if event["kind"] == "status-update"][-1] is True
    pieces = [event["artifact"]["parts"][0]["text"] for event in events if event["kind"] == "artifact-update"]
    assert "".join(pieces) == "one two three"


@requirement("V03-08")
async def test_0_3_is_told_that_credentials_are_wanted_and_which(raw):
    task = (await raw.rpc("message/send", say_03("", "authorise")))["result"]
    assert task["status"]["state"] == "auth-required"
    assert task["status"]["message"]["parts"][0]["text"] == "sign in at the desk"


async def test_a_question_ends_a_stream_of_0_3(raw):
    last = (await raw.rpc_events("message/stream", say_03("", "ask")))[-1]
    assert (last["status"]["state"], last["final"]) == ("input-required", True)


@requirement("V03-10")
async def test_the_extended_card_comes_by_every_way_of_its_time(connect_as_alice):
    raw, alice = connect_as_alice
    answer = (await raw.rpc("agent/getAuthenticatedExtendedCard", {}, **alice))["result"]
    assert answer["protocolVersion"] == "0.3.0"
    _, card = await raw.ask("GET", "/v1/card", **alice)
    assert card["url"] == answer["url"]
    reply, old = await raw.ask("GET", "/agent/authenticatedExtendedCard", **alice)
    assert (reply.status, old["protocolVersion"]) == (200, "0.2.6")
    assert (await raw.ask("GET", "/agent/authenticatedExtendedCard"))[0].status == 401


@pytest.fixture
async def connect_as_alice():
    agent = Parrot(authenticator=admit_by_name, extended_card=EXTENDED)
    async with agent.running():
        yield Raw(agent), {"authorization": "Bearer alice"}


# REST of 0.3


@requirement("V03-01")
async def test_0_3_rest_takes_both_styles_and_answers_in_the_one_that_came(raw):
    _, kinds = await raw.ask("POST", "/v1/message:send", say_03())
    assert (kinds["kind"], kinds["status"]["state"]) == ("task", "completed")
    proto = {
        "request": {"message_id": "m", "role": "ROLE_USER", "content": [{"text": "hello"}]},
        "configuration": {"blocking": True},
    }
    reply, answer = await raw.ask("POST", "/v1/message:send", proto)
    assert reply.headers["content-type"] == "application/json"
    assert answer["task"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert answer["task"]["history"][0]["content"] == [{"text": "hello"}]


async def test_0_3_rest_as_a_v1_returns_at_once_unless_told_to_block(raw, parrot):
    said = {"messageId": "m", "role": "ROLE_USER", "content": [{"text": "gate"}]}
    _, answer = await raw.ask("POST", "/v1/message:send", {"message": said, "metadata": {"skill": "hold"}})
    assert answer["task"]["status"]["state"] in {"TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"}
    task_id = answer["task"]["id"]
    _, canceled = await raw.ask("POST", f"/v1/tasks/{task_id}:cancel")
    assert canceled["status"]["state"] == "TASK_STATE_CANCELLED"


ALL_BYTES = bytes(range(256))
ONCE = b64encode(ALL_BYTES).decode()
TWICE = b64encode(ONCE.encode()).decode()
SHORT = b64encode(b"abcd").decode()


def send_files(*packed):
    """Files in the style of `a2a.v1`; the Python SDK of 0.3 packs them twice, the JavaScript SDK once."""
    content = [{"file": {"fileWithBytes": one, "mimeType": "application/x-test"}} for one in packed]
    said = {"messageId": "m", "role": "ROLE_USER", "content": content}
    return {"request": said, "configuration": {"blocking": True}, "metadata": {"skill": "file"}}


@pytest.mark.parametrize("packed", [ONCE, TWICE], ids=["once", "twice"])
async def test_bytes_go_back_over_0_3_rest_as_they_came(raw, packed):
    _, answer = await raw.ask("POST", "/v1/message:send", send_files(packed))
    places = [answer["task"]["artifacts"][0]["parts"], answer["task"]["history"][0]["content"]]
    assert [parts[0]["file"]["fileWithBytes"] for parts in places] == [packed, packed]
    events = await raw.events("POST", "/v1/message:stream", send_files(packed))
    pieces = [event["artifactUpdate"]["artifact"] for event in events if "artifactUpdate" in event]
    assert pieces[0]["parts"][0]["file"]["fileWithBytes"] == packed
    _, read = await raw.ask("GET", f"/tasks/{answer['task']['id']}", a2a_version="1.0")
    assert read["artifacts"][0]["parts"][0]["raw"] == ONCE


async def test_one_file_that_came_plain_tells_of_the_others(raw, parrot):
    """By itself, the second would be taken for base64 of base64."""
    params = send_files(ONCE, SHORT) | {"metadata": {"skill": "listen"}}
    _, answer = await raw.ask("POST", "/v1/message:send", params)
    assert [part.raw for part in parrot.heard[0].parts] == [ALL_BYTES, b"abcd"]
    sent = answer["task"]["history"][0]["content"]
    assert [part["file"]["fileWithBytes"] for part in sent] == [ONCE, SHORT]


async def test_a_call_that_brings_no_bytes_gets_them_as_the_python_sdk_reads_them(raw):
    """Nothing in it tells who reads the answer (decision 0012)."""
    _, answer = await raw.ask("POST", "/v1/message:send", send_files(ONCE))
    _, read = await raw.ask("GET", f"/v1/tasks/{answer['task']['id']}")
    assert read["artifacts"][0]["parts"][0]["file"]["fileWithBytes"] == TWICE


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_0_3_rest_subscribes_by_both_verbs(raw, parrot, verb):
    said = {"messageId": "m", "role": "ROLE_USER", "content": [{"text": "gate"}]}
    _, answer = await raw.ask("POST", "/v1/message:send", {"message": said, "metadata": {"skill": "hold"}})
    await parrot.gates.reached("gate")
    reading = asyncio.create_task(raw.events(verb, f"/v1/tasks/{answer['task']['id']}:subscribe"))
    await asyncio.sleep(0)
    parrot.gates.open("gate")
    events = await reading
    assert next(iter(events[0])) in {"task", "statusUpdate"}
    assert events[-1]["statusUpdate"]["final"] is True


@pytest.mark.parametrize(
    "request_line, body, status, code",
    [
        ("GET /v1/tasks/nobody", None, 404, -32001),
        ("POST /v1/tasks/nobody:subscribe", None, 404, -32001),
        ("POST /v1/message:send", {"message": {"role": "user"}}, 400, -32602),
        ("POST /v1/message:stream", {"message": []}, 400, -32602),
        ("GET /v1/card", None, 400, -32004),
        ("GET /v1/nothing", None, 404, -32601),
    ],
)
async def test_errors_of_0_3_rest_have_the_code_of_json_rpc_at_the_top(raw, request_line, body, status, code):
    """The JavaScript SDK looks there, other readers below `error`, as in 1.0."""
    reply, answer = await raw.ask(*request_line.split(), body)
    assert (reply.status, answer["code"], answer["error"]["code"]) == (status, code, status)
    assert answer["message"] == answer["error"]["message"]
    assert reply.headers["content-type"] == "application/json"


async def test_an_error_amid_a_stream_of_0_3_rest_has_the_code_at_the_top(raw, parrot, monkeypatch):
    class Broken:
        async def batch(self):
            raise TaskNotFoundError("it is gone")

        async def aclose(self):
            pass

    async def run(*_):
        return Broken()

    bound = parrot.app._around.operations["SubscribeToTask"]
    monkeypatch.setitem(parrot.app._around.older._operations, "SubscribeToTask", replace(bound, run=run))
    reply = await raw.send("GET", "/v1/tasks/t:subscribe", None, {})
    assert reply.body.startswith(b"event: error\ndata: ")
    assert json.loads(reply.body.partition(b"data: ")[2])["code"] == -32001


async def test_paths_below_v1_are_a_tenant_s_for_a_caller_of_1_0(raw):
    said = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    _, answer = await raw.ask("POST", "/v1/message:send", {"message": said}, a2a_version="1.0")
    assert answer["task"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_what_is_nowhere_in_0_3_is_not_found(raw):
    assert (await raw.ask("GET", "/v1/nothing"))[0].status == 404
    reply, _ = await raw.ask("DELETE", "/v1/message:send")
    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")
    assert (await raw.ask("GET", "/v1/tasks/nobody"))[0].status == 404


# 0.1


async def test_0_1_makes_the_id_of_its_task(raw):
    task = (await raw.rpc("tasks/send", say_01("mine")))["result"]
    assert (task["id"], task["sessionId"], task["status"]["state"]) == ("mine", "s-1", "completed")
    assert task["artifacts"][0]["index"] == 0
    assert task["artifacts"][0]["parts"] == [{"type": "text", "text": "hello"}]
    read = (await raw.rpc("tasks/get", {"id": "mine"}))["result"]
    assert (read["id"], "kind" in read) == ("mine", False)


async def test_0_1_goes_on_with_a_task_by_its_own_id(raw):
    asked = (await raw.rpc("tasks/send", say_01("dialogue", "", "ask")))["result"]
    assert asked["status"]["state"] == "input-required"
    done = (await raw.rpc("tasks/send", say_01("dialogue", "the red one")))["result"]
    assert (done["id"], done["status"]["state"]) == ("dialogue", "completed")
    refused = await raw.rpc("tasks/send", say_01("dialogue", "more"))
    assert refused["error"]["code"] == -32004


async def test_two_sends_under_one_new_id_make_one_task(raw, parrot):
    sends = [asyncio.create_task(raw.rpc("tasks/send", say_01("both", "x", "ask"))) for _ in range(2)]
    answers = [await one for one in sends]
    assert {answer["result"]["id"] for answer in answers} == {"both"}
    states = sorted(answer["result"]["status"]["state"] for answer in answers)
    assert states in (["completed", "completed"], ["completed", "input-required"])


async def test_an_agent_that_answers_without_a_task_makes_one_for_0_1(raw):
    task = (await raw.rpc("tasks/send", say_01("spoken", "hello", "reply")))["result"]
    assert (task["id"], task["status"]["state"]) == ("spoken", "completed")
    assert (await raw.rpc("tasks/get", {"id": "spoken"}))["result"]["status"] == task["status"]


async def test_ids_of_0_1_are_each_caller_s_own(connect_as_alice):
    raw, alice = connect_as_alice
    bob = {"authorization": "Bearer bob"}
    assert (await raw.rpc("tasks/send", say_01("same", "hers"), **alice))["result"]["id"] == "same"
    assert (await raw.rpc("tasks/get", {"id": "same"}, **bob))["error"]["code"] == -32001
    his = (await raw.rpc("tasks/send", say_01("same", "his"), **bob))["result"]
    assert his["artifacts"][0]["parts"][0]["text"] == "his"
    hers = (await raw.rpc("tasks/get", {"id": "same"}, **alice))["result"]
    assert hers["artifacts"][0]["parts"][0]["text"] == "hers"


async def test_0_1_streams_without_whole_tasks_and_numbers_artifacts(raw):
    events = await raw.rpc_events("tasks/sendSubscribe", say_01("flow", "", "chunks"))
    assert {event["id"] for event in events} == {"flow"}
    assert all("kind" not in event and ("status" in event or "artifact" in event) for event in events)
    pieces = [event["artifact"] for event in events if "artifact" in event]
    assert {piece["index"] for piece in pieces} == {0}
    assert [piece.get("append", False) for piece in pieces] == [False, True, True, True]
    assert pieces[-1]["lastChunk"] is True
    assert (events[-1]["status"]["state"], events[-1]["final"]) == ("completed", True)


async def test_0_1_cancels_and_is_told_of_it_by_its_id(raw, parrot):
    sending = asyncio.create_task(raw.rpc("tasks/send", say_01("slow", "gate", "hold")))
    await parrot.gates.reached("gate")
    canceled = (await raw.rpc("tasks/cancel", {"id": "slow"}))["result"]
    assert (canceled["id"], canceled["status"]["state"]) == ("slow", "canceled")
    assert (await sending)["result"]["status"]["state"] == "canceled"


async def test_0_1_calls_plain_text_text(raw):
    """Its sample clients ask for "text", and get no data."""
    params = say_01("words", skill="remember", acceptedOutputModes=["text"])
    task = (await raw.rpc("tasks/send", params))["result"]
    assert task["artifacts"][0]["parts"] == [{"type": "text", "text": '["hello"]'}]


async def test_a_name_of_0_1_holds_no_nul(raw):
    error = (await raw.rpc("tasks/send", say_01("a\0b")))["error"]
    assert (error["code"], error["data"][1]["fieldViolations"][0]["field"]) == (-32602, "id")
    assert (await raw.rpc("tasks/get", {"id": "a\0b"}))["error"]["code"] in {-32001, -32602}


async def test_a_task_id_is_required_in_0_1(raw):
    params = say_01("x")
    del params["id"]
    error = (await raw.rpc("tasks/send", params))["error"]
    assert error["code"] == -32602
    assert (await raw.rpc("tasks/send", say_01("x" * 1000)))["error"]["code"] == -32602


async def test_0_1_webhooks_are_told_of_tasks_under_their_names(raw, parrot):
    async with Receiver() as receiver:
        push = {"url": receiver.url, "token": "tok"}
        sending = asyncio.create_task(raw.rpc("tasks/send", say_01("told", "gate", "hold")))
        await parrot.gates.reached("gate")
        config = {"id": "told", "pushNotificationConfig": push}
        made = (await raw.rpc("tasks/pushNotification/set", config))["result"]
        assert made["id"] == "told"
        assert (await raw.rpc("tasks/pushNotification/get", {"id": "told"}))["result"] == made
        parrot.gates.open("gate")
        await sending
        taken = await receiver.until_state_03("completed")
    assert {(one.payload["id"], one.payload["taskId"]) for one in taken} == {("told", "told")}
    assert taken[-1].payload["artifacts"][0]["parts"][0]["type"] == "text"
    assert taken[-1].headers["x-a2a-notification-token"] == "tok"


async def test_a_webhook_is_told_in_its_generation_also_by_the_next_process(tmp_path):
    store = f"sqlite:///{tmp_path}/tasks.db"
    async with Receiver([500]) as receiver:
        params = say_03() | {"configuration": {"pushNotificationConfig": {"url": receiver.url}}}
        first = Parrot(store=store)
        async with first.running():
            await Raw(first).rpc("message/send", params)
            await receiver.until(1)
        async with Parrot(store=store).running(), asyncio.timeout(20):
            taken = await receiver.until_state_03("completed")
    assert {one.payload["kind"] for one in taken} == {"task"}
    assert len(taken) > 1


@requirement("XTN-06")
async def test_extensions_are_asked_for_and_echoed_under_their_old_name(raw):
    wanted = "urn:nobody:knows, " + raw.app.card_facts().capabilities.extensions[0].uri
    call = {"jsonrpc": "2.0", "id": 7, "method": "message/send", "params": say_03()}
    reply, _ = await raw.ask("POST", "/", call, x_a2a_extensions=wanted)
    assert reply.headers["x-a2a-extensions"] == raw.app.card_facts().capabilities.extensions[0].uri
    assert "a2a-extensions" not in reply.headers


# All at once


@requirement("VER-08", "MIG-02")
async def test_one_task_is_streamed_to_each_subscriber_in_its_own_words():
    """The same events in 0.1, in 0.3 over JSON-RPC, in 0.3 over gRPC and in 1.0 over REST, at once."""
    parrot = Parrot(grpc=GrpcOptions(port=0))
    async with parrot.running(), grpc.aio.insecure_channel(parrot.app.grpc_address) as channel:
        await check_one_task_for_all(parrot, Raw(parrot), channel)


async def subscribe_by_grpc(channel, task_id):
    taken, answered = find_old_classes("TaskSubscription")
    call = channel.unary_stream(f"/{OLD_SERVICE}/TaskSubscription")
    events = call(taken(name=f"tasks/{task_id}").SerializeToString())
    seen = []
    while (data := await events.read()) is not grpc.aio.EOF:
        seen.append(MessageToDict(answered.FromString(data)))
    return seen


async def check_one_task_for_all(parrot, raw, channel):
    first = asyncio.create_task(
        raw.rpc_events("tasks/sendSubscribe", say_01("shared", "gate", "drip"), a2a_version="0.1")
    )
    await parrot.gates.reached("gate")
    _, listed = await raw.ask("GET", "/tasks?includeArtifacts=true", a2a_version="1.0")
    task_id = listed["tasks"][0]["id"]
    third = asyncio.create_task(raw.rpc_events("tasks/resubscribe", {"id": task_id}, a2a_version="0.3"))
    second = asyncio.create_task(raw.rpc_events("tasks/resubscribe", {"id": "shared"}))
    newest = asyncio.create_task(raw.events("POST", f"/tasks/{task_id}:subscribe", {}, a2a_version="1.0"))
    by_grpc = asyncio.create_task(subscribe_by_grpc(channel, task_id))
    while len(parrot_streams(parrot)) < 5:  # noqa: ASYNC110 -- nothing tells that a stream was opened
        await asyncio.sleep(0.01)
    parrot.gates.open("gate")
    async with asyncio.timeout(10):
        of_01, of_03, of_again, of_10 = [await one for one in (first, third, second, newest)]
        of_grpc = await by_grpc

    assert [event["artifact"]["parts"][0]["text"] for event in of_01 if "artifact" in event] == [
        "drip ",
        "drop",
        "",
    ]
    assert {event["id"] for event in of_01 + of_again} == {"shared"}
    assert of_again[0]["artifact"]["parts"][0]["text"] == "drip "
    assert [event["kind"] for event in of_03] == [
        "task",
        "artifact-update",
        "artifact-update",
        "status-update",
    ]
    assert [next(iter(event)) for event in of_10] == [
        "task",
        "artifactUpdate",
        "artifactUpdate",
        "statusUpdate",
    ]
    assert [next(iter(event)) for event in of_grpc] == [next(iter(event)) for event in of_10]
    assert of_grpc[0]["task"]["artifacts"][0]["parts"] == [{"text": "drip "}]
    updates = [event["artifactUpdate"] for event in of_grpc if "artifactUpdate" in event]
    assert [(update["artifact"]["parts"][0]["text"], update["append"]) for update in updates] == [
        ("drop", True),
        ("", True),
    ]
    last = of_grpc[-1]["statusUpdate"]
    assert (last["taskId"], last["status"]["state"], last["final"]) == (
        task_id,
        "TASK_STATE_COMPLETED",
        True,
    )
    lasts = [of_01[-1], of_03[-1], of_again[-1]]
    assert [(event["status"]["state"], event["final"]) for event in lasts] == [("completed", True)] * 3
    assert of_10[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert {event["taskId"] for event in of_03[1:]} == {task_id}


def parrot_streams(parrot):
    return parrot.app._streams.open


# What is served


async def test_an_agent_may_serve_only_1_0():
    agent = Parrot(generations=[Generation.V1_0])
    async with agent.running():
        raw = Raw(agent)
        assert (await raw.rpc("message/send", say_03()))["error"]["code"] in {-32601, -32009}
        assert (await raw.ask("GET", "/.well-known/agent.json"))[0].status == 404
        _, card = await raw.ask("GET", "/.well-known/agent-card.json")
        assert ("url" in card, len(card["supportedInterfaces"])) == (False, 2)


async def test_an_agent_may_serve_only_an_old_one():
    agent = Parrot(generations=[Generation.V0_1])
    async with agent.running():
        raw = Raw(agent)
        assert (await raw.rpc("tasks/send", say_01("mine")))["result"]["id"] == "mine"
        assert (await raw.rpc("tasks/get", {"id": "mine"}))["result"]["id"] == "mine"
        refused = await raw.rpc("ListTasks", {}, a2a_version="1.0")
        assert refused["error"]["data"][0]["reason"] == "VERSION_NOT_SUPPORTED"
        _, card = await raw.ask("GET", "/.well-known/agent.json")
        assert (card["protocolVersion"], card["preferredTransport"]) == ("0.1.0", "JSONRPC")


def test_an_agent_serves_something():
    with pytest.raises(AuthoringError, match="generations"):
        Agent("Nothing", generations=[])


@requirement("V03-03", "V03-04", "V03-05")
async def test_every_address_of_0_3_has_one_transport(raw):
    _, card = await raw.ask("GET", "/.well-known/agent.json")
    pairs = [(entry["url"], entry["transport"]) for entry in card["additionalInterfaces"]]
    assert (card["url"], card["preferredTransport"]) in pairs
    assert len({url for url, _ in pairs}) == len(pairs) == 2


async def test_the_card_is_the_same_at_both_places_and_pure_for_1_0(raw):
    _, new = await raw.ask("GET", "/.well-known/agent-card.json")
    _, old = await raw.ask("GET", "/.well-known/agent.json")
    reply, pure = await raw.ask("GET", "/.well-known/agent-card.json", a2a_version="1.0")
    assert new == old
    assert (new["protocolVersion"], "url" in pure, new["supportedInterfaces"]) == (
        "0.3.0",
        False,
        pure["supportedInterfaces"],
    )
    assert "A2A-Version" in reply.headers["vary"]
