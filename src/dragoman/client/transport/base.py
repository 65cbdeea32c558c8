"""The contract of a binding."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from msgspec import Struct

from dragoman.client.http import Http
from dragoman.client.http.base import DEFAULT_MAX_RESPONSE_BYTES
from dragoman.model import Operation, Record, StreamResponse
from dragoman.wire.sse import MAX_EVENT_BYTES


class AnswerLimits(Struct, frozen=True):
    """How much of an agent's answer is taken in before it is a BadResponse."""

    max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES
    max_event_bytes: int = MAX_EVENT_BYTES


class StreamEvent(NamedTuple):
    """One event. `id` is what the stream has sent last, empty if it sends none."""

    id: str
    payload: StreamResponse


class EventSource(ABC):
    """The events of one connection, in order."""

    is_polling: ClassVar[bool] = False
    """Whether every event is a snapshot of the task rather than something new."""

    @abstractmethod
    async def read(self) -> StreamEvent | None:
        """The next event, or None at the regular end.

        Raises what `Transport.open` does, and the A2AError that an event carries (D-25).
        """

    @abstractmethod
    def close(self) -> None:
        """Hang up, at once and without waiting. May be called again."""


class Transport(ABC):
    """Carries operations to one interface of an agent, each exactly once.

    Raises the A2AError that the agent answers, or a PeerError: NeverSent, Unreachable, TimedOut, Rejected, BadResponse.
    """

    @abstractmethod
    async def call(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> Record:
        """Ask for one answer; it is of `operation.response`. `idle`: seconds of silence that are borne."""

    @abstractmethod
    async def open(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> EventSource:
        """Ask for a stream; an error that the agent answers instead is raised here."""

    async def close(self) -> None:
        """Give up connections of its own. May be called again; using it again opens new ones."""
        return


class HttpTransport(Transport):
    """A binding over HTTP, whose connections are not its own."""

    def __init__(self, http: Http, url: str, limits: AnswerLimits) -> None:
        self._http = http
        self._url = url
        self._limits = limits
