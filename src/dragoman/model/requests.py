"""What callers ask and what they get (SPEC 1.5).

Ranges such as those of `page_size` are the engine's to check, so that every binding refuses them alike (D-23).
"""

from dragoman.model.base import Int32, Metadata, Record, RequiredText
from dragoman.model.task import Message, Task, TaskState
from dragoman.model.timestamps import Timestamp


class AuthenticationInfo(Record, frozen=True, kw_only=True):
    """How a webhook receiver wants to be approached: one IANA scheme name, and its credentials."""

    scheme: RequiredText
    credentials: str = ""


class TaskPushNotificationConfig(Record, frozen=True, kw_only=True):
    """A webhook for one task; also the request that creates it."""

    tenant: str = ""
    id: str = ""
    task_id: str = ""
    url: RequiredText
    token: str = ""
    authentication: AuthenticationInfo | None = None


class SendMessageConfiguration(Record, frozen=True, kw_only=True):
    """How a send should be carried out. `return_immediately` false waits until the task is settled (D-02)."""

    accepted_output_modes: tuple[str, ...] = ()
    task_push_notification_config: TaskPushNotificationConfig | None = None
    history_length: Int32 | None = None
    return_immediately: bool = False


class SendMessageRequest(Record, frozen=True, kw_only=True):
    """A message to the agent, and how to carry it out."""

    tenant: str = ""
    message: Message
    configuration: SendMessageConfiguration | None = None
    metadata: Metadata | None = None


class GetTaskRequest(Record, frozen=True, kw_only=True):
    """Which task to read, with how much of its history."""

    tenant: str = ""
    id: RequiredText
    history_length: Int32 | None = None


class ListTasksRequest(Record, frozen=True, kw_only=True):
    """Which of the caller's tasks to list; filters hold together, unset ones let everything through."""

    tenant: str = ""
    context_id: str = ""
    status: TaskState = TaskState.UNSPECIFIED
    page_size: Int32 | None = None
    page_token: str = ""
    history_length: Int32 | None = None
    status_timestamp_after: Timestamp | None = None
    include_artifacts: bool | None = None


class ListTasksResponse(Record, frozen=True, kw_only=True):
    """A page of tasks; `next_page_token` is printed also when empty (LST-03)."""

    tasks: tuple[Task, ...]
    next_page_token: str
    page_size: Int32
    total_size: Int32


class CancelTaskRequest(Record, frozen=True, kw_only=True):
    """Which task to cancel."""

    tenant: str = ""
    id: RequiredText
    metadata: Metadata | None = None


class SubscribeToTaskRequest(Record, frozen=True, kw_only=True):
    """Which task to follow."""

    tenant: str = ""
    id: RequiredText


class GetTaskPushNotificationConfigRequest(Record, frozen=True, kw_only=True):
    """Which webhook of which task to read."""

    tenant: str = ""
    task_id: RequiredText
    id: RequiredText


class DeleteTaskPushNotificationConfigRequest(Record, frozen=True, kw_only=True):
    """Which webhook of which task to remove."""

    tenant: str = ""
    task_id: RequiredText
    id: RequiredText


class ListTaskPushNotificationConfigsRequest(Record, frozen=True, kw_only=True):
    """Which task's webhooks to list. `tenant` is field 4 here, and field 1 everywhere else."""

    task_id: RequiredText
    page_size: Int32 = 0
    page_token: str = ""
    tenant: str = ""


class ListTaskPushNotificationConfigsResponse(Record, frozen=True, kw_only=True):
    """A page of webhooks."""

    configs: tuple[TaskPushNotificationConfig, ...] = ()
    next_page_token: str = ""


class GetExtendedAgentCardRequest(Record, frozen=True, kw_only=True):
    """Ask for the card that only authenticated callers see."""

    tenant: str = ""


class Empty(Record, frozen=True, kw_only=True):
    """The answer that says no more than that it was done."""
