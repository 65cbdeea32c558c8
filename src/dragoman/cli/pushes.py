"""Webhooks that have not been told everything, laid out for their operator."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from dragoman.model import TaskPushNotificationConfig
from dragoman.store import PushDelivery
from dragoman.wire import codec


def describe_push(push: PushDelivery) -> dict[str, Any]:
    """One webhook as JSON."""
    return {
        "id": push.config_id,
        "taskId": push.task_id,
        "agent": push.scope.agent,
        "url": _read_address(push),
        "state": "dead" if push.is_dead else "pending",
        "position": push.cursor,
        "last": push.last_seq,
        "attempts": push.attempts,
        "failingSince": _format(push.failing_since),
        "nextAttemptAt": None if push.is_dead else _format(push.next_attempt_at),
        "lastError": push.last_error,
    }


def show_pushes(pushes: Iterable[PushDelivery], now: datetime) -> str:
    """Two lines for each webhook: which it is, and how it stands."""
    return "\n".join(_show(push, now) for push in pushes)


def _show(push: PushDelivery, now: datetime) -> str:
    state = "dead" if push.is_dead else "pending"
    facts = [f"{push.cursor} of {push.last_seq} told"]
    if push.failing_since:
        facts.append(f"failing for {_show_age(push.failing_since, now)}")
    if push.attempts:
        facts.append(f"{push.attempts} attempts: {push.last_error}")
    address = _read_address(push)
    return f"{state:<8} {push.config_id}  task {push.task_id}  {address}\n         {', '.join(facts)}"


def _read_address(push: PushDelivery) -> str:
    """The webhook's URL without what may be secret in it."""
    parts = urlsplit(codec.decode(TaskPushNotificationConfig, push.config).url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _show_age(millis: int, now: datetime) -> str:
    age = max(now - _moment(millis), timedelta())
    days, hours, minutes = age.days, age.seconds // 3600, age.seconds // 60 % 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {age.seconds % 60}s"


def _format(millis: int) -> str | None:
    return _moment(millis).isoformat().replace("+00:00", "Z") if millis else None


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
