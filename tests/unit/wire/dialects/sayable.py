"""What each generation cannot say. A record without that comes back as it went."""

from msgspec import UNSET
from msgspec.structs import replace

from dragoman.model import (
    Artifact,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    Task,
    TaskArtifactUpdateEvent,
    TaskPushNotificationConfig,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)

FIRST, PROTO = "0.1", "0.3 proto"

LOSSES = {
    "0.3": ["the media type and file name of text and data", "the tenant", "a history length of 0"],
    "0.2": ["the same as 0.3"],
    "0.3 proto": ["the same as 0.3", "referenceTaskIds", "no artifacts, as distinct from none asked for"],
    "0.1": [
        "the same as 0.3",
        "the states rejected and auth-required",
        "the context and task of a message, its extensions and referenceTaskIds",
        "the extensions of an artifact",
        "a message as an answer",
        "whether a send waits",
        "a whole task in a stream",
    ],
}

_FIRST_STATES = {
    TaskState.REJECTED: TaskState.FAILED,
    TaskState.AUTH_REQUIRED: TaskState.INPUT_REQUIRED,
}


def part(value: Part) -> Part:
    if value.text is UNSET and value.data is UNSET:
        return value
    is_boxed = value.data is not UNSET and not isinstance(value.data, dict)
    metadata = value.metadata or None if is_boxed else value.metadata
    return replace(value, media_type="", filename="", metadata=metadata)


def message(value: Message, name: str) -> Message:
    value = replace(value, parts=tuple(map(part, value.parts)))
    if name == PROTO:
        return replace(value, reference_task_ids=())
    if name == FIRST:
        return replace(value, context_id="", task_id="", extensions=(), reference_task_ids=())
    return value


def artifact(value: Artifact, name: str) -> Artifact:
    value = replace(value, parts=tuple(map(part, value.parts)))
    return replace(value, extensions=()) if name == FIRST else value


def status(value: TaskStatus, name: str) -> TaskStatus:
    said = None if value.message is None else message(value.message, name)
    state = _FIRST_STATES.get(value.state, value.state) if name == FIRST else value.state
    return replace(value, message=said, state=state)


def task(value: Task, name: str) -> Task:
    artifacts = value.artifacts
    if artifacts is not UNSET:
        artifacts = tuple(artifact(one, name) for one in artifacts)
        if name == PROTO and not artifacts:
            artifacts = UNSET
    return replace(
        value,
        status=status(value.status, name),
        artifacts=artifacts,
        history=tuple(message(one, name) for one in value.history),
    )


def status_update(value: TaskStatusUpdateEvent, name: str) -> TaskStatusUpdateEvent:
    return replace(value, status=status(value.status, name))


def artifact_update(value: TaskArtifactUpdateEvent, name: str) -> TaskArtifactUpdateEvent:
    return replace(value, artifact=artifact(value.artifact, name))


def push(value: TaskPushNotificationConfig) -> TaskPushNotificationConfig:
    return replace(value, tenant="")


def configuration(value: SendMessageConfiguration, name: str) -> SendMessageConfiguration:
    config = value.task_push_notification_config
    return replace(
        value,
        history_length=value.history_length or None,
        return_immediately=False if name == FIRST else value.return_immediately,
        task_push_notification_config=None if config is None else replace(config, tenant="", task_id=""),
    )


def send(value: SendMessageRequest, name: str) -> SendMessageRequest:
    said = value.message
    if name == FIRST:
        kept = message(said, name)
        said = replace(kept, task_id=said.task_id, context_id=said.context_id)
    else:
        said = message(said, name)
    config = configuration(value.configuration or SendMessageConfiguration(), name)
    return replace(value, tenant="", message=said, configuration=config)


def is_sent_by_user(value: Message) -> bool:
    return value.role is Role.USER
