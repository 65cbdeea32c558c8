# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""Reads the corpus with the types and the protobuf of the official SDK 0.3.26, and prints what each could not.

Gets a JSON array of samples on its input: `path`, `dialect`, `what`, `operation`, `wire`.
"""

import json
import sys
from typing import Any

from a2a import types
from a2a.grpc import a2a_pb2
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseDict
from pydantic import TypeAdapter

_EVENT = (
    types.Task | types.Message | types.TaskStatusUpdateEvent | types.TaskArtifactUpdateEvent
)  # as a stream's result has them
_KINDS: dict[tuple[str, str], Any] = {
    ("event", ""): _EVENT,
    ("webhook", ""): types.Task,
    ("card", ""): types.AgentCard,
    ("merged card", ""): types.AgentCard,
    ("error", ""): types.JSONRPCError,
    ("request", "SendMessage"): types.MessageSendParams,
    ("request", "GetTask"): types.TaskQueryParams,
    ("request", "CancelTask"): types.TaskIdParams,
    ("request", "SubscribeToTask"): types.TaskIdParams,
    ("request", "CreateTaskPushNotificationConfig"): types.TaskPushNotificationConfig,
    ("request", "GetTaskPushNotificationConfig"): types.GetTaskPushNotificationConfigParams,
    ("request", "ListTaskPushNotificationConfigs"): types.ListTaskPushNotificationConfigParams,
    ("request", "DeleteTaskPushNotificationConfig"): types.DeleteTaskPushNotificationConfigParams,
    ("result", "SendMessage"): types.Task | types.Message,
    ("result", "GetTask"): types.Task,
    ("result", "CancelTask"): types.Task,
    ("result", "CreateTaskPushNotificationConfig"): types.TaskPushNotificationConfig,
    ("result", "ListTaskPushNotificationConfigs"): list[types.TaskPushNotificationConfig],
    ("result", "DeleteTaskPushNotificationConfig"): None,
}
_PROTOS: dict[tuple[str, str], Any] = {
    ("event", ""): a2a_pb2.StreamResponse,
    ("request", "SendMessage"): a2a_pb2.SendMessageRequest,
    ("request", "GetTask"): a2a_pb2.GetTaskRequest,
    ("request", "CancelTask"): a2a_pb2.CancelTaskRequest,
    ("request", "SubscribeToTask"): a2a_pb2.TaskSubscriptionRequest,
    ("request", "CreateTaskPushNotificationConfig"): a2a_pb2.CreateTaskPushNotificationConfigRequest,
    ("request", "GetTaskPushNotificationConfig"): a2a_pb2.GetTaskPushNotificationConfigRequest,
    ("request", "ListTaskPushNotificationConfigs"): a2a_pb2.ListTaskPushNotificationConfigRequest,
    ("request", "DeleteTaskPushNotificationConfig"): a2a_pb2.DeleteTaskPushNotificationConfigRequest,
    ("result", "SendMessage"): a2a_pb2.SendMessageResponse,
    ("result", "GetTask"): a2a_pb2.Task,
    ("result", "CancelTask"): a2a_pb2.Task,
    ("result", "CreateTaskPushNotificationConfig"): a2a_pb2.TaskPushNotificationConfig,
    ("result", "ListTaskPushNotificationConfigs"): a2a_pb2.ListTaskPushNotificationConfigResponse,
    ("result", "DeleteTaskPushNotificationConfig"): Empty,
}


def check(sample: dict[str, Any]) -> str:
    key = (sample["what"], sample["operation"])
    wires = sample["wire"] if sample["what"] == "event" else [sample["wire"]]
    try:
        for wire in wires:
            if sample["dialect"] == "0.3 proto" and key in _PROTOS:
                ParseDict(wire, _PROTOS[key]())
            elif key in _KINDS:
                TypeAdapter(_KINDS[key]).validate_python(wire)
            else:
                return f"nothing to read it with: {key}"
    except Exception as error:  # noqa: BLE001 - the test wants to see all of them
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    samples = json.load(sys.stdin)
    print(json.dumps({sample["path"]: problem for sample in samples if (problem := check(sample))}))  # noqa: T201


if __name__ == "__main__":
    main()
