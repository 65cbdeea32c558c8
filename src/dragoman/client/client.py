"""The caller's side of one agent."""

import warnings
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec

from dragoman.client.asking import Conversation, OnQuestion
from dragoman.client.content import Content
from dragoman.client.credentials import Auth, Credentials, Headers
from dragoman.client.deadlines import Deadline, Duration
from dragoman.client.extensions import NamedExtension, list_wanted
from dragoman.client.handle import TaskHandle
from dragoman.client.http import AsgiApp, Http
from dragoman.client.opening import choose_http, open_session
from dragoman.client.options import (
    BINDINGS,
    DEFAULT_LIMITS,
    DEFAULT_RESUBSCRIBE,
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT,
    GENERATIONS,
    POLLING_SECONDS,
    REAL_WORLD,
    Options,
    Timeout,
    World,
)
from dragoman.client.paging import iterate_pages
from dragoman.client.sending import Outgoing, Sender
from dragoman.client.streams import EventStream
from dragoman.client.tls import Tls
from dragoman.client.transport import AnswerLimits
from dragoman.model import (
    AgentCard,
    AgentInterface,
    AuthenticationInfo,
    Binding,
    DeleteTaskPushNotificationConfigRequest,
    Generation,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    Metadata,
    NoTaskError,
    Operation,
    Record,
    Task,
    TaskPushNotificationConfig,
    TaskState,
    Timestamp,
    operations,
)
from dragoman.resilience import Backoff

if TYPE_CHECKING:
    import ssl

    import aiohttp

    from dragoman.security.cards import CardVerifier

R = TypeVar("R", bound=Record)


class Client:
    """Calls one agent: by the URL it answers at, by the URL of its card, by its card, or in process by its ASGI app.

    Use it with `async with`, or `close` it. Options that are not said elsewhere: `auth` gives headers, afresh when the
    agent answers 401; `bindings` and `generations` are those that may be used, in the order of the card, and `fallback` goes on to
    the next one when there is no connection to the first, of its generation unless `crosses_generations`; `verify` decides whose cards are believed; `tenant` replaces the card's;
    `extensions` are asked for, by their URIs or as objects that have one, beside Dragoman's own where the card declares them;
    `retry` is for calls, `resubscribe` for streams that break and tasks that are polled; `tls` says whom to trust and what to show;
    `http` is a TLS context, a session of aiohttp that stays the caller's, or an `Http` of one's own.

    Errors: PeerError and its kinds for what an agent does not manage to say, UntrustedCard among them, A2AError and its kinds for what it says,
    TaskFailedError, InputRequiredError and NoTextError from `ask`, NoTaskError from `start`.
    """

    def __init__(
        self,
        target: str | AgentCard | AsgiApp,
        *,
        headers: Headers | None = None,
        auth: Auth | None = None,
        bindings: Sequence[Binding] = BINDINGS,
        generations: Collection[Generation] = GENERATIONS,
        fallback: bool = True,
        crosses_generations: bool = False,
        verify: "CardVerifier | None" = None,
        extensions: Sequence[str | NamedExtension] = (),
        tenant: str | None = None,
        accepted_output_modes: Sequence[str] = (),
        timeout: Timeout = DEFAULT_TIMEOUT,
        retry: Backoff = DEFAULT_RETRY,
        resubscribe: Backoff = DEFAULT_RESUBSCRIBE,
        limits: AnswerLimits = DEFAULT_LIMITS,
        polling_seconds: float = POLLING_SECONDS,
        tls: Tls | None = None,
        http: "Http | aiohttp.ClientSession | ssl.SSLContext | None" = None,
        world: World = REAL_WORLD,
    ) -> None:
        _check_limits(limits)
        options = Options(
            bindings=tuple(bindings),
            generations=tuple(generations),
            fallback=fallback,
            crosses_generations=crosses_generations,
            extensions=list_wanted(extensions),
            tenant=tenant,
            accepted_output_modes=tuple(accepted_output_modes),
            timeout=timeout,
            retry=retry,
            resubscribe=resubscribe,
            limits=limits,
            tls=tls,
            polling_seconds=polling_seconds,
            world=world,
        )
        self._http = choose_http(target, tls.make_context() if http is None and tls else http, timeout)
        self._session = open_session(target, self._http, Credentials(headers, auth), options, verify)
        self._sender = Sender(self._session)

    @property
    def url(self) -> str:
        """The address that the client was given, or that of the card."""
        return self._session.url

    async def __aenter__(self) -> Self:
        self._session.reopen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Client {self.url!r}>"

    def __del__(self) -> None:
        if hasattr(self, "_http") and self._http.is_open:
            warnings.warn(
                f"{self!r} was not closed: use 'async with'", ResourceWarning, source=self, stacklevel=2
            )

    async def close(self) -> None:
        """Give up every connection; tasks go on without a reader. May be called again."""
        await self._session.close()

    @property
    def generation(self) -> Generation | None:
        """The generation of the protocol that the agent is called in; None before the first call."""
        return self._session.generation

    @property
    def interface(self) -> AgentInterface | None:
        """The address that is called, as the card names it; None before the first call."""
        return self._session.interface

    @property
    def active_extensions(self) -> frozenset[str]:
        """The URIs of the extensions that the agent said are active, when it last answered a call."""
        return self._session.active_extensions

    async def card(self) -> AgentCard:
        """The agent's card: kept for as long as the agent said, then asked after again."""
        return await self._session.card()

    async def extended_card(self) -> AgentCard:
        """The card for this caller; it takes the place of the public one until the client is closed (EXT-03)."""
        card = await self._call(operations.GET_EXTENDED_CARD, GetExtendedAgentCardRequest(), AgentCard)
        await self._session.pin_card(card)
        return card

    async def ask(
        self,
        content: Content,
        *,
        context: str = "",
        task: str = "",
        skill: str = "",
        on_question: OnQuestion | None = None,
        metadata: Metadata | None = None,
        deadline: Duration | None = None,
    ) -> str:
        """Ask, wait for as long as it takes, and get the answer in text.

        `content` is text, bytes, a Part, a list of Parts, a Message, or anything that is JSON at heart. `on_question`
        answers what the agent asks back; without it that is an InputRequiredError. TaskFailedError if the task ends
        without a result, TimedOut after `deadline`.

            print(await client.ask("3 days in Rome", on_question=lambda question: input(str(question))))
        """
        limit = Deadline(deadline, self.url)
        outgoing = Outgoing(context_id=context, task_id=task, skill=skill, metadata=metadata)
        return await Conversation(self._sender, on_question, limit).run(content, outgoing)

    async def send(
        self,
        content: Content,
        *,
        context: str = "",
        task: str = "",
        skill: str = "",
        return_immediately: bool = False,
        history_length: int | None = None,
        push: TaskPushNotificationConfig | None = None,
        metadata: Metadata | None = None,
        idempotency_key: str = "",
        deadline: Duration | None = None,
    ) -> TaskHandle | Message:
        """Send a message; the agent answers with a task, or with a message when there is nothing to track.

        The answer comes when the task is settled, with `return_immediately` as soon as it exists. `push` is a webhook
        for it. `context` and `task` are ids: of a conversation to go on with, of a task to continue. A second send under
        one `idempotency_key` gets the task of the first, from agents that know such keys.
        """
        outgoing = Outgoing(
            context_id=context,
            task_id=task,
            skill=skill,
            history_length=history_length,
            push=push,
            metadata=metadata,
            key=idempotency_key,
        )
        request = self._sender.build(content, outgoing, return_immediately=return_immediately)
        async with Deadline(deadline, self.url).hold():
            answer = await self._sender.send(request, key=idempotency_key)
        return answer if isinstance(answer, Message) else TaskHandle(self._sender, answer)

    async def start(
        self,
        content: Content,
        *,
        context: str = "",
        skill: str = "",
        push: TaskPushNotificationConfig | None = None,
        metadata: Metadata | None = None,
        idempotency_key: str = "",
        deadline: Duration | None = None,
    ) -> TaskHandle:
        """Have the agent begin a task, and come back as soon as it exists; NoTaskError if it answers with a message.

        task = await client.start("write a novel")
        print((await task).text)
        """
        answer = await self.send(
            content,
            context=context,
            skill=skill,
            return_immediately=True,
            push=push,
            metadata=metadata,
            idempotency_key=idempotency_key,
            deadline=deadline,
        )
        if isinstance(answer, Message):
            raise NoTaskError(answer)
        return answer

    def stream(
        self,
        content: Content,
        *,
        context: str = "",
        task: str = "",
        skill: str = "",
        history_length: int | None = None,
        push: TaskPushNotificationConfig | None = None,
        metadata: Metadata | None = None,
        deadline: Duration | None = None,
    ) -> EventStream:
        """Send a message and read what follows: a task and its updates, or one message.

        A cut connection is mended without losing or repeating anything. An agent that does not stream is polled.

            async for event in client.stream("write a novel"): ...
        """
        outgoing = Outgoing(
            context_id=context,
            task_id=task,
            skill=skill,
            history_length=history_length,
            push=push,
            metadata=metadata,
        )
        request = self._sender.build(content, outgoing, return_immediately=True)
        return self._sender.stream(request, deadline=Deadline(deadline, self.url))

    def subscribe(self, task_id: str, *, deadline: Duration | None = None) -> EventStream:
        """Read a task from now on: first the task as it is, then its updates."""
        return self._sender.follow(task_id, deadline=Deadline(deadline, self.url))

    def task(self, task_id: str) -> TaskHandle:
        """A handle for a task whose id is known from elsewhere. Nothing is asked until it is used."""
        return TaskHandle(self._sender, task_id)

    async def get_task(self, task_id: str, *, history_length: int | None = None) -> Task:
        """A task as it is now; TaskNotFoundError."""
        request = GetTaskRequest(id=task_id, history_length=history_length)
        return await self._call(operations.GET_TASK, request, Task)

    async def list_page(self, request: ListTasksRequest) -> ListTasksResponse:
        """One page of tasks, with the token of the next and the number of all."""
        return await self._call(operations.LIST_TASKS, request, ListTasksResponse)

    def list_tasks(
        self,
        *,
        context: str = "",
        status: TaskState = TaskState.UNSPECIFIED,
        after: datetime | None = None,
        history_length: int | None = None,
        include_artifacts: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Task]:
        """The caller's tasks, the latest first, over all pages. `after` is the earliest status time that counts."""

        async def load(token: str) -> tuple[Sequence[Task], str]:
            page = await self.list_page(msgspec.structs.replace(request, page_token=token))
            return page.tasks, page.next_page_token

        request = ListTasksRequest(
            context_id=context,
            status=status,
            page_size=page_size,
            history_length=history_length,
            status_timestamp_after=None if after is None else Timestamp.at(after),
            include_artifacts=include_artifacts,
        )
        return iterate_pages(load)

    async def create_push_config(
        self,
        task_id: str,
        url: str,
        *,
        token: str = "",
        authentication: AuthenticationInfo | None = None,
        config_id: str = "",
    ) -> TaskPushNotificationConfig:
        """Have the task's events posted to `url`. Give every webhook a token of its own (PSH-17)."""
        config = TaskPushNotificationConfig(
            id=config_id, task_id=task_id, url=url, token=token, authentication=authentication
        )
        return await self._call(operations.CREATE_PUSH_CONFIG, config, TaskPushNotificationConfig)

    async def get_push_config(self, task_id: str, config_id: str) -> TaskPushNotificationConfig:
        """One webhook of a task; TaskNotFoundError if there is none of that id."""
        request = GetTaskPushNotificationConfigRequest(task_id=task_id, id=config_id)
        return await self._call(operations.GET_PUSH_CONFIG, request, TaskPushNotificationConfig)

    def list_push_configs(
        self, task_id: str, *, page_size: int = 0
    ) -> AsyncIterator[TaskPushNotificationConfig]:
        """The webhooks of a task, over all pages."""

        async def load(token: str) -> tuple[Sequence[TaskPushNotificationConfig], str]:
            request = ListTaskPushNotificationConfigsRequest(
                task_id=task_id, page_size=page_size, page_token=token
            )
            page = await self._call(
                operations.LIST_PUSH_CONFIGS, request, ListTaskPushNotificationConfigsResponse
            )
            return page.configs, page.next_page_token

        return iterate_pages(load)

    async def delete_push_config(self, task_id: str, config_id: str) -> None:
        """Post no more to this webhook."""
        request = DeleteTaskPushNotificationConfigRequest(task_id=task_id, id=config_id)
        await self._session.call(operations.DELETE_PUSH_CONFIG, request)

    async def _call(self, operation: Operation, request: Record, kind: type[R]) -> R:
        answer = await self._session.call(operation, request)
        assert isinstance(answer, kind)
        return answer


def _check_limits(limits: object) -> None:
    if not isinstance(limits, AnswerLimits):
        kind = type(limits)
        raise TypeError(
            f"a client takes dragoman.client.AnswerLimits, and not {kind.__module__}.{kind.__qualname__}"
        )
