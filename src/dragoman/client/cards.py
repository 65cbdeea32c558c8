"""Where an agent's card comes from and how long it holds (SPEC 4.1, 4.3, CCH-01 to CCH-07)."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from dragoman.client.addresses import follow, is_http_url, is_same_origin
from dragoman.client.credentials import Credentials, Headers
from dragoman.client.http import Http, HttpReply, HttpRequest
from dragoman.client.transport.replies import load_failure
from dragoman.model import (
    LATEST,
    AgentCard,
    BadResponse,
    InvalidParamsError,
    ParseError,
    TimedOut,
    Unreachable,
)
from dragoman.wire.codec import decode, decode_json
from dragoman.wire.dialects import load_card as load_any_card
from dragoman.wire.freshness import get_lifetime
from dragoman.wire.media import JSON_TYPE
from dragoman.wire.parameters import VERSION_HEADER

if TYPE_CHECKING:
    from dragoman.security.cards import CardVerifier

WELL_KNOWN_PATH = "/.well-known/agent-card.json"
OLD_WELL_KNOWN_PATH = "/.well-known/agent.json"
"""Where 0.2 and 0.1 have it (SPEC 7.1)."""

MAX_CARD_BYTES = 4 * 1024 * 1024
MAX_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK, _NOT_MODIFIED, _UNAUTHENTICATED, _NOT_FOUND = 200, 304, 401, 404
_FIXED = {"accept": JSON_TYPE, VERSION_HEADER.lower(): LATEST.value}


class KeptCard(Struct, frozen=True):
    """A card, what to revalidate it with, and until when it holds by the monotonic clock; None is for ever."""

    card: AgentCard
    etag: str = ""
    last_modified: str = ""
    expires: float | None = None


def find_card_url(target: str) -> str:
    """The address of the card: `target` itself if it names a `.json`, else the well-known path under it."""
    url = target.partition("#")[0]
    path = urlsplit(url).path
    return url if path.endswith(".json") else url.partition("?")[0].rstrip("/") + WELL_KNOWN_PATH


def find_old_card_url(target: str, url: str) -> str:
    """Where agents before 0.3 have the card, if `url` was found for `target` by the path of today; else empty."""
    is_found = url.endswith(WELL_KNOWN_PATH) and url != target
    return url.removesuffix(WELL_KNOWN_PATH) + OLD_WELL_KNOWN_PATH if is_found else ""


def check_url(target: str) -> str:
    """`target` as it is; ValueError if it is not an absolute http or https URL."""
    if not is_http_url(target):
        raise ValueError(
            f"the target {target!r} is not an http or https URL; write it as 'https://agent.example.com'"
        )
    return target


class CardFetcher:
    """Fetches one card. Redirects are followed, but credentials do not leave the origin they are meant for.

    If there is none at `url`, it is looked for at `old_url`, and from then on only where it was found.
    """

    def __init__(
        self, http: Http, url: str, credentials: Credentials, *, old_url: str = "", idle: float | None = None
    ) -> None:
        self.url = url
        self._old_url = old_url
        self._http = http
        self._credentials = credentials
        self._idle = idle

    async def fetch(self, kept: KeptCard | None, now: float) -> KeptCard:
        """The card as it is now. `kept` is asked after and comes back with a new lifetime if it still holds.

        Raises Unreachable, TimedOut, Rejected, an A2AError, or BadResponse that names the members that do not fit.
        """
        reply = await self._ask(kept)
        if reply.status == _NOT_FOUND and self._old_url:
            reply = await self._ask_at_old_place(reply)
        expires = now + get_lifetime(reply.headers)
        if kept is not None and reply.status == _NOT_MODIFIED:
            return replace(kept, expires=expires)
        if reply.status != _OK:
            raise load_failure(reply, self.url)
        card = load_card(reply.body, self.url)
        return KeptCard(card, reply.headers.get("etag", ""), reply.headers.get("last-modified", ""), expires)

    async def _ask(self, kept: KeptCard | None) -> HttpReply:
        return await self._credentials.send(lambda headers: self._get({**headers, **_validators(kept)}))

    async def _ask_at_old_place(self, missing: HttpReply) -> HttpReply:
        """What is at the old address, if there is anything; else `missing`."""
        here, self.url, self._old_url = self.url, self._old_url, ""
        reply = await self._ask(None)
        if reply.status == _OK:
            return reply
        self.url, self._old_url = here, self.url
        return missing

    async def _get(self, headers: Headers) -> HttpReply:
        """Follow redirects, and raise a refusal for want of credentials."""
        reply, url = await self._get_once(self.url, headers), self.url
        for _ in range(MAX_REDIRECTS):
            url = follow(url, reply.headers.get("location", "")) if reply.status in _REDIRECTS else ""
            if not url:
                break
            reply = await self._get_once(url, headers if is_same_origin(url, self.url) else {})
        if reply.status == _UNAUTHENTICATED:
            raise load_failure(reply, self.url)
        return reply

    async def _get_once(self, url: str, headers: Headers) -> HttpReply:
        return await self._http.request(
            HttpRequest("GET", url, {**_FIXED, **headers}, None, self._idle), MAX_CARD_BYTES
        )


class CardKeeper:
    """Keeps the card of one client: fetched when it is first needed, asked after when it has expired.

    With a `verifier`, a card is used only if that finds it good: when it comes, and again whenever it is asked after, for keys are
    revoked, too. Without a `fetcher` there is the `card` alone.
    """

    def __init__(
        self,
        fetcher: CardFetcher | None,
        card: AgentCard | None,
        *,
        now: Callable[[], float],
        verifier: "CardVerifier | None" = None,
    ) -> None:
        self._fetcher = fetcher
        self._given = card
        self._verifier = verifier
        self._kept: KeptCard | None = None
        self._pinned: AgentCard | None = None
        import asyncio

        self._now = now
        self._lock = asyncio.Lock()

    async def get(self) -> AgentCard:
        """The card in use. UntrustedCard if it does not prove who wrote it, and whatever `CardFetcher.fetch` raises."""
        if self._pinned is not None:
            return self._pinned
        if kept := self._get_fresh():
            return kept.card
        async with self._lock:
            kept = self._get_fresh() or await self._renew()
        return kept.card

    async def pin(self, card: AgentCard, url: str) -> None:
        """Use `card` from now on and ask no more: it is the extended one, which came from `url` (EXT-03, SIG-14)."""
        await self._verify(card, url)
        self._pinned = card

    def unpin(self) -> None:
        """Go back to the public card: the session is over."""
        self._pinned = None

    def _get_fresh(self) -> KeptCard | None:
        kept = self._kept
        is_fresh = kept is not None and (kept.expires is None or self._now() < kept.expires)
        return kept if is_fresh else None

    async def _renew(self) -> KeptCard:
        kept = await self._fetch()
        url = "" if self._fetcher is None else self._fetcher.url
        await self._verify(kept.card, url)
        self._kept = kept
        return kept

    async def _fetch(self) -> KeptCard:
        if self._fetcher is None:
            assert self._given is not None
            return KeptCard(self._given)
        try:
            return await self._fetcher.fetch(self._kept, self._now())
        except (Unreachable, TimedOut):
            if self._kept is None:
                raise
            # RFC 9111, 4.2.4: disconnected, a stale card is better than none; the call will tell.
            return self._kept

    async def _verify(self, card: AgentCard, url: str) -> None:
        if self._verifier is not None:
            await self._verifier.verify(card, url=url)


def load_card(body: bytes, url: str) -> AgentCard:
    """Read a card of any generation; BadResponse that names the members of one that does not fit, or is no card."""
    try:
        return decode(AgentCard, body)
    except ParseError as error:
        raise BadResponse(f"what {url!r} answers is not a card: {error.message}", url=url) from None
    except InvalidParamsError:
        pass
    try:
        return load_any_card(decode_json(body))
    except InvalidParamsError as error:
        problems = "; ".join(f"{violation.field}: {violation.description}" for violation in error.violations)
        raise BadResponse(f"the card at {url!r} does not fit: {problems or error.message}", url=url) from None


def _validators(kept: KeptCard | None) -> dict[str, str]:
    if kept is None:
        return {}
    found = {"if-none-match": kept.etag, "if-modified-since": kept.last_modified}
    return {name: value for name, value in found.items() if value}
