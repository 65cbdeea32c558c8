"""The requests of every workload as bytes, in the words of each dialect, and what a right answer has in it."""

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

ID = b"#" * 32
"""Replaced by a number of its own in each request."""
MEGABYTE = 1_000_000
STATES = {"0.3": '"completed"', "submitted": "TASK_STATE_", "lite": "TASK_STATE_COMPLETED"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and what every answer to it must contain; `events` is how many events a stream has at least."""

    payload: bytes
    marker: bytes
    events: int = 0


def build(workload: str, speaks: str) -> Request:
    """The request of a workload for a contestant that speaks so."""
    if workload == "card":
        return Request(_head("GET", "/.well-known/agent-card.json"), b'"skills"')
    marker = STATES.get(speaks, "TASK_STATE_COMPLETED").encode()
    if workload == "message":
        return Request(build_call("message hello", speaks, skill="message"), b"message hello")
    if workload in ("task", "rest"):
        call = build_call("hello world", speaks) if workload == "task" else build_rest("hello world")
        return Request(call, marker)
    if workload.startswith("stream"):
        count = int(workload.removeprefix("stream"))
        return _build_stream(count, speaks)
    if workload == "text":
        return Request(build_call("x" * MEGABYTE, speaks), marker)
    if workload == "file":
        return Request(build_call(b"\xee" * MEGABYTE, speaks, skill="file"), marker)
    raise ValueError(f"no workload is called {workload!r}")


def _build_stream(count: int, speaks: str) -> Request:
    """Three events are a task, an artifact and its end; more are so many chunks of one artifact."""
    end = b"completed" if speaks == "0.3" else b"TASK_STATE_COMPLETED"
    if count == 3:
        return Request(build_call("stream 1", speaks, streams=True), end, 3)
    return Request(build_call(f"stream {count}", speaks, skill="stream", streams=True), end, count)


def build_call(
    content: str | bytes,
    speaks: str = "1.0",
    *,
    skill: str = "echo",
    streams: bool = False,
    task_id: str = "",
    configuration: dict[str, Any] | None = None,
) -> bytes:
    """A send in JSON-RPC, its messageId left open."""
    if speaks == "0.3":
        method, params = _build_old(content, streams)
    else:
        method = "SendStreamingMessage" if streams else "SendMessage"
        params = _build_new(content, skill, speaks)
        if task_id:
            params["message"]["taskId"] = task_id
        if configuration:
            params["configuration"] = configuration
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return _post("/", body, "0.3" if speaks == "0.3" else "1.0")


def build_method(method: str, **params: Any) -> bytes:
    return _post("/", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def build_rest(text: str) -> bytes:
    return _post("/message:send", _build_new(text, "echo", "1.0"))


def _build_new(content: str | bytes, skill: str, speaks: str) -> dict[str, Any]:
    if speaks == "lite":
        content = json.dumps({"skill": skill, "params": {"text": content}})
    part = {"text": content} if isinstance(content, str) else {"raw": b64encode(content).decode()}
    if isinstance(content, bytes):
        part["mediaType"] = "application/octet-stream"
    message = {"messageId": ID.decode(), "role": "ROLE_USER", "parts": [part]}
    return {"message": message, "metadata": {"skill": skill}}


def _build_old(content: str | bytes, streams: bool) -> tuple[str, dict[str, Any]]:
    if isinstance(content, str):
        part: dict[str, Any] = {"kind": "text", "text": content}
    else:
        file = {"bytes": b64encode(content).decode(), "mimeType": "application/octet-stream"}
        part = {"kind": "file", "file": file}
    message = {"kind": "message", "messageId": ID.decode(), "role": "user", "parts": [part]}
    params = {"message": message, "configuration": {"blocking": True}}
    return "message/stream" if streams else "message/send", params


def _post(path: str, body: dict[str, Any], version: str = "1.0") -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode()
    more = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return _head("POST", path, version, more) + content


def _head(method: str, path: str, version: str = "1.0", more: str = "") -> bytes:
    lines = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nA2A-Version: {version}\r\n"
    accept = "Accept: application/json, text/event-stream\r\n"
    return f"{lines}{accept}{more}\r\n".encode()
