"""What an agent serves besides the protocol: its card, a signpost for people, and signs of life."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.types import Receive, Scope

from dragoman.model import A2AError, UnavailableError
from dragoman.server import rest
from dragoman.server.card import CARD_PATH, KEYS_PATH, OLD_CARD_PATH, CardPage, CardSource, KeysPage, Merge
from dragoman.server.exchange import Deliverable
from dragoman.server.failures import WrongVerbError
from dragoman.server.headers import read_headers
from dragoman.server.issuing import CardIssuer
from dragoman.server.older import Older
from dragoman.server.older_rest import EXTENDED_CARD_PATH, serve_extended_card
from dragoman.server.replies import JSON, NO_STORE, TEXT, EmptyReply, Reply
from dragoman.server.startup import Startup
from dragoman.wire import codec
from dragoman.wire.dialects import merged_card

Page: TypeAlias = Callable[[Scope], Awaitable[Deliverable]]

ROOT = frozenset({"/", ""})
"""The base URL itself, with and without its slash."""

_READING = ("GET", "HEAD", "OPTIONS")


class Pages:
    """The pages of one agent, by path."""

    def __init__(
        self,
        *,
        card: CardSource,
        issuer: CardIssuer,
        startup: Startup,
        card_max_age: int,
        older: Older | None = None,
    ) -> None:
        merge: Merge | None = merged_card if older is not None else None
        self._source = card
        self._addresses = issuer.addresses
        self._startup = startup
        self._card = CardPage(source=card, issuer=issuer, max_age=card_max_age, merge=merge)
        self.by_path: Mapping[str, Page] = {
            "/": self._signpost,
            "": self._signpost,
            CARD_PATH: self._serve_card,
            "/healthz": self._health,
            "/readyz": self._readiness,
            **(_list_keys(issuer, card_max_age) if issuer.signers else {}),
            **({} if older is None else {OLD_CARD_PATH: self._serve_card, **_list_older(older)}),
        }

    async def _signpost(self, scope: Scope) -> Deliverable:
        card = self._source(None)
        url = self._addresses.base_url(scope) + CARD_PATH
        return Reply(
            JSON,
            codec.encode({"agent": card.name, "description": card.description, "card": url}),
            headers=[NO_STORE],
        )

    async def _serve_card(self, scope: Scope) -> Deliverable:
        return self._card.answer(scope, read_headers(scope))

    async def _health(self, scope: Scope) -> Deliverable:  # noqa: ARG002 — the shape of every page
        return Reply(TEXT, b"ok\n", headers=[NO_STORE])

    async def _readiness(self, scope: Scope) -> Deliverable:  # noqa: ARG002 — the shape of every page
        await self._startup.ensure()
        if self._startup.is_draining:
            raise UnavailableError("the agent is about to stop")
        return Reply(TEXT, b"ready\n", headers=[NO_STORE])


def _list_keys(issuer: CardIssuer, max_age: int) -> Mapping[str, Page]:
    page = KeysPage(issuer, max_age=max_age)

    async def serve(scope: Scope) -> Deliverable:
        return page.answer(read_headers(scope))

    return {KEYS_PATH: serve}


def _list_older(older: Older) -> Mapping[str, Page]:
    async def serve(scope: Scope) -> Deliverable:
        return await serve_extended_card(older, scope)

    return {EXTENDED_CARD_PATH: serve}


class PageExchange:
    """One request for a page. Errors have the shape of the HTTP+JSON binding."""

    __slots__ = ("_page", "_verbs")

    def __init__(self, page: Page, *, takes_calls: bool) -> None:
        self._page = page
        self._verbs = (*_READING, "POST") if takes_calls else _READING

    async def answer(self, scope: Scope, receive: Receive) -> Deliverable:  # noqa: ARG002 — pages take no body
        match scope["method"]:
            case "GET" | "HEAD":
                return await self._page(scope)
            case "OPTIONS":
                return EmptyReply(204, [(b"allow", ", ".join(self._verbs).encode())])
            case verb:
                raise WrongVerbError(verb, self._verbs)

    def refuse(self, error: A2AError) -> Deliverable:
        return rest.refuse(error)
