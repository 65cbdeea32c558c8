"""Writing JSON with `kind` in it, from the JSON of 1.0 (SPEC 7.3)."""

from collections.abc import Mapping

from dragoman.model import JSON
from dragoman.wire.dialects.members import copy, put
from dragoman.wire.dialects.older import OlderWriter
from dragoman.wire.dialects.reading import BOXED
from dragoman.wire.dialects.spellings import OLD_ROLES, OLD_STATES, is_final
from dragoman.wire.narrowing import is_object


def write_content(part: Mapping[str, JSON]) -> tuple[str, dict[str, JSON]]:
    """What kind of part it is, and its members. Text and data lose the media type and the file name that 1.0 gives them."""
    if "text" in part:
        return "text", {"text": part["text"]}
    if "data" in part:
        return "data", {"data": box(part["data"])}
    file: dict[str, JSON] = {"bytes": part["raw"]} if "raw" in part else {"uri": part["url"]}
    put(file, "mimeType", part.get("mediaType"))
    put(file, "name", part.get("filename"))
    return "file", {"file": file}


def box(data: JSON) -> JSON:
    """Data as an object, which is all that a data part could hold."""
    return data if is_object(data) else {"value": data}


def write_part_metadata(part: Mapping[str, JSON]) -> dict[str, JSON]:
    """The metadata, with the mark of data that had to be boxed."""
    metadata = copy(part, "metadata")
    if "data" in part and not is_object(part["data"]):
        metadata["metadata"] = {**(part.get("metadata") or {}), BOXED: True}
    return metadata


class KindWriter(OlderWriter):
    """Writes 0.2 and 0.3. `for_both` adds what a reader of 0.1 looks for; a reader of 0.3 passes it over."""

    def __init__(self, *, for_both: bool = False) -> None:
        self._for_both = for_both

    def part(self, part: Mapping[str, JSON]) -> dict[str, JSON]:
        kind, content = write_content(part)
        names = ("kind", "type") if self._for_both else ("kind",)
        return dict.fromkeys(names, kind) | content | write_part_metadata(part)

    def message(self, message: Mapping[str, JSON]) -> dict[str, JSON]:
        return {
            "kind": "message",
            **copy(message, "messageId", "contextId", "taskId", "metadata", "extensions", "referenceTaskIds"),
            "role": OLD_ROLES[message["role"]],
            "parts": [self.part(part) for part in message["parts"]],
        }

    def state(self, state: str) -> str:
        return OLD_STATES[state]

    def task(self, task: Mapping[str, JSON]) -> dict[str, JSON]:
        written: dict[str, JSON] = {
            "kind": "task",
            "id": task["id"],
            "contextId": task.get("contextId", ""),
            "status": self.status(task["status"]),
            **copy(task, "metadata"),
        }
        if "artifacts" in task:
            written["artifacts"] = [self.artifact(artifact) for artifact in task["artifacts"]]
        if "history" in task:
            written["history"] = [self.message(message) for message in task["history"]]
        if self._for_both:
            written["sessionId"] = written["contextId"]
            for index, artifact in enumerate(written.get("artifacts", ())):
                artifact["index"] = index
        return written

    def event(self, event: Mapping[str, JSON]) -> dict[str, JSON]:
        match event:
            case {"task": task}:
                return self.task(task)
            case {"message": message}:
                return self.message(message)
            case {"statusUpdate": update}:
                return self._head("status-update", update) | {
                    "status": self.status(update["status"]),
                    "final": is_final(update["status"]["state"]),
                }
            case _:
                update = event["artifactUpdate"]
                flags = copy(update, "append", "lastChunk")
                artifact = self.artifact(update["artifact"]) | (flags if self._for_both else {})
                return self._head("artifact-update", update) | flags | {"artifact": artifact}

    def _head(self, kind: str, update: Mapping[str, JSON]) -> dict[str, JSON]:
        head: dict[str, JSON] = {"kind": kind, **copy(update, "taskId", "contextId", "metadata")}
        if self._for_both:
            head |= {"id": update["taskId"], "sessionId": update["contextId"]}
        return head
