"""What callers write with: a client for one agent, handles for its tasks, and a receiver for its notifications."""

from importlib import import_module
from typing import TYPE_CHECKING

from dragoman.client.asking import Question
from dragoman.client.client import Client
from dragoman.client.handle import TaskHandle
from dragoman.client.http import Http, HttpReply, HttpRequest, HttpStream
from dragoman.client.options import Timeout
from dragoman.client.streams import EventStream
from dragoman.client.tls import Tls
from dragoman.client.transport import AnswerLimits
from dragoman.resilience import Backoff

if TYPE_CHECKING:
    from dragoman.client.notifications import (
        MalformedNotificationError,
        NotAuthenticError,
        Notification,
        NotificationError,
        NotificationTooLargeError,
        StaleNotificationError,
        UnexpectedTaskError,
    )
    from dragoman.client.receiving import NotificationReceiver

__all__ = [
    "AnswerLimits",
    "Backoff",
    "Client",
    "EventStream",
    "Http",
    "HttpReply",
    "HttpRequest",
    "HttpStream",
    "MalformedNotificationError",
    "NotAuthenticError",
    "Notification",
    "NotificationError",
    "NotificationReceiver",
    "NotificationTooLargeError",
    "Question",
    "StaleNotificationError",
    "TaskHandle",
    "Timeout",
    "Tls",
    "UnexpectedTaskError",
]

_LATE = {
    **dict.fromkeys(
        (
            "MalformedNotificationError",
            "NotAuthenticError",
            "Notification",
            "NotificationError",
            "NotificationTooLargeError",
            "StaleNotificationError",
            "UnexpectedTaskError",
        ),
        "notifications",
    ),
    "NotificationReceiver": "receiving",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import what receives notifications when it is asked for: few callers do (PEP 562)."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
        return value
