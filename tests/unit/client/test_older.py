"""Agents of older generations that take liberties: scripted answers, as they stand on the wire."""

import asyncio
import inspect
import json
import subprocess
import sys
from typing import Any

import pytest

from dragoman.client import Client, Timeout
from dragoman.client.http import AsgiHttp
from dragoman.client.transport.older_rpc import find_extended_card
from dragoman.model import (
    AuthenticationInfo,
    BadResponse,
    Binding,
    ExtendedAgentCardNotConfiguredError,
    Generation,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    Rejected,
    Role,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskState,
    UnauthenticatedError,
    UnavailableError,
    Unreachable,
    UnsupportedOperationError,
)
from tests.unit.client.scripted import FastWorld, interface, make_card

JSON_TYPE = (b"content-type", b"application/json")
SSE_TYPE = (b"content-type", b"text/event-stream")


class OldAgent:
    """An ASGI app that answers by method or by verb and path. A script is JSON, a function of the request, or a list of events.

    `Hang` at the end of a list leaves the stream open. Over JSON-RPC what is given is the result, unless it is an `Envelope`.
    """

    def __init__(self, **scripts):
        self.scripts = scripts
        self.calls = []

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["raw_path"].decode()
        call = json.loads(body) if body else None
        name = call["method"] if path == "/rpc" and call else f"{scope['method']} {path}"
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        self.calls.append((name, call, headers, scope["query_string"].decode()))
        script = self.scripts[name]
        script = script(call) if callable(script) else script
        if isinstance(script, list):
            await self._stream(script, call if path == "/rpc" else None, receive, send)
        else:
            answer = script if isinstance(script, Answer) else Answer(200, wrap(call, script, path == "/rpc"))
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _stream(self, events, call, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [SSE_TYPE]})
        for event in events:
            if event is Hang:
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            if inspect.iscoroutinefunction(event):
                await event()
                continue
            data = json.dumps(wrap(call, event, call is not None)).encode()
            await send({"type": "http.response.body", "body": b"data: " + data + b"\n\n", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def methods(self):
        return [call[0] for call in self.calls]


class Hang:
    """The agent does not hang up."""


class Envelope(dict):
    """A whole JSON-RPC response."""


class Answer:
    """A whole HTTP answer."""

    def __init__(self, status, value, **headers):
        self.status = status
        self.body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.headers = [
            JSON_TYPE,
            *((name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()),
        ]


def wrap(call, value, is_rpc):
    return (
        {"jsonrpc": "2.0", "id": call["id"], "result": value}
        if is_rpc and not isinstance(value, Envelope)
        else value
    )


def connect(agent: Any, version: str = "0.3", binding: str = "JSONRPC", **options: Any) -> Any:
    path = "/rpc" if binding == "JSONRPC" else ""
    card = make_card(supported_interfaces=(interface(binding, path, version=version),))
    options.setdefault("world", FastWorld().world)
    return Client(card, http=AsgiHttp(agent), **options)


def task_03(state="completed", *texts, **members):
    artifacts = [
        {"artifactId": f"a{number}", "parts": [{"kind": "text", "text": text}]}
        for number, text in enumerate(texts, 1)
    ]
    status = {"state": state}
    return {
        "kind": "task",
        "id": "t1",
        "contextId": "c1",
        "status": status,
        "artifacts": artifacts,
        **members,
    }


def status_03(state, *, final=False):
    head = {"kind": "status-update", "taskId": "t1", "contextId": "c1"}
    return {**head, "status": {"state": state}, "final": final}


def chunk_03(text, *, append=True):
    head = {"kind": "artifact-update", "taskId": "t1", "contextId": "c1", "append": append}
    return {**head, "artifact": {"artifactId": "a1", "parts": [{"kind": "text", "text": text}]}}


async def read(stream):
    async with stream:
        return [event async for event in stream]


# JSON-RPC of 0.3


async def test_a_stream_ends_with_its_final_event_though_the_agent_does_not_hang_up():
    agent = OldAgent(
        **{"message/stream": [task_03("working"), status_03("input-required", final=True), Hang]}
    )
    async with connect(agent) as client, asyncio.timeout(5):
        events = await read(client.stream("hello"))
    assert events[-1].status.state is TaskState.INPUT_REQUIRED
    assert agent.methods() == ["message/stream"]


async def test_a_final_event_that_ends_nothing_is_followed_up():
    agent = OldAgent(
        **{
            "message/stream": [task_03("working"), status_03("working", final=True)],
            "tasks/resubscribe": Envelope(error={"code": -32004, "message": "no"}),
            "tasks/get": task_03("completed", "done"),
        }
    )
    async with connect(agent) as client:
        assert await client.ask("hello") == "done"


async def test_a_stream_without_a_task_at_its_start_is_understood():
    agent = OldAgent(
        **{"message/stream": [chunk_03("he", append=False), chunk_03("llo"), status_03("completed")]}
    )
    async with connect(agent) as client:
        assert await client.ask("hi") == "hello"


async def test_an_error_in_a_stream_is_raised():
    failing = Envelope(jsonrpc="2.0", id=None, error={"code": -32005, "message": "no pictures"})
    agent = OldAgent(**{"message/stream": [failing]})
    async with connect(agent) as client:
        with pytest.raises(Exception, match="no pictures") as raised:
            await client.ask("hi")
    assert raised.type.__name__ == "ContentTypeNotSupportedError"


@pytest.mark.parametrize(
    "value",
    [
        7,
        None,
        {"kind": "task"},
        {"kind": "task", "id": "t1", "status": {"state": "jumping"}},
        task_03(metadata=json.loads('{"a":' * 200 + "1" + "}" * 200)),
    ],
)
async def test_what_cannot_be_read_is_a_bad_response(value):
    agent = OldAgent(**{"tasks/get": value})
    async with connect(agent) as client:
        with pytest.raises(BadResponse):
            await client.get_task("t1")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status": "fine"}'])
async def test_what_is_no_json_rpc_is_a_bad_response(body):
    agent = OldAgent(**{"tasks/get": Answer(200, body)})
    async with connect(agent) as client:
        with pytest.raises(BadResponse):
            await client.get_task("t1")


async def test_a_null_that_is_left_out_is_one():
    agent = OldAgent(**{"tasks/pushNotificationConfig/delete": Envelope(jsonrpc="2.0", id="1")})
    async with connect(agent) as client:
        await client.delete_push_config("t1", "c1")
    assert agent.calls[0][1]["params"] == {"id": "t1", "pushNotificationConfigId": "c1"}


async def test_who_is_asked_for_credentials_is_told_which():
    agent = OldAgent(**{"tasks/get": Answer(401, b"who?", www_authenticate='Bearer realm="x"')})
    async with connect(agent) as client:
        with pytest.raises(UnauthenticatedError) as raised:
            await client.get_task("t1")
    assert raised.value.challenge == 'Bearer realm="x"'


async def test_a_webhook_has_a_list_of_schemes():
    config = {"taskId": "t1", "pushNotificationConfig": {"id": "w", "url": "http://x.example/"}}
    agent = OldAgent(**{"tasks/pushNotificationConfig/set": config})
    async with connect(agent) as client:
        login = AuthenticationInfo(scheme="Bearer", credentials="s3cret")
        made = await client.create_push_config("t1", "http://x.example/", authentication=login)
    assert (made.id, made.task_id) == ("w", "t1")
    sent = agent.calls[0][1]["params"]["pushNotificationConfig"]
    assert sent["authentication"] == {"schemes": ["Bearer"], "credentials": "s3cret"}


# Subscribing


async def test_a_subscription_looks_at_the_task_while_its_stream_speaks_and_then_believes_it():
    """The stream begins without a snapshot, with a piece that the first look may have seen or not."""
    looks = iter([task_03("working", "a"), task_03("working", "ab")])
    is_seen = asyncio.Event()
    agent = OldAgent(
        **{
            "tasks/get": lambda _: next(looks),
            "tasks/resubscribe": [
                chunk_03("b"),
                is_seen.wait,
                chunk_03("c"),
                status_03("completed", final=True),
            ],
        }
    )
    async with connect(agent) as client, asyncio.timeout(5):
        stream = client.subscribe("t1")
        async with stream:
            first, second = await anext(stream), await anext(stream)
            is_seen.set()
            rest = [event async for event in stream]
    assert first.artifacts[0].parts[0].text == "a"
    assert [event.artifact.parts[0].text for event in (second, *rest[:-1])] == ["b", "c"]
    assert "".join(part.text for part in stream.view.task.artifacts[0].parts) == "abc"
    assert agent.methods().count("tasks/get") == 2


async def test_an_end_that_is_told_before_it_is_written_down_is_waited_for():
    looks = iter([task_03("working"), task_03("working"), task_03("completed", "done")])
    agent = OldAgent(
        **{"tasks/get": lambda _: next(looks), "tasks/resubscribe": [status_03("completed", final=True)]}
    )
    async with connect(agent) as client, asyncio.timeout(5):
        assert (await client.task("t1")).artifacts[0].parts[0].text == "done"


@pytest.mark.parametrize("code", [-32001, -32004, -32601, -32602, -32603])
async def test_a_task_without_a_stream_is_polled(code):
    looks = iter([task_03("working"), task_03("completed", "done")])
    agent = OldAgent(
        **{
            "tasks/get": lambda _: next(looks),
            "tasks/resubscribe": Envelope(error={"code": code, "message": "no stream"}),
        }
    )
    async with connect(agent) as client:
        assert (await client.task("t1")).artifacts[0].parts[0].text == "done"


async def test_a_subscription_that_falls_silent_is_polled_for():
    looks = iter([task_03("working"), task_03("completed", "done")])
    agent = OldAgent(**{"tasks/get": lambda _: next(looks), "tasks/resubscribe": [Hang]})
    timeout = Timeout(stream_idle_seconds=0.2)
    async with connect(agent, timeout=timeout) as client, asyncio.timeout(5):
        assert (await client.task("t1")).state is TaskState.COMPLETED


# 0.2


@pytest.mark.parametrize(
    "url, found",
    [
        ("https://x.example", "https://x.example/agent/authenticatedExtendedCard"),
        ("https://x.example/", "https://x.example/agent/authenticatedExtendedCard"),
        ("https://x.example/a2a", "https://x.example/agent/authenticatedExtendedCard"),
        ("https://x.example/a2a/?q#f", "https://x.example/a2a/agent/authenticatedExtendedCard"),
    ],
)
def test_the_extended_card_of_0_2_is_beside_the_agent(url, found):
    assert find_extended_card(url) == found


async def test_0_2_has_no_extended_card_where_there_is_none():
    agent = OldAgent(**{"GET /agent/authenticatedExtendedCard": Answer(404, {"detail": "Not Found"})})
    async with connect(agent, "0.2") as client:
        with pytest.raises(Rejected):
            await client.extended_card()
    assert "a2a-version" not in agent.calls[0][2]


# 0.1


def task_01(call, state="completed"):
    """Sparse, as the samples of those days were: no ids but the task's, no kinds."""
    artifact = {"parts": [{"type": "text", "text": "hello"}], "index": 0}
    status = {"state": state, "message": {"role": "agent", "parts": [{"type": "text", "text": "there"}]}}
    return {
        "id": call["params"]["id"],
        "sessionId": call["params"].get("sessionId"),
        "status": status,
        "artifacts": [artifact],
    }


async def test_0_1_is_told_the_id_of_the_task_and_answers_sparsely():
    agent = OldAgent(**{"tasks/send": task_01})
    async with connect(agent, "0.1") as client:
        handle = await client.send("hello")
        assert handle.text == "hello"
        assert (handle.task.status.message.role, handle.task.artifacts[0].artifact_id) == (
            Role.AGENT,
            "index-0",
        )
        sent = agent.calls[0][1]["params"]
        assert (handle.id, handle.context_id) == (sent["id"], sent["sessionId"])
        await handle.reply("more")
    again = agent.calls[1][1]["params"]
    assert (again["id"], again["sessionId"]) == (sent["id"], sent["sessionId"])
    assert sent["message"]["parts"] == [{"type": "text", "text": "hello"}]


async def test_a_send_of_0_1_that_is_repeated_is_about_the_same_task():
    answers = [Answer(503, b"", retry_after="1"), None]
    agent = OldAgent(**{"tasks/send": lambda call: answers.pop(0) or task_01(call)})
    async with connect(agent, "0.1") as client:
        await client.send("hello")
    first, second = (call[1]["params"]["id"] for call in agent.calls)
    assert first == second


async def test_events_of_0_1_belong_to_the_conversation_that_was_named():
    def play(call):
        name = call["params"]["id"]
        piece = {"parts": [{"type": "text", "text": "he"}], "index": 0}
        rest = {"parts": [{"type": "text", "text": "llo"}], "index": 0, "append": True, "lastChunk": True}
        return [
            {"id": name, "status": {"state": "working"}, "final": False},
            {"id": name, "artifact": piece},
            {"id": name, "artifact": rest},
            {"id": name, "status": {"state": "completed"}, "final": True},
        ]

    agent = OldAgent(**{"tasks/sendSubscribe": play})
    async with connect(agent, "0.1") as client:
        stream = client.stream("hi", context="talk")
        events = await read(stream)
    assert {event.context_id for event in events} == {"talk"}
    assert "".join(part.text for part in stream.view.task.artifacts[0].parts) == "hello"


@pytest.mark.parametrize(
    "code, kind",
    [
        (-32001, TaskNotFoundError),
        (-32002, TaskNotCancelableError),
        (-32003, PushNotificationNotSupportedError),
        (-32006, UnsupportedOperationError),
        (-32007, UnauthenticatedError),
        (-32009, UnsupportedOperationError),
        (-32010, UnavailableError),
        (-32602, InvalidParamsError),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
async def test_errors_of_0_1_mean_what_they_meant_then(code, kind, status):
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": "so it was"}}
    agent = OldAgent(**{"tasks/cancel": Answer(status, error)})
    async with connect(agent, "0.1") as client:
        with pytest.raises(kind, match="so it was"):
            await client.task("t1").cancel()


# REST of 0.3


def task_proto(state="TASK_STATE_COMPLETED"):
    return {
        "id": "t1",
        "contextId": "c1",
        "status": {"state": state},
        "artifacts": [{"artifactId": "a1", "parts": [{"text": "hello"}]}],
        "history": [{"messageId": "m", "role": "ROLE_USER", "content": [{"text": "hi"}]}],
    }


@pytest.mark.parametrize("answer", [{"task": task_proto()}, task_03("completed", "hello")])
async def test_rest_is_answered_in_either_style(answer):
    agent = OldAgent(**{"POST /v1/message:send": answer, "GET /v1/tasks/t1": answer.get("task", answer)})
    async with connect(agent, binding="HTTP+JSON") as client:
        handle = await client.send("hi")
        assert (handle.state, handle.text) == (TaskState.COMPLETED, "hello")
        assert (await client.get_task("t1", history_length=1)).artifacts == handle.task.artifacts
    sent = agent.calls[0][1]
    assert sent["message"]["content"] == [{"text": "hi"}]
    assert sent["configuration"]["blocking"] is True
    assert agent.calls[1][3] == "historyLength=1"


async def test_the_second_verb_of_a_subscription_is_tried_and_kept():
    events = [
        {
            "statusUpdate": {
                "taskId": "t1",
                "contextId": "c1",
                "status": {"state": "TASK_STATE_COMPLETED"},
                "final": True,
            }
        }
    ]
    agent = OldAgent(
        **{
            "GET /v1/tasks/t1:subscribe": Answer(405, {"detail": "Method Not Allowed"}),
            "POST /v1/tasks/t1:subscribe": events,
            "GET /v1/tasks/t1": task_proto(),
        }
    )
    async with connect(agent, binding="HTTP+JSON") as client:
        for _ in range(2):
            await read(client.subscribe("t1"))
    subscribed = [name for name in agent.methods() if name.endswith(":subscribe")]
    assert subscribed == ["GET /v1/tasks/t1:subscribe", *["POST /v1/tasks/t1:subscribe"] * 2]


@pytest.mark.parametrize(
    "status, kind",
    [
        (404, TaskNotFoundError),
        (409, TaskNotCancelableError),
        (422, InvalidParamsError),
        (501, UnsupportedOperationError),
    ],
)
async def test_rest_errors_are_read_off_the_status_where_there_are_only_words(status, kind):
    agent = OldAgent(**{"POST /v1/tasks/t1:cancel": Answer(status, {"message": "that will not do"})})
    async with connect(agent, binding="HTTP+JSON") as client:
        with pytest.raises(kind, match="that will not do"):
            await client.task("t1").cancel()


async def test_what_a_status_means_depends_on_what_was_asked():
    nothing = Answer(404, {"message": "none"})
    unable = Answer(501, {"message": "cannot"})
    agent = OldAgent(**{"GET /v1/card": nothing, "POST /v1/tasks/t1/pushNotificationConfigs": unable})
    async with connect(agent, binding="HTTP+JSON") as client:
        with pytest.raises(ExtendedAgentCardNotConfiguredError):
            await client.extended_card()
        with pytest.raises(PushNotificationNotSupportedError):
            await client.create_push_config("t1", "http://x.example/")


async def test_a_page_that_is_no_answer_of_an_agent_is_told_as_it_is():
    agent = OldAgent(**{"GET /v1/tasks/t1": Answer(404, {"detail": "Not Found"})})
    async with connect(agent, binding="HTTP+JSON") as client:
        with pytest.raises(Rejected, match="HTTP 404"):
            await client.get_task("t1")


# Generations


class Down(AsgiHttp):
    """A network in which the first address does not answer."""

    async def open(self, request):
        from dragoman.model import NeverSent

        if request.url.startswith("http://agent.example/first"):
            raise NeverSent("nobody there", url=request.url)
        return await super().open(request)


def two_generations():
    return make_card(
        supported_interfaces=(
            interface("JSONRPC", "/first", version="1.0"),
            interface("JSONRPC", version="0.3"),
        )
    )


async def test_no_other_generation_is_gone_on_to_unless_told():
    agent = OldAgent(**{"tasks/get": task_03("completed", "done")})
    world = FastWorld().world
    async with Client(two_generations(), http=Down(agent), world=world) as client:
        with pytest.raises(Unreachable):
            await client.get_task("t1")
    assert agent.calls == []
    async with Client(two_generations(), http=Down(agent), world=world, crosses_generations=True) as client:
        assert (await client.get_task("t1")).state is TaskState.COMPLETED
        assert client.generation is Generation.V0_3
    assert agent.calls[0][2]["a2a-version"] == "0.3"


def test_a_client_of_1_0_does_not_load_the_older_generations():
    code = """
import asyncio, sys
from dragoman import Agent, Client
from dragoman.model import Generation
agent = Agent("Greeter", "Greets", generations=[Generation.V1_0])
@agent.skill
async def greet(name: str) -> str:
    '''Greet.'''
    return f"Hello {name}"
async def main():
    async with agent.running(), Client(agent) as client:
        assert await client.ask("Ada") == "Hello Ada"
        assert client.generation.value == "1.0"
asyncio.run(main())
older = ("dragoman.wire.dialects.", "dragoman.client.transport.older", "dragoman.client.waking")
small = {"dragoman.wire.dialects.base", "dragoman.wire.dialects.naming"}  # which the server reads names with
print([name for name in sys.modules if name.startswith(older) and name not in small])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.parametrize("binding", [Binding.REST])
async def test_a_binding_that_is_not_wanted_is_not_used(binding):
    agent = OldAgent(**{"GET /v1/tasks/t1": task_proto()})
    card = make_card(
        supported_interfaces=(interface("JSONRPC", version="0.3"), interface("HTTP+JSON", "", version="0.3"))
    )
    async with Client(card, http=AsgiHttp(agent), bindings=[binding]) as client:
        assert (await client.get_task("t1")).id == "t1"
