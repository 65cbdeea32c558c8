"""The composition root: an agent put together from its handler, its log and the wire."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from dragoman.bus import Bus
from dragoman.engine import DeliveryPolicy, Engine, Handler, Limits, PushSender
from dragoman.engine.extensions import Extensions
from dragoman.model import Generation
from dragoman.security import Authenticator, admit_everyone
from dragoman.server.card import CardSource
from dragoman.server.grpc_options import GrpcOptions
from dragoman.server.older import GENERATIONS
from dragoman.server.options import HttpOptions
from dragoman.server.service import Service
from dragoman.server.webhooks import WebhookSender
from dragoman.store import TaskStore

if TYPE_CHECKING:
    from dragoman.security.cards import CardSigner


class AgentApp(Service):
    """One agent as an ASGI app.

    `card` makes the card for a call, or for nobody in particular (None); its interfaces may be left empty, the app knows where
    it is reached: at `public_url`, or else where the request went. Webhooks go out if the card declares push notifications,
    through `sender` if one is given. `signers` sign the card, which needs a `public_url`.
    """

    def __init__(
        self,
        *,
        card: CardSource,
        handler: Handler,
        name: str,
        store: TaskStore,
        bus: Bus,
        limits: Limits | None = None,
        authenticator: Authenticator = admit_everyone,
        sender: PushSender | None = None,
        delivery: DeliveryPolicy | None = None,
        public_url: str | None = None,
        strict_versions: bool = True,
        http: HttpOptions | None = None,
        signers: Sequence["CardSigner"] = (),
        grpc: GrpcOptions | None = None,
        extensions: Extensions | None = None,
        tenants: Collection[str] | None = None,
        generations: frozenset[Generation] = GENERATIONS,
    ) -> None:
        capabilities = card(None).capabilities
        if capabilities.push_notifications and sender is None:
            sender = WebhookSender()
        self._sender = sender
        self.engine = Engine(
            name=name,
            handler=handler,
            store=store,
            bus=bus,
            capabilities=capabilities,
            limits=limits,
            sender=sender,
            delivery=delivery,
            extensions=extensions,
        )
        super().__init__(
            self.engine,
            card=card,
            authenticator=authenticator,
            limits=limits,
            public_url=public_url,
            strict_versions=strict_versions,
            http=http,
            signers=signers,
            grpc=grpc,
            extensions=extensions,
            tenants=tenants,
            generations=generations,
        )

    async def _shut_down(self) -> None:
        try:
            await super()._shut_down()
        finally:
            if isinstance(self._sender, WebhookSender):
                await self._sender.aclose()
