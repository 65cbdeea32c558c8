"""Messages on their way: the request, and the stream or the answer that comes back."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from dragoman.client.content import Content, compose, read_metadata
from dragoman.client.deadlines import Deadline
from dragoman.client.folding import TaskView
from dragoman.client.polling import PollingSource
from dragoman.client.session import IDEMPOTENCY_HEADER, Session
from dragoman.client.streams import EventStream, subscribe
from dragoman.client.transport import EventSource
from dragoman.client.transport.sse import SingleSource
from dragoman.model import (
    Message,
    MethodNotFoundError,
    SendMessageConfiguration,
    SendMessageRequest,
    SendMessageResponse,
    StreamResponse,
    Task,
    TaskPushNotificationConfig,
    UnsupportedOperationError,
)
from dragoman.model.operations import SEND_MESSAGE, SEND_STREAMING_MESSAGE


class Outgoing(Struct, frozen=True, kw_only=True):
    """What goes with a message. Empty ids start a conversation; a task's id continues it."""

    context_id: str = ""
    task_id: str = ""
    skill: str = ""
    history_length: int | None = None
    push: TaskPushNotificationConfig | None = None
    metadata: Mapping[str, Any] | None = None
    key: str = ""
    """The caller's own idempotency key. It is the message's id as well, for the same send twice is one message."""


class Sender:
    """Sends messages of one client. A logical send keeps its message id and its key through every attempt."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def build(
        self, content: Content, outgoing: Outgoing, *, return_immediately: bool = False
    ) -> SendMessageRequest:
        options = self.session.options
        message = compose(
            content,
            message_id=outgoing.key or options.world.new_id(),
            context_id=outgoing.context_id,
            task_id=outgoing.task_id,
        )
        configuration = SendMessageConfiguration(
            accepted_output_modes=options.accepted_output_modes,
            task_push_notification_config=outgoing.push,
            history_length=outgoing.history_length,
            return_immediately=return_immediately,
        )
        return SendMessageRequest(
            message=message,
            configuration=None if configuration == _NO_CONFIGURATION else configuration,
            metadata=read_metadata(outgoing.skill, outgoing.metadata),
        )

    async def send(self, request: SendMessageRequest, *, key: str = "") -> Task | Message:
        """One answer: without `return_immediately` the agent holds it until the task is settled (D-02)."""
        configuration = request.configuration
        is_immediate = configuration is not None and configuration.return_immediately
        response = await self.session.call(
            SEND_MESSAGE,
            request,
            headers=self._make_headers(key),
            waits=not is_immediate,
        )
        assert isinstance(response, SendMessageResponse)
        return response.payload

    def stream(
        self, request: SendMessageRequest, *, view: TaskView | None = None, deadline: Deadline | None = None
    ) -> EventStream:
        """The events that follow a message: a stream where the agent has it, else its answer and polling."""
        connect = partial(self._open, request, self.session.options.world.new_id())
        return EventStream(self.session, connect, view=view, deadline=deadline, is_sending=True)

    def follow(
        self,
        task_id: str,
        *,
        view: TaskView | None = None,
        deadline: Deadline | None = None,
        watch: Callable[[TaskView], None] | None = None,
    ) -> EventStream:
        """The events of a task that come after what `view` knows, from its snapshot on if that is nothing."""
        connect = partial(subscribe, self.session, task_id)
        return EventStream(self.session, connect, task_id=task_id, view=view, deadline=deadline, watch=watch)

    async def _open(self, request: SendMessageRequest, key: str) -> EventSource:
        if await self.session.offers("streaming"):
            try:
                return await self.session.open(
                    SEND_STREAMING_MESSAGE, request, headers=self._make_headers(key)
                )
            except (UnsupportedOperationError, MethodNotFoundError):
                pass  # the card promises what the agent does not keep; the message was refused and can go again
        answer = await self.send(request, key=key)
        if isinstance(answer, Message):
            return SingleSource(StreamResponse(message=answer))
        return PollingSource(self.session, answer.id, answer)

    def _make_headers(self, key: str) -> dict[str, str]:
        return {IDEMPOTENCY_HEADER: key or self.session.options.world.new_id()}


_NO_CONFIGURATION = SendMessageConfiguration()
