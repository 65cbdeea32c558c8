"""What the engine checks of a request before it does anything (ERR-09, D-23, I10)."""

from urllib.parse import urlsplit

from dragoman.engine.limits import Limits
from dragoman.model import (
    FieldViolation,
    GetTaskRequest,
    InvalidParamsError,
    ListTasksRequest,
    Message,
    SendMessageRequest,
    TaskPushNotificationConfig,
)


def check_send(request: SendMessageRequest, limits: Limits) -> None:
    """Raise InvalidParamsError unless the message is within the limits."""
    violations = _message_violations(request.message, limits)
    if request.configuration is not None:
        violations += _history_violations(request.configuration.history_length, "configuration.historyLength")
        if push := request.configuration.task_push_notification_config:
            violations += _push_violations(push, limits, "configuration.taskPushNotificationConfig.")
    _raise_if(violations)


def check_get(request: GetTaskRequest) -> None:
    """Raise InvalidParamsError unless what is asked for is in range."""
    _raise_if(_history_violations(request.history_length, "historyLength"))


def check_list(request: ListTasksRequest, limits: Limits) -> None:
    """Raise InvalidParamsError unless what is asked for is in range."""
    violations = _history_violations(request.history_length, "historyLength")
    size = request.page_size
    if size is not None and not 1 <= size <= limits.max_page_size:
        violations.append(
            FieldViolation(field="pageSize", description=f"must be 1 to {limits.max_page_size}, got {size}")
        )
    _raise_if(violations)


def check_push(config: TaskPushNotificationConfig, limits: Limits) -> None:
    """Raise InvalidParamsError unless the webhook names its task and can be called."""
    violations = _push_violations(config, limits, "")
    if not config.task_id:
        violations.append(FieldViolation(field="taskId", description="is required"))
    _raise_if(violations)


def _message_violations(message: Message, limits: Limits) -> list[FieldViolation]:
    violations: list[FieldViolation] = []
    for name, value in (
        ("messageId", message.message_id),
        ("contextId", message.context_id),
        ("taskId", message.task_id),
    ):
        if len(value) > limits.max_id_length:
            problem = f"is longer than {limits.max_id_length} characters"
            violations.append(FieldViolation(field=f"message.{name}", description=problem))
    if len(message.parts) > limits.max_parts:
        violations.append(
            FieldViolation(
                field="message.parts",
                description=f"has {len(message.parts)} parts; {limits.max_parts} at most",
            )
        )
    return violations


def _history_violations(length: int | None, field: str) -> list[FieldViolation]:
    if length is None or length >= 0:
        return []
    return [FieldViolation(field=field, description=f"must be 0 or more, got {length}")]


def _push_violations(config: TaskPushNotificationConfig, limits: Limits, prefix: str) -> list[FieldViolation]:
    violations: list[FieldViolation] = []
    if len(config.id) > limits.max_id_length:
        violations.append(
            FieldViolation(
                field=f"{prefix}id", description=f"is longer than {limits.max_id_length} characters"
            )
        )
    if problem := _url_problem(config.url):
        violations.append(FieldViolation(field=f"{prefix}url", description=problem))
    for name, value in _header_values(config):
        if not value.isprintable():
            violations.append(
                FieldViolation(field=f"{prefix}{name}", description="has characters that no header may have")
            )
    return violations


def _header_values(config: TaskPushNotificationConfig) -> list[tuple[str, str]]:
    values = [("token", config.token)]
    if config.authentication is not None:
        values.append(("authentication.scheme", config.authentication.scheme))
        values.append(("authentication.credentials", config.authentication.credentials))
    return values


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    # The parser drops what no URL may have, such as line feeds; whoever dials the URL might not.
    is_clean = url.isprintable() and " " not in url
    return "" if is_valid and is_clean else "must be an absolute http or https URL"


def _raise_if(violations: list[FieldViolation]) -> None:
    if violations:
        raise InvalidParamsError(violations=violations)
