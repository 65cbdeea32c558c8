"""JSON of any generation before 1.0, brought to the shape of 1.0 (SPEC 7.3, 7.4, 7.5).

One reader for all of them: what 0.1 tells by `type`, 0.2 and 0.3 by `kind` and the proto JSON of 0.3 by the name of a member does
not collide, and peers mix them. Every function takes any JSON. What fits nothing is left for the decoder of 1.0 to refuse; what 1.0
does not know is dropped.
"""

import hashlib
from collections.abc import Callable, Mapping

from dragoman.model import JSON
from dragoman.wire.codec import encode
from dragoman.wire.dialects.members import change_object, copy, each, pick, put
from dragoman.wire.dialects.spellings import load_proto_bytes, load_role, load_state, load_timestamp
from dragoman.wire.narrowing import is_array, is_object

BOXED = "data_part_compat"
"""Marks a data part that holds `{"value": …}`, because what it holds is no object; the official SDK's word."""

_EVENT_KINDS = {
    "task": "task",
    "message": "message",
    "status-update": "statusUpdate",
    "artifact-update": "artifactUpdate",
}


def read_part(value: JSON) -> JSON:
    """A part of any generation."""
    return change_object(value, _read_part)


def _read_part(value: dict[str, JSON]) -> JSON:
    kind = pick(value, "kind", "type")
    part = copy(value, "metadata")
    for name, reader in _CONTENTS.items():
        if (kind == name and name in value) or (kind is None and value.get(name) is not None):
            part |= reader(value, kind)
    return part


def _read_text(value: Mapping[str, JSON], _: JSON) -> dict[str, JSON]:
    return {"text": value["text"]}


def _read_file(value: Mapping[str, JSON], _: JSON) -> dict[str, JSON]:
    file = value["file"]
    if not is_object(file):
        return {"raw": file if file is not None else False}
    part: dict[str, JSON] = {}
    media_type = pick(file, "mimeType", "mediaType")
    put(part, "raw", pick(file, "bytes"))
    if (packed := pick(file, "fileWithBytes")) is not None:
        part["raw"] = load_proto_bytes(packed, media_type)
    put(part, "url", pick(file, "uri", "fileWithUri"))
    put(part, "mediaType", media_type)
    put(part, "filename", pick(file, "name"))
    return part


def _read_data(value: Mapping[str, JSON], kind: JSON) -> dict[str, JSON]:
    data = value["data"]
    if kind is None and is_object(data) and data.keys() == {"data"}:
        data = data["data"]  # a2a.v1 has a message around it
    metadata = pick(value, "metadata")
    if is_object(metadata) and metadata.get(BOXED) is True and is_object(data) and data.keys() == {"value"}:
        rest = {name: entry for name, entry in metadata.items() if name != BOXED}
        return {"data": data["value"], "metadata": rest or None}
    return {"data": data}


_CONTENTS: dict[str, Callable[[Mapping[str, JSON], JSON], dict[str, JSON]]] = {
    "text": _read_text,
    "file": _read_file,
    "data": _read_data,
}


def read_message(value: JSON) -> JSON:
    """A message that somebody sends; its id is not made up."""
    return change_object(value, _read_message)


def _read_message(value: dict[str, JSON]) -> dict[str, JSON]:
    message = copy(
        value, "messageId", "contextId", "taskId", "metadata", "extensions", "referenceTaskIds", "role"
    )
    if "role" in message:
        message["role"] = load_role(message["role"])
    put(message, "parts", each(pick(value, "parts", "content"), read_part))
    return message


def read_answer(value: JSON) -> JSON:
    """A message that a peer answers with. 1.0 wants an id and a part; where they are missing they are made, always the same."""
    message = read_message(value)
    if not is_object(message):
        return message
    if not message.get("messageId"):
        message["messageId"] = _digest(message)
    _fill_parts(message)
    return message


def _digest(message: Mapping[str, JSON]) -> str:
    # Free JSON that a peer nested too deep to print has no place here: the decoder has refused it by its depth before.
    return hashlib.sha256(encode(message)).hexdigest()[:32]


def _fill_parts(holder: dict[str, JSON]) -> None:
    if holder.get("parts") in (None, []):
        holder["parts"] = [{"text": ""}]


def read_status(value: JSON) -> JSON:
    """The status of a task."""
    return change_object(value, _read_status)


def _read_status(value: dict[str, JSON]) -> dict[str, JSON]:
    status: dict[str, JSON] = {}
    put(status, "state", load_state(pick(value, "state")))
    put(status, "message", read_answer(pick(value, "message", "update")))
    put(status, "timestamp", load_timestamp(pick(value, "timestamp")))
    return status


def read_artifact(value: JSON) -> JSON:
    """An artifact; one of 0.1 has an index for an id."""
    return change_object(value, _read_artifact)


def _read_artifact(value: dict[str, JSON]) -> dict[str, JSON]:
    artifact = copy(value, "artifactId", "name", "description", "metadata", "extensions")
    put(artifact, "parts", each(pick(value, "parts", "content"), read_part))
    if not artifact.get("artifactId"):
        artifact["artifactId"] = f"index-{_read_index(value)}"
    _fill_parts(artifact)
    return artifact


def _read_index(value: Mapping[str, JSON]) -> int:
    index = value.get("index")
    return index if type(index) is int else 0


def read_task(value: JSON) -> JSON:
    """A task."""
    return change_object(value, _read_task)


def _read_task(value: dict[str, JSON]) -> dict[str, JSON]:
    task = copy(value, "id", "metadata")
    put(task, "contextId", pick(value, "contextId", "sessionId"))
    put(task, "status", read_status(pick(value, "status")))
    put(task, "artifacts", each(pick(value, "artifacts"), read_artifact))
    put(task, "history", each(pick(value, "history"), read_answer))
    return task


def read_reply(value: JSON) -> JSON:
    """What a send is answered with: wrapped in `task` or `message`, or told apart by `kind` or by its members."""
    return _read_wrapped(value, ("task", "message"))


def read_event(value: JSON) -> JSON:
    """One event of a stream, or the body of a webhook."""
    return _read_wrapped(value, tuple(_READERS))


def _read_wrapped(value: JSON, allowed: tuple[str, ...]) -> JSON:
    if not is_object(value):
        return value
    for name in allowed:
        inner = pick(value, name, *_ALIASES.get(name, ()))
        if is_object(inner) and _find_kind(value) in ("", name):
            return {name: _READERS[name](inner)}
    name = _find_kind(value) or _guess_kind(value)
    return {name: _READERS[name](value)} if name in allowed else value


_ALIASES = {"message": ("msg",)}


def _find_kind(value: Mapping[str, JSON]) -> str:
    kind = value.get("kind")
    return _EVENT_KINDS.get(kind, "") if isinstance(kind, str) else ""


def _guess_kind(value: Mapping[str, JSON]) -> str:
    """What it is by its members: `kind` came late, and some leave it out."""
    if "artifact" in value:
        return "artifactUpdate"
    if "status" in value:
        return "statusUpdate" if "final" in value or pick(value, "id") is None else "task"
    if is_array(pick(value, "parts", "content")):
        return "message"
    return ""


def read_status_event(value: dict[str, JSON]) -> JSON:
    """A change of status; an event of 0.1 does not name its conversation, and gets the task's id for it."""
    event = _read_head(value)
    put(event, "status", read_status(pick(value, "status")))
    return event


def read_artifact_event(value: dict[str, JSON]) -> JSON:
    """A piece of an artifact; 0.1 says inside of the artifact how it goes on."""
    event = _read_head(value)
    artifact = pick(value, "artifact")
    inner = artifact if is_object(artifact) else {}
    for name in ("append", "lastChunk"):
        flag = pick(value, name)
        put(event, name, pick(inner, name) if flag is None else flag)
    put(event, "artifact", read_artifact(artifact))
    return event


def _read_head(value: Mapping[str, JSON]) -> dict[str, JSON]:
    head = copy(value, "metadata")
    task_id = pick(value, "taskId", "id")
    put(head, "taskId", task_id)
    put(head, "contextId", pick(value, "contextId", "sessionId") or task_id)
    return head


_READERS: dict[str, Callable[[dict[str, JSON]], JSON]] = {
    "task": _read_task,
    "message": read_answer,
    "statusUpdate": read_status_event,
    "artifactUpdate": read_artifact_event,
}
