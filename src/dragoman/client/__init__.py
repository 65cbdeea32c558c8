"""What callers write with: a client for one agent, handles for its tasks, and a receiver for its notifications."""

from dragoman.client.asking import Question
from dragoman.client.client import Client
from dragoman.client.handle import TaskHandle
from dragoman.client.http import Http, HttpReply, HttpRequest, HttpStream
from dragoman.client.notifications import (
    MalformedNotificationError,
    NotAuthenticError,
    Notification,
    NotificationError,
    NotificationTooLargeError,
    StaleNotificationError,
    UnexpectedTaskError,
)
from dragoman.client.options import Timeout
from dragoman.client.receiving import NotificationReceiver
from dragoman.client.streams import EventStream
from dragoman.client.tls import Tls
from dragoman.client.transport import AnswerLimits
from dragoman.resilience import Backoff

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
