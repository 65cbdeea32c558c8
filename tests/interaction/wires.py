"""The bindings as a stranger would write them: plain HTTP and JSON, none of it from `dragoman.wire`.

`BINDINGS` is the table; a test that takes `binding` or `wire` runs once for each row of it, and over gRPC (`grpc_wire`) unless it
says `@over_http`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from dragoman.client.http import AsgiApp, AsgiHttp, HttpRequest, HttpStream
from dragoman.model import Binding

Json: TypeAlias = dict[str, Any]

BASE = "http://agent.test"
VERSION = {"a2a-version": "1.0"}
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

REST_PATHS = {
    "SendMessage": ("POST", "/message:send"),
    "SendStreamingMessage": ("POST", "/message:stream"),
    "GetTask": ("GET", "/tasks/{id}"),
    "ListTasks": ("GET", "/tasks"),
    "CancelTask": ("POST", "/tasks/{id}:cancel"),
    "SubscribeToTask": ("POST", "/tasks/{id}:subscribe"),
    "CreateTaskPushNotificationConfig": ("POST", "/tasks/{taskId}/pushNotificationConfigs"),
    "GetTaskPushNotificationConfig": ("GET", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
    "ListTaskPushNotificationConfigs": ("GET", "/tasks/{taskId}/pushNotificationConfigs"),
    "DeleteTaskPushNotificationConfig": ("DELETE", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
    "GetExtendedAgentCard": ("GET", "/extendedAgentCard"),
}


@dataclass(frozen=True)
class Failure:
    """An error of any binding. `code` is the JSON-RPC code, the HTTP status or gRPC's number."""

    code: int
    message: str
    details: list[Json]
    status: str = ""

    @property
    def info(self) -> Json:
        return next((detail for detail in self.details if detail["@type"] == ERROR_INFO), {})

    @property
    def reason(self) -> str:
        return str(self.info.get("reason", ""))

    @property
    def fields(self) -> list[str]:
        """The members that are at fault."""
        found = (detail for detail in self.details if detail["@type"] == BAD_REQUEST)
        return [violation["field"] for detail in found for violation in detail["fieldViolations"]]


@dataclass(frozen=True)
class Answer:
    """What came back, as it came and as the binding means it. `status` is HTTP's, or what it would be."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    result: Any = None
    failure: Failure | None = None

    @property
    def is_result(self) -> bool:
        return self.failure is None

    @property
    def error(self) -> Failure:
        assert self.failure is not None, f"expected an error, got {self.body[:500]!r}"
        return self.failure

    @property
    def task(self) -> Json:
        """The task in a result that wraps one or is one."""
        assert self.failure is None, self.failure
        task: Json = self.result.get("task", self.result)
        return task


class Events:
    """An open stream, event by event; `raw` is what came over the wire so far."""

    def __init__(self, stream: HttpStream) -> None:
        self.headers = stream.headers
        self.raw = b""
        self._stream = stream
        self._rest = b""

    async def next(self) -> Json | None:
        """The next StreamResponse or JSON-RPC answer, None at the end."""
        while b"\n\n" not in self._rest:
            chunk = await self._stream.read()
            if not chunk:
                assert not self._rest, f"the stream ended inside an event: {self._rest!r}"
                return None
            self.raw += chunk
            self._rest += chunk
        block, _, self._rest = self._rest.partition(b"\n\n")
        data = [line[6:] for line in block.split(b"\n") if line.startswith(b"data: ")]
        return json.loads(b"\n".join(data)) if data else await self.next()


class Wire(ABC):
    """Carries operations to an app in process, by one binding."""

    binding: Binding
    media_type: str

    def __init__(self, app: AsgiApp, base: str = BASE) -> None:
        self.app = app
        self.base = base
        self.http = AsgiHttp(app)

    @abstractmethod
    def build(self, operation: str, params: Json, headers: Mapping[str, str]) -> HttpRequest: ...
    @abstractmethod
    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer: ...
    @abstractmethod
    def unwrap(self, event: Json) -> Json:
        """The StreamResponse of an event."""

    async def call(self, operation: str, params: Json | None = None, **headers: str) -> Answer:
        """One operation; `a2a_version=""` and the like set headers over the usual ones."""
        reply = await self.http.request(self.build(operation, params or {}, with_version(headers)))
        return self.read(*reply)

    def is_plain(self, answer: Answer) -> bool:
        """Whether it came in one piece, and not as a stream."""
        return answer.headers["content-type"] == self.media_type

    async def send(self, content: Any = "hello", skill: str = "", **members: Any) -> Answer:
        return await self.call("SendMessage", send_params(content, skill, **members))

    @asynccontextmanager
    async def open(self, operation: str, params: Json, **headers: str) -> AsyncIterator["Stream"]:
        stream = await self.http.open(self.build(operation, params, with_version(headers)))
        try:
            assert stream.headers["content-type"].startswith("text/event-stream"), await stream.read()
            yield Stream(self, Events(stream))
        finally:
            stream.close()

    @asynccontextmanager
    async def subscribed(self, task_id: str) -> AsyncIterator["Stream"]:
        async with self.open("SubscribeToTask", {"id": task_id}) as stream:
            yield stream

    async def stream(self, content: Any = "hello", skill: str = "", **members: Any) -> list[Json]:
        """Every event of a streaming send."""
        async with self.open("SendStreamingMessage", send_params(content, skill, **members)) as stream:
            return await stream.rest()

    async def aclose(self) -> None:
        await self.http.close()


@dataclass
class Stream:
    """The events of a stream, unwrapped."""

    wire: Wire
    events: Events
    seen: list[Json] = field(default_factory=list)

    async def next(self) -> Json:
        event = await self.next_or_end()
        assert event is not None, "the stream has ended"
        return event

    async def next_or_end(self) -> Json | None:
        event = await self.events.next()
        if event is None:
            return None
        self.seen.append(self.wire.unwrap(event))
        return self.seen[-1]

    async def rest(self) -> list[Json]:
        """What is still to come, until the server closes."""
        events: list[Json] = []
        while (event := await self.next_or_end()) is not None:
            events.append(event)
        return events


class JsonRpcWire(Wire):
    binding = Binding.JSONRPC
    media_type = "application/json"

    def build(self, operation: str, params: Json, headers: Mapping[str, str]) -> HttpRequest:
        body = json.dumps({"jsonrpc": "2.0", "id": "call-1", "method": operation, "params": params}).encode()
        return HttpRequest("POST", f"{self.base}/", {"content-type": self.media_type, **headers}, body)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        value = json.loads(body)
        assert value["jsonrpc"] == "2.0"
        assert ("result" in value) != ("error" in value)
        if "result" in value:
            return Answer(status, headers, body, value["result"])
        error = value["error"]
        return Answer(
            status, headers, body, None, Failure(error["code"], error["message"], error.get("data", []))
        )

    def unwrap(self, event: Json) -> Json:
        assert event["id"] == "call-1"
        result: Json = event["result"]
        return result


class RestWire(Wire):
    binding = Binding.REST
    media_type = "application/a2a+json"

    def build(self, operation: str, params: Json, headers: Mapping[str, str]) -> HttpRequest:
        verb, template = REST_PATHS[operation]
        in_path = {name for name in params if f"{{{name}}}" in template}
        path = template.format_map({name: quote(str(params[name]), safe="") for name in in_path})
        rest = {name: value for name, value in params.items() if name not in in_path}
        if verb == "POST":
            body = json.dumps(rest).encode()
            return HttpRequest(verb, self.base + path, {"content-type": self.media_type, **headers}, body)
        query = urlencode({name: _text(value) for name, value in rest.items()}, quote_via=quote)
        return HttpRequest(verb, self.base + path + (f"?{query}" if query else ""), headers)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        value = json.loads(body)
        if status == 200:
            return Answer(status, headers, body, value)
        error = value["error"]
        failure = Failure(error["code"], error["message"], error.get("details", []), error["status"])
        return Answer(status, headers, body, None, failure)

    def unwrap(self, event: Json) -> Json:
        return event


BINDINGS: dict[str, type[Wire]] = {"jsonrpc": JsonRpcWire, "rest": RestWire}

over_http = pytest.mark.parametrize("binding", list(BINDINGS), indirect=True)
"""For a test about what only HTTP, or only JSON, can say."""


def send_params(content: Any = "hello", skill: str = "", **members: Any) -> Json:
    """The request of a send: `task_id` and `context_id` go into the message, other members into the configuration.

    `content` is a text or a list of parts.
    """
    parts = [{"text": content}] if isinstance(content, str) else content
    message = {"messageId": uuid4().hex, "role": "ROLE_USER", "parts": parts, **members.pop("message", {})}
    for name, key in (("task_id", "taskId"), ("context_id", "contextId")):
        if name in members:
            message[key] = members.pop(name)
    params: Json = {"message": message}
    if skill:
        params["metadata"] = {"skill": skill}
    if members:
        params["configuration"] = members
    return params


def state_of(event: Json) -> str:
    """The state that an event or a task tells of, without its prefix; "" for an artifact."""
    told = event.get("statusUpdate") or event.get("task") or event
    state: str = told.get("status", {}).get("state", "")
    return state.removeprefix("TASK_STATE_")


def kinds(events: list[Json]) -> list[str]:
    """Which member of StreamResponse each event is."""
    return [next(iter(event)) for event in events]


def with_version(given: Mapping[str, str]) -> dict[str, str]:
    """Headers from keywords; `a2a_version=""` leaves the version out."""
    named = {name.replace("_", "-"): value for name, value in given.items()}
    return {name: value for name, value in {**VERSION, **named}.items() if value}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
