"""Where an agent's card comes from and how long it holds (SPEC 4.1, 4.3, CCH-01 to CCH-07)."""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from dragoman.client.addresses import follow, is_http_url, is_same_origin
from dragoman.client.credentials import Credentials, Headers
from dragoman.client.http import Http, HttpReply, HttpRequest
from dragoman.client.transport.replies import load_failure
from dragoman.model import (
    JSON,
    LATEST,
    AgentCard,
    BadResponse,
    InvalidParamsError,
    ParseError,
    TimedOut,
    Unreachable,
    VersionMismatch,
)
from dragoman.wire.codec import decode, decode_json
from dragoman.wire.media import JSON_TYPE
from dragoman.wire.parameters import VERSION_HEADER

WELL_KNOWN_PATH = "/.well-known/agent-card.json"

DEFAULT_LIFETIME_SECONDS = 300.0
"""How long a card holds whose answer says nothing about it (CCH-07)."""

MAX_CARD_BYTES = 4 * 1024 * 1024
MAX_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK, _NOT_MODIFIED, _UNAUTHENTICATED = 200, 304, 401
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


def check_url(target: str) -> str:
    """`target` as it is; ValueError if it is not an absolute http or https URL."""
    if not is_http_url(target):
        raise ValueError(
            f"the target {target!r} is not an http or https URL; write it as 'https://agent.example.com'"
        )
    return target


class CardFetcher:
    """Fetches one card. Redirects are followed, but credentials do not leave the origin they are meant for."""

    def __init__(self, http: Http, url: str, credentials: Credentials, *, idle: float | None = None) -> None:
        self.url = url
        self._http = http
        self._credentials = credentials
        self._idle = idle

    async def fetch(self, kept: KeptCard | None, now: float) -> KeptCard:
        """The card as it is now. `kept` is asked after and comes back with a new lifetime if it still holds.

        Raises Unreachable, TimedOut, Rejected, an A2AError, or BadResponse that names the members that do not fit.
        """
        reply = await self._credentials.send(lambda headers: self._get({**headers, **_validators(kept)}))
        expires = now + get_lifetime(reply.headers)
        if kept is not None and reply.status == _NOT_MODIFIED:
            return replace(kept, expires=expires)
        if reply.status != _OK:
            raise load_failure(reply, self.url)
        card = load_card(reply.body, self.url)
        return KeptCard(card, reply.headers.get("etag", ""), reply.headers.get("last-modified", ""), expires)

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
    """Keeps the card of one client: fetched when it is first needed, asked after when it has expired."""

    def __init__(
        self, fetcher: CardFetcher | None, card: AgentCard | None, *, now: Callable[[], float]
    ) -> None:
        self._fetcher = fetcher
        self._kept = None if card is None else KeptCard(card)
        self._now = now
        self._lock = asyncio.Lock()

    async def get(self) -> AgentCard:
        if kept := self._get_fresh():
            return kept.card
        async with self._lock:
            kept = self._get_fresh() or await self._renew()
        return kept.card

    def pin(self, card: AgentCard) -> None:
        """Use `card` from now on and ask no more: it is the extended one (EXT-03)."""
        self._kept = KeptCard(card)

    def _get_fresh(self) -> KeptCard | None:
        kept = self._kept
        is_fresh = kept is not None and (kept.expires is None or self._now() < kept.expires)
        return kept if is_fresh else None

    async def _renew(self) -> KeptCard:
        assert self._fetcher is not None  # a card without one never expires
        try:
            self._kept = await self._fetcher.fetch(self._kept, self._now())
        except (Unreachable, TimedOut):
            if self._kept is None:
                raise
            # RFC 9111, 4.2.4: disconnected, a stale card is better than none; the call will tell.
        return self._kept


def load_card(body: bytes, url: str) -> AgentCard:
    """Read a card; VersionMismatch if it is of an older generation, BadResponse if it is none."""
    try:
        return decode(AgentCard, body)
    except ParseError as error:
        raise BadResponse(f"what {url!r} answers is not a card: {error.message}", url=url) from None
    except InvalidParamsError as error:
        if offered := _get_old_version(decode_json(body)):
            problem = f"the agent at {url!r} offers A2A {offered}; this client speaks {LATEST.value}"
            raise VersionMismatch(problem, url=url) from None
        problems = "; ".join(f"{violation.field}: {violation.description}" for violation in error.violations)
        raise BadResponse(f"the card at {url!r} does not fit: {problems or error.message}", url=url) from None


def get_lifetime(headers: Mapping[str, str]) -> float:
    """Seconds that an answer holds by its `Cache-Control` and `Age`; the default if it does not say."""
    directives = {part.strip().lower() for part in headers.get("cache-control", "").split(",")}
    if directives & {"no-cache", "no-store"}:
        return 0.0
    ages = [part.partition("=")[2].strip('"') for part in directives if part.startswith("max-age=")]
    seconds = _read_seconds(ages[0]) if ages else None
    if seconds is None:
        return DEFAULT_LIFETIME_SECONDS
    return max(0.0, seconds - (_read_seconds(headers.get("age", "")) or 0.0))


def _read_seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) <= 9 else None


def _validators(kept: KeptCard | None) -> dict[str, str]:
    if kept is None:
        return {}
    found = {"if-none-match": kept.etag, "if-modified-since": kept.last_modified}
    return {name: value for name, value in found.items() if value}


def _get_old_version(value: JSON) -> str:
    """The version that a card from before 1.0 names: it has one `url` and no list of interfaces (SPEC 7)."""
    match value:
        case {"url": str(), "protocolVersion": str(version)} if "supportedInterfaces" not in value:
            return version
        case {"url": str(), "capabilities": dict()} if "supportedInterfaces" not in value:
            return "0.1"
        case _:
            return ""
