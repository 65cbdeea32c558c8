"""What callers write with: a client for one agent, and handles for its tasks."""

from dragoman.client.asking import Question
from dragoman.client.client import Client
from dragoman.client.handle import TaskHandle
from dragoman.client.http import Http, HttpReply, HttpRequest, HttpStream
from dragoman.client.options import Timeout
from dragoman.client.streams import EventStream
from dragoman.client.transport import Limits

__all__ = [
    "Client",
    "EventStream",
    "Http",
    "HttpReply",
    "HttpRequest",
    "HttpStream",
    "Limits",
    "Question",
    "TaskHandle",
    "Timeout",
]
