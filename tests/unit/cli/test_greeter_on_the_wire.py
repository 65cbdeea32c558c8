"""The hello world of the README, saved and served, and asked by nothing but HTTP."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.cli.processes import GREETER, SECONDS, serving

pytestmark = pytest.mark.slow

MESSAGE = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "Ada"}]}
HEADERS = {"Content-Type": "application/json", "A2A-Version": "1.0"}


@pytest.fixture(scope="module")
def greeter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("greeter")
    (folder / "greeter.py").write_text(GREETER)
    with serving("greeter:agent", cwd=folder) as served:
        yield served.url


@contextmanager
def asking(url: str, verb: str, path: str, body: Any = None) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request(verb, path, None if body is None else json.dumps(body), HEADERS)
        yield connection.getresponse()
    finally:
        connection.close()


def read_json(reply: http.client.HTTPResponse) -> Any:
    assert reply.status == 200
    return json.loads(reply.read())


def read_events(reply: http.client.HTTPResponse) -> list[Any]:
    assert reply.status == 200
    assert reply.getheader("content-type", "").startswith("text/event-stream")
    lines = reply.read().decode().splitlines()
    return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]


def get_text(task: Any) -> str:
    return "".join(part["text"] for artifact in task["artifacts"] for part in artifact["parts"])


def test_the_card_says_who_it_is(greeter):
    with asking(greeter, "GET", "/.well-known/agent-card.json") as reply:
        card = read_json(reply)
        assert reply.getheader("etag")
    assert (card["name"], card["description"]) == ("Greeter", "Says hello")
    assert {entry["protocolBinding"]: entry["url"] for entry in card["supportedInterfaces"]} == {
        "JSONRPC": f"{greeter}/",
        "HTTP+JSON": greeter,
    }
    assert [(skill["id"], skill["description"]) for skill in card["skills"]] == [
        ("hello", "Greet someone by name.")
    ]


def test_it_answers_over_json_rpc(greeter):
    call = {"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": {"message": MESSAGE}}
    with asking(greeter, "POST", "/", call) as reply:
        answer = read_json(reply)
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
    assert answer["result"]["task"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert get_text(answer["result"]["task"]) == "Hello, Ada!"


def test_it_answers_over_rest(greeter):
    with asking(greeter, "POST", "/message:send", {"message": MESSAGE}) as reply:
        task = read_json(reply)["task"]
    assert get_text(task) == "Hello, Ada!"
    with asking(greeter, "GET", f"/tasks/{task['id']}") as reply:
        assert read_json(reply)["id"] == task["id"]


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
def test_it_streams(greeter, binding):
    call = {"jsonrpc": "2.0", "id": 7, "method": "SendStreamingMessage", "params": {"message": MESSAGE}}
    path, body = ("/", call) if binding == "JSONRPC" else ("/message:stream", {"message": MESSAGE})
    with asking(greeter, "POST", path, body) as reply:
        events = read_events(reply)
    payloads = [event["result"] for event in events] if binding == "JSONRPC" else events
    assert [next(iter(payload)) for payload in payloads] == [
        "task",
        "statusUpdate",
        "artifactUpdate",
        "statusUpdate",
    ]
    assert payloads[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
