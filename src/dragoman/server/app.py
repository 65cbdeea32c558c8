"""The composition root: an agent put together from its handler, its log and the wire."""

from dragoman.bus import Bus
from dragoman.engine import DeliveryPolicy, Engine, Handler, Limits, PushSender
from dragoman.security import Authenticator, admit_everyone
from dragoman.server.card import CardSource
from dragoman.server.options import HttpOptions
from dragoman.server.service import Service
from dragoman.server.webhooks import WebhookSender
from dragoman.store import TaskStore


class AgentApp(Service):
    """One agent as an ASGI app.

    `card` makes the card for a call, or for nobody in particular (None); its interfaces may be left empty, the app knows where
    it is reached: at `public_url`, or else where the request went. Webhooks go out if the card declares push notifications,
    through `sender` if one is given.
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
        )
        super().__init__(
            self.engine,
            card=card,
            authenticator=authenticator,
            limits=limits,
            public_url=public_url,
            strict_versions=strict_versions,
            http=http,
        )

    async def _shut_down(self) -> None:
        try:
            await super()._shut_down()
        finally:
            if isinstance(self._sender, WebhookSender):
                await self._sender.aclose()
