"""An agent: skills, a card, and the app that serves them."""

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from starlette.types import Receive, Scope, Send

from dragoman.agent.card import AgentFacts, build_card
from dragoman.agent.errors import AuthoringError
from dragoman.agent.fetching import FileOptions
from dragoman.agent.handler import ExtendedCard, SkillHandler
from dragoman.agent.homes import MEMORY, make_bus, make_store
from dragoman.agent.options import (
    check_extended_card,
    check_generations,
    check_named,
    check_tenants,
    know_extensions,
)
from dragoman.agent.skill import Skill, SkillOptions, build_skill
from dragoman.bus import Bus
from dragoman.engine import DeliveryPolicy
from dragoman.engine.extension import Named
from dragoman.engine.limits import Limits
from dragoman.engine.own_extensions import OWN
from dragoman.model import (
    JSON,
    AgentCard,
    AgentProvider,
    Generation,
    SecurityRequirement,
    SecurityScheme,
)
from dragoman.security import Authenticator, admit_everyone
from dragoman.server import AgentApp, GrpcOptions, HttpOptions
from dragoman.server.startup import Startup
from dragoman.server.webhooks import WebhookOptions, WebhookSender
from dragoman.store import TaskStore

if TYPE_CHECKING:
    from dragoman.security.cards import CardSigner

logger = logging.getLogger("dragoman.agent")

F = TypeVar("F", bound=Callable[..., Any])

LOCAL = "local:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hosting:
    """Where an agent runs, and how."""

    store: str | TaskStore
    bus: str | Bus
    url: str | None
    limits: Limits
    authenticator: Authenticator
    webhooks: WebhookOptions
    files: FileOptions
    delivery: DeliveryPolicy | None
    http: HttpOptions
    grpc: GrpcOptions | None
    strict_versions: bool
    signers: tuple["CardSigner", ...]
    tenants: frozenset[str] | None
    generations: frozenset[Generation]


class Agent:
    """An agent that speaks A2A: an ASGI app to serve with uvicorn, or to mount in FastAPI or Starlette.

    ```python
    agent = Agent("Greeter", "Says hello")


    @agent.skill
    def hello(name: str = "world") -> str:
        '''Greet someone by name.'''
        return f"Hello, {name}!"
    ```

    `url` is the public address; without it, the card names the one that each request went to. `store` is a URL such as
    `sqlite:///tasks.db`, or a store; without one, tasks live in memory. `tags` are for skills that name none. `extended_card` is
    the card for authenticated callers, or a function from the caller to one. `webhooks` says which networks push
    notifications may reach, `delivery` how hard they are tried, `files` how files are fetched. `grpc`
    has it listen for gRPC as well, while it runs. `extensions` are objects like
    `Extension`. `signer` signs the card; several sign it together while keys are changed. `tenants` are the only ones to be
    served, each with a card and addresses of its own below `/{tenant}`; without them, any name that a caller gives is one.
    `generations` are those of the protocol that are served. `bus` is a URL such as `sqlite:`, or a bus, for processes that share a store. Where no lifespan
    reaches the app, because it is mounted, the first request starts it; hold `running()` in the lifespan of the outer app.
    """

    def __init__(
        self,
        name: str,
        description: str = "",
        *,
        version: str = "1.0.0",
        url: str | None = None,
        provider: AgentProvider | None = None,
        documentation_url: str | None = None,
        icon_url: str | None = None,
        tags: Sequence[str] = (),
        default_skill: str | None = None,
        store: str | TaskStore = MEMORY,
        bus: str | Bus = LOCAL,
        limits: Limits | None = None,
        authenticator: Authenticator = admit_everyone,
        security_schemes: Mapping[str, SecurityScheme] | None = None,
        security_requirements: Sequence[SecurityRequirement] = (),
        extended_card: ExtendedCard | None = None,
        extensions: Sequence[Named] = (),
        tenants: Sequence[str] | None = None,
        streaming: bool = True,
        push_notifications: bool = True,
        webhooks: WebhookOptions | None = None,
        files: FileOptions | None = None,
        delivery: DeliveryPolicy | None = None,
        http: HttpOptions | None = None,
        grpc: GrpcOptions | None = None,
        strict_versions: bool = True,
        generations: Iterable[Generation] = Generation,
        signer: "CardSigner | Sequence[CardSigner]" = (),
    ) -> None:
        check_named(name, version)
        check_extended_card(extended_card, authenticator)
        self.skills: dict[str, Skill] = {}
        self._extensions = know_extensions([*extensions, *OWN])
        self._tags, self._default_skill = tuple(tags), default_skill
        self._extended_card = extended_card
        self._card: AgentCard | None = None
        self._facts = AgentFacts(
            name=name,
            description=description,
            version=version,
            provider=provider,
            documentation_url=documentation_url,
            icon_url=icon_url,
            streaming=streaming,
            push_notifications=push_notifications,
            has_extended_card=extended_card is not None,
            extensions=self._extensions.declarations,
            security_schemes=dict(security_schemes or {}),
            security_requirements=tuple(security_requirements),
        )
        self._hosting = _Hosting(
            store=store,
            bus=bus,
            url=url,
            limits=limits or Limits(),
            tenants=check_tenants(tenants),
            authenticator=authenticator,
            webhooks=webhooks or WebhookOptions(),
            files=files or FileOptions(),
            delivery=delivery,
            http=http or HttpOptions(),
            grpc=grpc,
            strict_versions=strict_versions,
            generations=check_generations(generations),
            signers=tuple(signer) if isinstance(signer, Sequence) else (signer,),
        )
        self._store = make_store(store)
        self._app: AgentApp | None = None

    def __repr__(self) -> str:
        return f"Agent({self.name!r}, skills={list(self.skills)})"

    @property
    def name(self) -> str:
        return self._facts.name

    @property
    def store(self) -> TaskStore:
        """Where the tasks are kept; its `location` says so in words."""
        return self._store

    @property
    def bus(self) -> str | Bus:
        """How it hears of what other processes do: a URL, or a bus."""
        return self._hosting.bus

    @property
    def limits(self) -> Limits:
        """What the agent takes on."""
        return self._hosting.limits

    @property
    def grpc(self) -> GrpcOptions | None:
        """Where it listens for gRPC, if it does."""
        return self._hosting.grpc

    @property
    def url(self) -> str | None:
        """The public address, if it was given."""
        return self._hosting.url

    @overload
    def skill(self, function: F, /) -> F: ...
    @overload
    def skill(
        self,
        function: None = None,
        /,
        *,
        id: str = "",
        name: str = "",
        description: str = "",
        tags: Sequence[str] = (),
        examples: Sequence[str] = (),
        input_modes: Sequence[str] = (),
        output_modes: Sequence[str] = (),
        idempotent: bool = False,
        default: bool = False,
    ) -> Callable[[F], F]: ...
    def skill(self, function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
        """Make a function a skill, bare or with facts for the card; the function stays what it was.

        What is not given is read off the function: `id` is its name, `description` the first paragraph of its docstring.
        `input_modes` restricts what callers may send. `idempotent` lets a run whose process died simply start again; `default`
        takes what no other skill is meant for.
        """

        def register(function: F) -> F:
            self._add(function, SkillOptions(**options), _list_names(inspect.currentframe()))
            return function

        if function is None:
            return register
        self._add(function, SkillOptions(**options), _list_names(inspect.currentframe()))
        return function

    def skill_schemas(self) -> dict[str, dict[str, JSON]]:
        """The JSON Schemas of every skill's `input` and `output`, by id; an output that is not data has none."""
        return {
            skill.id: {"input": skill.input_schema, "output": skill.output_schema}
            for skill in self.skills.values()
        }

    def card_facts(self) -> AgentCard:
        """The card without its interfaces, which depend on where the agent is reached."""
        if self._card is None:
            self._card = self._extensions.show(build_card(self._facts, list(self.skills.values())))
        return self._card

    def card_at(self, scope: Scope) -> AgentCard:
        """The card as whoever sent this request should see it."""
        return self.app.complete(self.card_facts(), scope)

    def configure(
        self,
        *,
        store: str | TaskStore | None = None,
        bus: str | Bus | None = None,
        url: str | None = None,
        limits: Limits | None = None,
        grpc: GrpcOptions | None = None,
    ) -> None:
        """Change where the agent runs, for whoever serves it; RuntimeError while it is in use."""
        if self._app is not None and not _is_over(self._app):
            raise RuntimeError("the agent is in use; configure it before it is served")
        if store is not None:
            self._store = make_store(store)
        given = {"store": store, "bus": bus, "url": url, "limits": limits, "grpc": grpc}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self._hosting = replace(self._hosting, **changes)
        self._app = None

    @property
    def app(self) -> AgentApp:
        """The app behind the agent, composed when it is first needed. One that was stopped is replaced at the next start."""
        if self._app is None:
            self._app = self._compose()
        return self._app

    def _compose(self) -> AgentApp:
        self._check_whole()
        hosting = self._hosting
        return AgentApp(
            card=lambda _: self.card_facts(),
            handler=SkillHandler(
                self.skills,
                extended_card=self._extended_card,
                limits=hosting.limits,
                files=hosting.files,
            ),
            name=self.name,
            store=self._store,
            bus=make_bus(hosting.bus, self._store),
            limits=hosting.limits,
            authenticator=hosting.authenticator,
            sender=WebhookSender(hosting.webhooks) if self._facts.push_notifications else None,
            delivery=hosting.delivery,
            public_url=hosting.url,
            strict_versions=hosting.strict_versions,
            http=hosting.http,
            signers=hosting.signers,
            grpc=hosting.grpc,
            extensions=self._extensions,
            tenants=hosting.tenants,
            generations=hosting.generations,
        )

    def _check_whole(self) -> None:
        """See that what the author has said, piece by piece, fits together."""
        if self._default_skill is not None and self._default_skill not in self.skills:
            known = ", ".join(self.skills) or "none"
            raise AuthoringError(
                f"the default skill {self._default_skill!r} does not exist; there are: {known}"
            )
        hosting = self._hosting
        if hosting.signers and hosting.url is None:
            raise AuthoringError(
                f"{self.name!r} signs its card, which names its public address: give url='https://...', or serve it with --public-url, "
                "for the address that a request names must not be signed"
            )
        if hosting.authenticator is not admit_everyone and not self._facts.security_requirements:
            logger.warning(
                "%r has an authenticator, but its card asks for no credentials, so that callers learn of it by being refused: "
                "give security_schemes and security_requirements",
                self.name,
            )

    async def start(self) -> None:
        """Open the store and take up what was left undone; needed only where no lifespan reaches the agent."""
        await self._renew().start()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run the agent during an `async with` block, for a test or a program of one's own.

        Whoever leaves last stops it at once, unless somebody has called `start`. What was at work is taken up at the next start,
        if its task was kept: a store in memory is kept for as long as the agent is.
        """
        return self._renew().running()

    async def drain(self) -> None:
        """Prepare to stop: nothing new is begun, and what is at work has `Limits.drain_timeout` to finish."""
        await self.app.drain()

    async def stop(self, *, at_once: bool = False) -> None:
        """Drain, unless it is to be `at_once`, let go of what still runs, and close the store. It may be started again."""
        if self._app is not None:
            await self._app.stop(at_once=at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # composing the app is part of starting it, and so are its errors
            await Startup(self.start, self.stop).run_lifespan(receive, send)
            return
        app = self._app
        if app is None or app.is_orphaned:
            app = self._renew()
        await app(scope, receive, send)

    def _renew(self) -> AgentApp:
        """The app; another one if it was stopped, or if the event loop is gone that it ran in."""
        if self._app is not None and _is_over(self._app):
            if isinstance(self._hosting.store, str):
                self._store = make_store(self._hosting.store, self._store)
            self._app = None
        return self.app

    def _add(self, function: Callable[..., Any], options: SkillOptions, scope: Mapping[str, Any]) -> None:
        skill = build_skill(function, options, scope=scope, tags=self._tags)
        if skill.id in self.skills:
            raise AuthoringError(
                f"there is a skill {skill.id!r} already; give this one another with skill(id=...)"
            )
        if skill.id == self._default_skill:
            skill = replace(skill, is_default=True)
        rival = next((other.id for other in self.skills.values() if other.is_default), None)
        if skill.is_default and rival is not None:
            raise AuthoringError(f"{rival!r} is the default skill already; there can be only one")
        self.skills[skill.id] = skill
        self._card = None


def _is_over(app: AgentApp) -> bool:
    return app.is_stopped or app.is_orphaned


def _list_names(frame: FrameType | None) -> dict[str, Any]:
    """The names visible where the function of `frame` was called, for annotations of local types."""
    caller = frame.f_back if frame is not None else None
    return dict(caller.f_locals) if caller is not None else {}
